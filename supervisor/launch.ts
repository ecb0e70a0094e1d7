// Starts one child process and tells when it is ready and when it has ended. On Linux the kernel
// kills the child when the supervisor dies (parent death signal); our own programs also leave when
// their standard input ends. Each child has a session of its own, so that Ctrl-C in a terminal
// reaches the supervisor alone and children are drained in order. Restarting is process.ts's.

import { type ChildProcess, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { SupervisorError } from './codes.ts'
import type { LogFile } from './log-file.ts'
import { type StartAs, toWords } from './start-as.ts'

export interface LaunchPlan {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
  readonly folder: string
  readonly environment: Readonly<Record<string, string>>
  /** Absent: the supervisor's own user. */
  readonly as?: StartAs
  /** `pipe`: the child writes one JSON line to descriptor 3. Else a question asked until it is true. */
  readonly readiness: 'pipe' | (() => Promise<boolean>)
  readonly startTimeoutMs: number
}

export interface Launched {
  readonly pid: number
  /** Rejects with SupervisorError START_FAILED or START_TIMEOUT. */
  readonly ready: Promise<void>
  readonly exited: Promise<ExitFacts>
  signal(name: 'SIGTERM' | 'SIGKILL' | 'SIGHUP'): void
}

export interface ExitFacts {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** What a child says on descriptor 3, once. */
export const readyLineSchema = z.union([
  z.looseObject({ ready: z.literal(true) }),
  z.looseObject({
    ready: z.literal(false),
    code: z.string(),
    message: z.string(),
    next: z.string().optional(),
  }),
])

/** Asking a server more often than this costs it more than the wait costs a person. */
const probeEveryMs = 25
/** A ready line is a few hundred bytes; more is not one. */
const readyLineBytes = 64 * 1024

/** @throws SupervisorError START_FAILED when the program cannot be executed */
export async function launch(plan: LaunchPlan, log: LogFile): Promise<Launched> {
  const isOurs = plan.readiness === 'pipe'
  const [command, ...args] = withDeathSignal(plan)
  const child = spawn(command, args, {
    cwd: plan.folder,
    env: { ...plan.environment },
    detached: true,
    stdio: [isOurs ? 'pipe' : 'ignore', 'pipe', 'pipe', isOurs ? 'pipe' : 'ignore'],
  })
  const exited = new Promise<ExitFacts>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  child.stdout?.on('data', (chunk: Buffer) => log.write(chunk))
  child.stderr?.on('data', (chunk: Buffer) => log.write(chunk))
  // The child may close its end first.
  child.stdin?.on('error', () => undefined)
  await spawned(child, plan.name)
  const ready = waitReady(plan, { child, exited, log })
  // Whoever launches may look at `exited` first; that is not an unhandled rejection.
  ready.catch(() => undefined)
  return {
    pid: child.pid ?? 0,
    ready,
    exited,
    signal: (name) => {
      child.kill(name)
    },
  }
}

function withDeathSignal(plan: LaunchPlan): readonly [string, ...string[]] {
  if (process.platform !== 'linux') return [plan.command, ...plan.args]
  return toWords(plan, plan.as)
}

function spawned(child: ChildProcess, name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (cause) =>
      reject(
        new SupervisorError('START_FAILED', `${name} cannot be executed: ${cause.message}`, {
          cause,
        }),
      ),
    )
  })
}

async function waitReady(
  plan: LaunchPlan,
  watched: { child: ChildProcess; exited: Promise<ExitFacts>; log: LogFile },
): Promise<void> {
  const stop = new AbortController()
  const timeout = delay(plan.startTimeoutMs, undefined, { signal: stop.signal, ref: false }).then(
    () => {
      throw new SupervisorError(
        'START_TIMEOUT',
        `${plan.name} was not ready after ${plan.startTimeoutMs} ms`,
      )
    },
    () => new Promise<never>(() => undefined),
  )
  const ended = watched.exited.then(({ code, signal }) => {
    throw new SupervisorError(
      'START_FAILED',
      `${plan.name} ended before it was ready (${signal ?? `exit code ${code}`}): ${watched.log.tail()}`,
    )
  })
  const said =
    plan.readiness === 'pipe'
      ? readReadyLine(watched.child.stdio[3] as Readable, plan.name)
      : askUntilTrue(plan.readiness, stop.signal)
  try {
    await Promise.race([said, ended, timeout])
  } finally {
    stop.abort()
  }
}

async function readReadyLine(pipe: Readable, name: string): Promise<void> {
  let text = ''
  for await (const chunk of pipe) {
    text += String(chunk)
    if (text.includes('\n') || text.length > readyLineBytes) break
  }
  // Closed without a word: how the process ended says more than that, so let `exited` win.
  if (text === '') await new Promise((resolve) => setTimeout(resolve, 1_000))
  const line = parseReadyLine(text, name)
  if (line.ready) return
  const { message, next } = line
  throw new SupervisorError('START_FAILED', `${name}: ${message}`, {
    ...(next === undefined ? {} : { next }),
  })
}

/** @throws SupervisorError START_FAILED when the line is none */
export function parseReadyLine(text: string, name: string): z.infer<typeof readyLineSchema> {
  let value: unknown
  try {
    value = JSON.parse(text.split('\n')[0] ?? '')
  } catch {
    value = undefined
  }
  const parsed = readyLineSchema.safeParse(value)
  if (!parsed.success) {
    throw new SupervisorError('START_FAILED', `${name} did not say that it is ready`)
  }
  return parsed.data
}

async function askUntilTrue(probe: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && !(await probe().catch(() => false))) {
    await delay(probeEveryMs, undefined, { ref: false })
  }
}
