// Runs a plan's steps in the order that their needs allow. One function of injected ports with no
// Temporal import, so that it is tested with fakes; workflows/request.ts wires it to the SDK.
// Deterministic: it iterates the plan's order, keeps Maps, reads no clock but the injected one. Waits
// in one place only, because a condition per step is quadratic. Sees references and outcomes, never
// content.

import type { PlanSkeleton, SkeletonStep } from '../plan/schema.ts'
import { createAlarm } from './alarm.ts'
import { compensate } from './compensate.ts'
import { isFailing, isStopping } from './consequence.ts'
import type {
  ResolveInput,
  RetryInput,
  RunStatus,
  SourceRef,
  StepInput,
  StepOutcome,
  StepResult,
} from './contract.ts'
import type { LookAhead } from './look-ahead.ts'
import type { Progress } from './progress.ts'
import { createQuestions, type Questions } from './questions.ts'
import { type LoopPorts, runLoop } from './run-loop.ts'
import { createStage, type Stage } from './stage.ts'

export { createProgress, type Progress } from './progress.ts'

export interface RunPorts extends LoopPorts {
  /**
   * Runs one step, or its undo, to an outcome. Obligation: not cut short when the run is cancelled,
   * because a command that is out cannot be called back; rejects only for a bug. It may carry on with
   * what follows; each of that is still asked for, in order, once what it builds on has been handed on.
   */
  dispatch(
    step: SkeletonStep,
    input: StepInput,
    about?: { readonly following: LookAhead },
  ): Promise<StepResult>
  /** Resolves when `ready()` is true; rejects with the cancellation when the run is cancelled. */
  until(ready: () => boolean): Promise<void>
  /**
   * Resolves at this instant, milliseconds since the epoch, however often the worker is replaced
   * meanwhile; rejects with the cancellation when the run is cancelled.
   */
  sleepUntil(at: number): Promise<void>
  isCancellation(error: unknown): boolean
  /**
   * Told of every change. `held`, `waiting-approval`: nothing goes on until a person decides.
   * `scheduled`: nothing but steps that wait for their time, and what builds on them, is still to come;
   * `sources` is what the rest has come to.
   */
  onStatus(status: OpenStatus, sources: readonly SourceRef[]): void
  /** Whether the run has been cancelled already. */
  cancelled(): boolean
  /** Runs `work` out of reach of the run's cancellation. */
  shielded<T>(work: () => Promise<T>): Promise<T>
}

export type OpenStatus = Extract<RunStatus, 'running' | 'held' | 'waiting-approval' | 'scheduled'>

/** A person's decisions, which update handlers put here and the run takes up. */
export type Order =
  | { readonly kind: 'retry'; readonly retry: RetryInput }
  | { readonly kind: 'resolve'; readonly answer: ResolveInput }
  | { readonly kind: 'give-up' }

export interface Controls {
  readonly orders: Order[]
  /** What a person has been asked, the plan as a whole or a step of it. */
  readonly questions: Questions
  /** Steps that wait for a person. Empty when the run is turning around or over. */
  held: ReadonlySet<string>
  /** What an iteration of a loop has come to, if there is such an iteration. */
  iteration(step: string, iteration: number): StepOutcome | undefined
}

export function createControls(): Controls {
  const questions = createQuestions()
  return { orders: [], questions, held: new Set(), iteration: () => undefined }
}

export interface RunInput {
  readonly requestId: string
  readonly skeleton: PlanSkeleton
  readonly progress: Progress
  readonly controls: Controls
}

export interface RunOutcome {
  readonly status: RunStatus
  readonly code?: string
  /** One per step that came to an end, in plan order. */
  readonly sources: readonly SourceRef[]
}

/**
 * Runs every step whose needs are satisfied, at most `limits.fanOut` at once. The first failure
 * under `abort`, an unknown outcome, a cancellation, or a person's giving up stops further launches;
 * what is running is drained, then the undos run newest first, whatever else happens. A failure under
 * `hold` stops what builds on it, and the run waits for a person when nothing else is left to do. A
 * step that a person is asked about first keeps nothing but what builds on it from going on.
 */
export async function runPlan(run: RunInput, ports: RunPorts): Promise<RunOutcome> {
  const { controls } = run
  let bug: { readonly cause: unknown } | undefined
  let cancelled = false
  let dirty = false
  const wake = () => {
    dirty = true
  }
  const fail = (cause: unknown) => {
    bug ??= { cause }
    dirty = true
  }
  const { questions } = controls
  const alarm = createAlarm(ports, { ring: wake, fail })
  const stage = createStage({ ...run, questions, now: ports.now(), onFree: wake })
  controls.iteration = stage.iteration
  const { following } = stage
  const launch = (step: SkeletonStep): void => {
    const input = stage.begin(step)
    const job = stage.loopJob(step, input)
    const running = job === null ? ports.dispatch(step, input, { following }) : runLoop(job, ports)
    running.then((result) => {
      stage.end(step, result, ports.now())
      dirty = true
    }, fail)
  }
  const tell = createTeller(stage, ports)
  for (;;) {
    cancelled ||= ports.cancelled()
    for (const order of controls.orders.splice(0)) obey(stage, order)
    const over = cancelled || stage.stopped()
    if (over) stage.turnAround()
    else stage.askAgain(ports.now())
    while (!over && stage.mayLaunch()) launch(stage.next())
    if (!over) for (const step of stage.takeEarly()) waitForTime(step, { stage, ports, wake, fail })
    controls.held = over ? new Set() : stage.held()
    const status = over ? 'running' : statusOf(stage)
    tell(status)
    const waits = status === 'held' || status === 'waiting-approval'
    if (stage.running() === 0 && !waits && (over || !stage.isEarly())) break
    if (!over) alarm.set(questions.nextAt())
    dirty = false
    const hasOrders = () => controls.orders.length > 0 || questions.isDecided()
    const changed = () => ports.until(() => dirty || hasOrders())
    // Once cancelled, only a shielded wait can still wait for what is running.
    try {
      await (cancelled ? ports.shielded(changed) : changed())
    } catch (error) {
      if (!ports.isCancellation(error)) throw error
      cancelled = true
    }
    if (bug !== undefined) throw bug.cause
  }
  const verdict = toVerdict(run, cancelled)
  if (verdict.status !== 'completed') {
    await ports.shielded(() => compensate(stage.undos(), run.progress, ports))
  }
  return { ...verdict, sources: stage.sources() }
}

/** Of a run that goes on. */
function statusOf(stage: Stage): OpenStatus {
  const idle = stage.running() === 0
  const holds = stage.held().size > 0
  if (idle && holds) return 'held'
  if (idle && stage.isAsking()) return 'waiting-approval'
  return !holds && stage.isScheduled() ? 'scheduled' : 'running'
}

/** Tells the ports of changes alone. */
function createTeller(stage: Stage, ports: RunPorts) {
  let last: OpenStatus = 'running'
  return (status: typeof last) => {
    if (status !== last) ports.onStatus(status, stage.sources())
    last = status
  }
}

interface Watch {
  readonly stage: Stage
  readonly ports: RunPorts
  readonly wake: () => void
  readonly fail: (cause: unknown) => void
}

/** A run that is over before that time forgets it. */
function waitForTime(step: SkeletonStep, { stage, ports, wake, fail }: Watch): void {
  ports.sleepUntil(step.at ?? 0).then(
    () => {
      stage.arrive(step)
      wake()
    },
    (error: unknown) => {
      if (!ports.isCancellation(error)) fail(error)
    },
  )
}

function obey(stage: Stage, order: Order): void {
  switch (order.kind) {
    case 'retry':
      stage.again(order.retry)
      break
    case 'resolve':
      stage.resolve(order.answer)
      break
    case 'give-up':
      stage.giveUp()
      break
  }
}

/**
 * Cancelled before anything else, then what went wrong, in plan order. A refusal because the run is
 * being stopped follows from its cause, so it decides only where no cause is known here.
 */
function toVerdict(
  { skeleton, progress }: RunInput,
  cancelled: boolean,
): Pick<RunOutcome, 'status' | 'code'> {
  const ended = skeleton.steps.flatMap((step) => {
    const summary = progress.get(step.id)
    return summary !== undefined && isFailing(step, summary.outcome) ? [summary] : []
  })
  if (cancelled) return { status: 'cancelled' }
  const cause = ended.find(({ code }) => !isStopping(code)) ?? ended[0]
  if (cause === undefined) return { status: 'completed' }
  if (isStopping(cause.code)) return { status: 'cancelled', code: 'REQUEST_CANCELLED' }
  return {
    status: cause.outcome === 'denied' ? 'denied' : 'failed',
    code: cause.code ?? cause.outcome.toUpperCase(),
  }
}
