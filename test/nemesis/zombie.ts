// A worker that was thought dead and is not: it is stopped in the middle of whatever it does, a second
// one with its identity takes the work over, and then the first goes on, with what it had in its hands.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, readlinkSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

/** For a cold worker on a busy machine. */
const readyMs = 60_000
/** Both are about: what the first had in its hands meets what the second has done since. */
const togetherMs = 5_000

/** False when the first ended meanwhile, or the second could not be started. */
export async function returnLate(pid: number, awayMs: number): Promise<boolean> {
  const second = startLike(pid)
  const ended = new AbortController()
  // A child that does not start says so by an event, which would end the nemesis.
  second.once('error', () => ended.abort())
  second.once('exit', () => ended.abort())
  try {
    const isReady = await Promise.race([
      once(second.stdio[3] as Readable, 'data').then(() => true),
      delay(readyMs, false, { signal: ended.signal }).catch(() => false),
    ])
    if (!isReady) return false
    process.kill(pid, 'SIGSTOP')
    await delay(awayMs)
    process.kill(pid, 'SIGCONT')
    await delay(togetherMs)
    return true
  } catch {
    // The first is gone.
    return false
  } finally {
    second.kill('SIGKILL')
  }
}

/** The same program as the same user, in the same folders and mounts. */
function startLike(pid: number): ChildProcess {
  const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'utf8')
  const words = read('cmdline').split('\0').slice(0, -1)
  const idOf = (name: string) => new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(read('status'))?.[1]
  const [uid, gid] = [idOf('Uid') ?? '', idOf('Gid') ?? '']
  const env = read('environ')
    .split('\0')
    .map((entry) => entry.split(/=(.*)/s, 2))
    .filter(([name]) => name !== undefined && name !== '')
  const user = ['setpriv', '--reuid', uid, '--regid', gid, '--clear-groups']
  const limits = ['--pdeathsig', 'KILL', '--no-new-privs', '--']
  const command = ['--target', String(pid), '--mount', '--', ...user, ...limits, ...words]
  return spawn('nsenter', command, {
    cwd: readlinkSync(`/proc/${pid}/cwd`),
    env: Object.fromEntries(env),
    // It ends with its standard input, and says on descriptor 3 that it is ready.
    stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
  })
}
