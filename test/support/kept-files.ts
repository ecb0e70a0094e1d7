// Files that stand for what a person's machine may hold: histories of runs that were under way, the
// workflows of earlier releases. Kept once and never changed, or they stand for nothing. The list
// `test/kept.sha256` has a line for each (`sha256sum --check` reads it too); a test compares.

import { createHash } from 'node:crypto'
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const testFolder = join(import.meta.dirname, '..')
/** Folders below `test/` whose every file is kept. */
export const keptFolders = ['histories', 'releases'] as const
export const keptList = join(testFolder, 'kept.sha256')

/** Digests by path below `test/`. */
export type Digests = ReadonlyMap<string, string>

/**
 * Writes a file that was not there, and its line.
 * @throws Error EEXIST for one that is kept already
 */
export function keep(path: string, content: string | Uint8Array): void {
  writeFileSync(join(testFolder, path), content, { flag: 'wx' })
  appendFileSync(keptList, `${digestOf(content)}  ${path}\n`)
}

/** What is wrong with kept files, in words; empty is what is wanted. Pure. */
export function findChanges(listed: Digests, found: Digests): readonly string[] {
  return [
    ...[...listed].flatMap(([path, digest]) => {
      const present = found.get(path)
      if (present === undefined) return [`${path} is gone`]
      return present === digest ? [] : [`${path} has changed`]
    }),
    ...[...found.keys()].filter((path) => !listed.has(path)).map((path) => `${path} is not listed`),
  ]
}

/** @throws Error for a line that is none, or a path that is listed twice */
export function parseList(text: string): Digests {
  const digests = new Map<string, string>()
  for (const line of text.split('\n').slice(0, -1)) {
    const [, digest, path] = /^([0-9a-f]{64}) {2}(\S+)$/.exec(line) ?? []
    if (digest === undefined || path === undefined) throw new Error(`no line of a list: ${line}`)
    if (digests.has(path)) throw new Error(`listed twice: ${path}`)
    digests.set(path, digest)
  }
  return digests
}

export function readKept(): { readonly listed: Digests; readonly found: Digests } {
  const files = keptFolders.flatMap((folder) =>
    readdirSync(join(testFolder, folder)).map((name) => `${folder}/${name}`),
  )
  return {
    listed: parseList(readFileSync(keptList, 'utf8')),
    found: new Map(files.map((path) => [path, digestOf(readFileSync(join(testFolder, path)))])),
  }
}

function digestOf(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
