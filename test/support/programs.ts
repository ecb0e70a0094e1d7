// Where the real servers of the tests are: what `npm run setup` built into the per-user cache, else
// what the machine has. Never downloads or builds; a missing program is an error with the next
// command to type, not a skipped test.

import {
  accessSync,
  chmodSync,
  constants,
  copyFileSync,
  mkdirSync,
  readdirSync,
  statSync,
} from 'node:fs'
import { delimiter, join } from 'node:path'
import envPaths from 'env-paths'

export type ProgramName = 'nats-server' | 'temporal'

/** Absolute path of the program: the newest build in the cache, else PATH, else BULKHEAD_TOOLS. */
export function programPath(name: ProgramName): string {
  const found = [...cachedBuilds(name), ...inFolders(name)].find(isExecutable)
  if (found === undefined) {
    throw new Error(`${name} is not on this machine yet; next: npm run setup`)
  }
  return found
}

/**
 * Copies Node and the servers to a folder that every user can read, because the cache of the user who
 * runs the tests is that user's alone. Give it to the other user as BULKHEAD_TOOLS.
 */
export function copyPrograms(folder: string): { readonly node: string } {
  mkdirSync(folder, { recursive: true, mode: 0o755 })
  const copy = (from: string, name: string) => {
    const to = join(folder, name)
    copyFileSync(from, to)
    chmodSync(to, 0o755)
    return to
  }
  for (const name of ['nats-server', 'temporal'] as const) copy(programPath(name), name)
  return { node: copy(process.execPath, 'node') }
}

function cachedBuilds(name: ProgramName): readonly string[] {
  const folder = join(envPaths('bulkhead', { suffix: '' }).cache, 'tools', name)
  return entriesOf(folder)
    .map((key) => join(folder, key, name))
    .filter(isExecutable)
    .map((file) => ({ file, builtAt: statSync(file).mtimeMs }))
    .sort((one, other) => other.builtAt - one.builtAt)
    .map(({ file }) => file)
}

function inFolders(name: ProgramName): readonly string[] {
  const { PATH, BULKHEAD_TOOLS } = process.env
  return [...(PATH ?? '').split(delimiter), BULKHEAD_TOOLS ?? '']
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}
