// Finds the third-party programs that set-up built, and checks that they are new enough to be
// trusted. Never downloads or builds anything: that is set-up's. A program found on PATH is used
// only when its version is at or above the security floor.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { SupervisorError } from './codes.ts'
import type { Environment } from './config.ts'

export type ToolName = 'temporal' | 'nats-server'

export interface Tool {
  readonly path: string
  readonly version: string
  readonly from: 'folder' | 'cache' | 'path'
}

/** Root of this installation. */
export const installation = dirname(dirname(fileURLToPath(import.meta.url)))

const tools: Readonly<Record<ToolName, { module: string; floor: string }>> = {
  temporal: { module: 'github.com/temporalio/cli', floor: '1.8.2' },
  // 2.14.3 closes the advisories on deny rules, trace headers and pre-authentication crashes.
  'nats-server': { module: 'github.com/nats-io/nats-server/v2', floor: '2.14.3' },
}

/**
 * Path and version of a program. Order: `toolsFolder`, the per-user cache that set-up fills, PATH.
 * @throws SupervisorError TOOL_MISSING, TOOL_UNFIT
 */
export async function locateTool(name: ToolName, environment: Environment): Promise<Tool> {
  const pinned = pinnedVersion(name)
  if (environment.toolsFolder !== undefined) {
    const path = join(environment.toolsFolder, name)
    if (isExecutable(path)) return { path, version: pinned, from: 'folder' }
  }
  const cached = cachedFile(name, pinned, environment.cacheFolder)
  // The key of the cache names version and checksums: what lies there need not be asked again.
  if (isExecutable(cached)) return { path: cached, version: pinned, from: 'cache' }
  const onPath = findOnPath(name, environment.path)
  if (onPath === undefined) {
    throw new SupervisorError('TOOL_MISSING', `${name} ${pinned} has not been built yet`, {
      next: 'npm run setup',
    })
  }
  const version = await askVersion(onPath, ['--version'])
  const { floor } = tools[name]
  if (version === undefined || compareVersions(version, floor) < 0) {
    throw new SupervisorError(
      'TOOL_UNFIT',
      `${onPath} is version ${version ?? 'unknown'}, at least ${floor} is needed`,
      { next: 'npm run setup' },
    )
  }
  return { path: onPath, version, from: 'path' }
}

/** Where set-up puts the program: keyed by version and by the digest of its checksums. */
function cachedFile(name: ToolName, version: string, cacheFolder: string): string {
  const sums = readFileSync(join(installation, 'tools', name, 'go.sum'))
  const digest = createHash('sha256').update(sums).digest('hex').slice(0, 12)
  return join(cacheFolder, 'tools', name, `${version}-${digest}`, name)
}

function pinnedVersion(name: ToolName): string {
  const file = join(installation, 'tools', name, 'go.mod')
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .map((text) => text.trim().replace(/^require /, ''))
    .find((text) => text.startsWith(`${tools[name].module} v`))
  const version = line?.split(' v')[1]?.split(' ')[0]
  if (version === undefined) throw new Error(`${file} does not require ${tools[name].module}`)
  return version
}

/** First executable of that name in a list of folders. */
export function findOnPath(name: string, folders: readonly string[]): string | undefined {
  return folders.map((folder) => join(folder, name)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

const run = promisify(execFile)

/** The first `1.2.3` that a program says of itself; undefined when it does not run. */
export async function askVersion(
  path: string,
  args: readonly string[],
): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, [...args], { timeout: 10_000 })
    return /\d+\.\d+\.\d+/.exec(stdout)?.[0]
  } catch {
    return undefined
  }
}

/** Negative when `left` is older. Three numbers; what follows them is not compared. */
export function compareVersions(left: string, right: string): number {
  const numbers = (version: string) => version.split('.').map((part) => Number.parseInt(part, 10))
  const [a, b] = [numbers(left), numbers(right)]
  for (let index = 0; index < 3; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
