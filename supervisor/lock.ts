// One supervisor per state folder. The lock is a file that names the holder by process id and start
// time, so that a lock left by a killed supervisor, even after its id was given to another process,
// is recognised and taken over. Two that start at once: the hard link decides, never both.

import { execFileSync } from 'node:child_process'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { SupervisorError } from './codes.ts'

export interface StateLock {
  release(): void
}

/**
 * @throws SupervisorError ALREADY_RUNNING, naming the process that holds the folder
 */
export function claimLock(file: string, state: string): StateLock {
  const mine = `${process.pid} ${processStartTime(process.pid) ?? ''}`
  const own = `${file}.${process.pid}`
  writeFileSync(own, mine, { mode: 0o600 })
  try {
    // A few rounds: each one either links, meets a live holder, or removes a dead one.
    for (let round = 0; round < 10; round++) {
      if (tryLink(own, file)) {
        return {
          release: () => {
            if (readText(file) === mine) rmSync(file, { force: true })
          },
        }
      }
      removeIfDead(file, state)
    }
    throw new SupervisorError('STATE_UNUSABLE', `cannot lock ${state}`)
  } finally {
    rmSync(own, { force: true })
  }
}

function removeIfDead(file: string, state: string): void {
  const holder = readText(file)
  if (holder === undefined) return
  const [pid = '', startTime = ''] = holder.split(' ')
  const holderPid = Number.parseInt(pid, 10)
  if (holderPid > 0 && processStartTime(holderPid) === startTime) {
    throw new SupervisorError(
      'ALREADY_RUNNING',
      `a supervisor (process ${holderPid}) is already running on ${state}`,
      { next: `npx bulkhead down --state ${state}, or choose another folder with --state` },
    )
  }
  const aside = `${file}.stale.${process.pid}`
  try {
    renameSync(file, aside)
  } catch {
    return
  }
  // Between reading and renaming, another one may have taken over: then this is its fresh lock.
  if (readText(aside) !== holder) tryLink(aside, file)
  rmSync(aside, { force: true })
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

/**
 * When a process started, in the kernel's own unit; undefined when it is gone or a zombie. Together
 * with the id it names one process for as long as the machine is up.
 */
export function processStartTime(pid: number): string | undefined {
  if (process.platform !== 'linux') return startTimeFromPs(pid)
  const stat = readText(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The second field is the name in parentheses and may itself contain spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19]
}

function startTimeFromPs(pid: number): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' })
    return text.trim().replaceAll(/\s+/g, '_') || undefined
  } catch {
    return undefined
  }
}
