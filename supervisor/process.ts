// Keeps one server process running: start, watch, restart with growing pauses, stop with a time
// limit. The first start must succeed; later ones are tried until the supervisor stops. Starting the
// program itself is launch.ts's, what to start is servers.ts's.

import { setTimeout as delay } from 'node:timers/promises'
import type { SupervisorError } from './codes.ts'
import { type Launched, type LaunchPlan, launch } from './launch.ts'
import type { LogFile } from './log-file.ts'

export interface ProcessPlan extends LaunchPlan {
  /** After SIGTERM; then SIGKILL. */
  readonly stopTimeoutMs: number
}

export type ProcessState = 'stopped' | 'starting' | 'running' | 'backing-off' | 'stopping'

export interface ProcessStatus {
  readonly name: string
  readonly state: ProcessState
  readonly pid: number | null
  readonly restarts: number
  /** Milliseconds in this state. */
  readonly sinceMs: number
}

export interface ManagedProcess {
  /** @throws SupervisorError when the first start fails */
  start(): Promise<void>
  /** Resolves when the process has ended and will not be started again. */
  stop(): Promise<void>
  /** SIGHUP: it reads its files again. What is not running reads them when it starts. */
  hangUp(): void
  status(): ProcessStatus
}

export interface ProcessDependencies {
  readonly log: LogFile
  readonly now: () => number
  /** Called after each change of state, with the error that caused it if there was one. */
  readonly onChange: (status: ProcessStatus, error?: SupervisorError | Error) => void
}

const firstPauseMs = 250
/** A server that keeps failing is tried twice a minute: soon enough once its cause is gone. */
const longestPauseMs = 30_000
/** Whoever has run for this long did not fail at its start: what ended it is another cause. */
const stableMs = 10_000

/** Pause before the restart after `failures` failures in a row, the first being 1. */
export function backoffMs(failures: number): number {
  return Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(20, Math.max(0, failures - 1)))
}

interface Watch {
  state: ProcessState
  changedAt: number
  restarts: number
  failures: number
  current: Launched | undefined
  readonly ended: AbortController
}

export function createManagedProcess(
  plan: ProcessPlan,
  dependencies: ProcessDependencies,
): ManagedProcess {
  const { now } = dependencies
  const watch: Watch = {
    state: 'stopped',
    changedAt: now(),
    restarts: 0,
    failures: 0,
    current: undefined,
    ended: new AbortController(),
  }
  const status = (): ProcessStatus => ({
    name: plan.name,
    state: watch.state,
    pid: watch.current?.pid ?? null,
    restarts: watch.restarts,
    sinceMs: now() - watch.changedAt,
  })
  const change = (state: ProcessState, error?: Error) => {
    watch.state = state
    watch.changedAt = now()
    dependencies.onChange(status(), error)
  }
  const startOnce = async () => {
    change('starting')
    const launched = await launch(plan, dependencies.log)
    watch.current = launched
    // Stopped while the program was being executed: it must not live on.
    if (watch.ended.signal.aborted) launched.signal('SIGKILL')
    try {
      await launched.ready
    } catch (error) {
      launched.signal('SIGKILL')
      await launched.exited
      watch.current = undefined
      throw error
    }
    if (!watch.ended.signal.aborted) change('running')
    return launched
  }
  let loop = Promise.resolve()
  return {
    async start() {
      const launched = await startOnce()
      loop = keepRunning(watch, launched, { now, change, startOnce })
    },
    async stop() {
      if (!watch.ended.signal.aborted) {
        watch.ended.abort()
        if (watch.current !== undefined) change('stopping')
      }
      await end(watch, plan.stopTimeoutMs)
      await loop
      watch.current = undefined
      if (watch.state !== 'stopped') change('stopped')
    },
    hangUp: () => watch.current?.signal('SIGHUP'),
    status,
  }
}

/** Ends with SIGTERM, or with SIGKILL when that takes longer than the plan allows. */
async function end(watch: Watch, stopTimeoutMs: number): Promise<void> {
  // A restart may be under way: what it launches is ended as well.
  for (let last: Launched | undefined; watch.current !== last; ) {
    last = watch.current
    if (last === undefined) return
    last.signal('SIGTERM')
    const inTime = await Promise.race([
      last.exited.then(() => true),
      delay(stopTimeoutMs, false, { ref: false }),
    ])
    if (!inTime) last.signal('SIGKILL')
    await last.exited
  }
}

async function keepRunning(
  watch: Watch,
  first: Launched,
  control: {
    readonly now: () => number
    readonly change: (state: ProcessState, error?: Error) => void
    readonly startOnce: () => Promise<Launched>
  },
): Promise<void> {
  let launched: Launched | undefined = first
  while (!watch.ended.signal.aborted) {
    const startedAt = control.now()
    let error: Error | undefined
    if (launched !== undefined) {
      const { code, signal } = await launched.exited
      error = new Error(`ended by ${signal ?? `exit code ${code}`}`)
      if (control.now() - startedAt >= stableMs) watch.failures = 0
      watch.current = undefined
    }
    if (watch.ended.signal.aborted) return
    watch.failures += 1
    control.change('backing-off', error)
    await delay(backoffMs(watch.failures), undefined, { signal: watch.ended.signal }).catch(
      () => undefined,
    )
    if (watch.ended.signal.aborted) return
    watch.restarts += 1
    launched = await control.startOnce().catch((cause: unknown) => {
      control.change('backing-off', cause instanceof Error ? cause : new Error(String(cause)))
      return undefined
    })
  }
}
