// Where the real programs are that agents are tested against: a CalDAV server, an activity server,
// two generations of restic, borg, hledger. They are installed into the per-user cache, never into the
// system, and only where BULKHEAD_TEST_INSTALL=1 says so; elsewhere a test that needs one skips by name
// with what to type. How each is made is install-programs.ts's.

import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import envPaths from 'env-paths'
import { hold, isHeld } from './install-lock.ts'
import { type InstalledName, keyOf, recipes } from './install-programs.ts'

export interface Installed {
  readonly command: string
  /** Before a caller's own. */
  readonly args: readonly string[]
  /** The whole environment it needs; no PATH, no HOME. */
  readonly env: NodeJS.ProcessEnv
  /** As the program says it of itself. */
  readonly version: string
}

/** Longer than the slowest takes to build on a small machine. */
export const installTimeoutMs = 15 * 60_000

/**
 * @throws Error when it may be installed here and cannot be, or does not run
 */
export async function installed(
  name: InstalledName,
): Promise<Installed | { readonly missing: string }> {
  const folder = await folderOf(name)
  if (!existsSync(folder)) {
    if (process.env['BULKHEAD_TEST_INSTALL'] !== '1') {
      return { missing: `${name} is not installed; next: BULKHEAD_TEST_INSTALL=1 npm test` }
    }
    await install(name, folder)
  }
  const { command, args = [], env = {}, version } = recipes[name].run(folder)
  const { stdout } = await promisify(execFile)(command, [...args, ...version], { env })
  const said = /\d+\.\d+(?:\.\d+)?/.exec(stdout)?.[0]
  if (said === undefined) throw new Error(`${name} does not say its version: ${stdout}`)
  return { command, args, env, version: said }
}

async function folderOf(name: InstalledName): Promise<string> {
  const { cache } = envPaths('bulkhead', { suffix: '' })
  return join(cache, 'test-programs', `${name}-${await keyOf(name)}`)
}

/** Two processes may do it at once; the second one's work is thrown away. */
async function install(name: InstalledName, folder: string): Promise<void> {
  const work = `${folder}.${process.pid}`
  const free = await claim(`${folder}.lock`)
  try {
    if (existsSync(folder)) return
    mkdirSync(work, { recursive: true })
    await recipes[name].make(work, folder)
    renameSync(work, folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
    free()
  }
}

const pollMs = 250

/** A lock of a process that is gone is taken over: losing it costs work done twice. */
async function claim(lock: string): Promise<() => void> {
  mkdirSync(dirname(lock), { recursive: true })
  while (!hold(lock)) {
    if (!isHeld(lock)) rmSync(lock, { force: true })
    else await delay(pollMs)
  }
  return () => rmSync(lock, { force: true })
}
