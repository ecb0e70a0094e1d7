// The supervisor as a child of `up` and `start`: started, ready or told why not, and stopped with the
// command. It has a session of its own, so that Ctrl-C in a terminal reaches this command alone and
// is passed on once; twice means "at once" to it. It ends with this command even when that is killed.

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Deployment } from '../security/deployment.ts'
import { projectRoot } from './config.ts'
import { callControl } from './control.ts'
import { CommandError, exitCodes } from './exit-codes.ts'
import { findDeployment } from './session.ts'

const readyTimeoutMs = 180_000
const pollMs = 50
/** A terminal, npm and our own wrapper each pass the same Ctrl-C on: that is one, not three. */
const echoMs = 1_000

export interface RunningSupervisor {
  readonly pid: number | undefined
  /** Resolves with the exit code when the supervisor has ended. */
  readonly ended: Promise<number>
  /** Ctrl-C or a signal has asked this command to stop. */
  isInterrupted(): boolean
  /** Asks it to stop, unless that was asked already, and waits for its end. */
  stop(): Promise<void>
}

export function startSupervisor(state: string, config: string | undefined): RunningSupervisor {
  const main = join(projectRoot, 'supervisor', 'main.ts')
  const command = [process.execPath, main, 'up', '--state', state]
  if (config !== undefined) command.push('--config', config)
  if (process.platform === 'linux') command.unshift('setpriv', '--pdeathsig', 'TERM')
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    stdio: ['ignore', process.stderr, process.stderr],
    detached: true,
  })
  const ended = new Promise<number>((done, fail) => {
    child.once('error', fail)
    child.once('exit', (code, signal) => done(code ?? (signal === null ? 1 : 128)))
  })
  // Whoever starts it may look at `ended` later; that is not an unhandled rejection.
  ended.catch(() => undefined)
  let askedAt: number | undefined
  let wasInterrupted = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      wasInterrupted = true
      const now = Date.now()
      if (askedAt !== undefined && now - askedAt < echoMs) return
      askedAt = now
      child.kill('SIGTERM')
    })
  }
  return {
    pid: child.pid,
    ended,
    isInterrupted: () => wasInterrupted,
    async stop() {
      if (askedAt === undefined) {
        askedAt = Date.now()
        child.kill('SIGTERM')
      }
      await ended
    },
  }
}

/** The end of a command that was told to stop before it had done its work. */
export function interrupted(): CommandError {
  return new CommandError('stopped before it was done; nothing was left running', {
    exitCode: exitCodes.interrupted,
  })
}

/**
 * Waits for a stop that somebody asked for.
 * @throws CommandError when the supervisor was killed or gave up
 */
export async function untilEnded(supervisor: RunningSupervisor): Promise<void> {
  if ((await supervisor.ended) === 0) return
  throw new CommandError('the supervisor ended by itself, and with it everything it had started', {
    exitCode: exitCodes.failed,
    next: 'the same command again   (runs that were under way go on)',
  })
}

/** What an earlier version or a crash left there is replaced when this one is ready. */
function findOwn(state: string): Deployment | undefined {
  try {
    return findDeployment(state)
  } catch {
    return undefined
  }
}

async function isReady(state: string, pid: number | undefined): Promise<boolean> {
  const deployment = findOwn(state)
  if (deployment === undefined || deployment.pid !== pid) return false
  const reply = await callControl(deployment.controlSocket, 'GET', '/status').catch(() => undefined)
  const body = reply?.body
  return typeof body === 'object' && body !== null && 'ready' in body && body.ready === true
}

/** @throws CommandError when the supervisor ends before it is ready */
export async function untilReady(state: string, supervisor: RunningSupervisor): Promise<void> {
  const ended = supervisor.ended.then((code) => ({ code }))
  const deadline = Date.now() + readyTimeoutMs
  while (!(await isReady(state, supervisor.pid))) {
    const end = await Promise.race([ended, sleep(pollMs)])
    if (end !== undefined) {
      if (supervisor.isInterrupted()) throw interrupted()
      throw new CommandError('the platform did not start (the reason is above)', {
        exitCode: end.code === exitCodes.usage ? exitCodes.usage : exitCodes.failed,
        next: `npx bulkhead doctor --state ${state}`,
      })
    }
    if (Date.now() > deadline) {
      await supervisor.stop()
      throw new CommandError('the platform was not ready in three minutes', {
        exitCode: exitCodes.failed,
        next: `look into ${join(state, 'logs')}`,
      })
    }
  }
}
