// Runs a plan's steps in the order that their needs allow. One function of injected ports with no
// Temporal import, so that it is tested with fakes; workflows/request.ts wires it to the SDK.
// Deterministic: it iterates the plan's order, keeps Maps, reads no clock. Waits in one place only,
// because a condition per step is quadratic. Sees references and outcomes, never content.

import type { PlanSkeleton, SkeletonStep } from '../plan/schema.ts'
import type {
  ResolveInput,
  RetryInput,
  RunStatus,
  SourceRef,
  StepInput,
  StepOutcome,
  StepResult,
} from './contract.ts'
import { createStage, isFailing, isStopping, note, type Progress, type Stage } from './stage.ts'

export type { Progress } from './stage.ts'

export interface RunPorts {
  /**
   * Runs one step, or its undo, to an outcome. Obligation: not cut short when the run is cancelled,
   * because a command that is out cannot be called back; rejects only for a bug.
   */
  dispatch(step: SkeletonStep, input: StepInput): Promise<StepResult>
  /** Resolves when `ready()` is true; rejects with the cancellation when the run is cancelled. */
  until(ready: () => boolean): Promise<void>
  isCancellation(error: unknown): boolean
  /** Told when the run begins and ceases to wait for a person alone. */
  onHeld(held: boolean): void
  /** Whether the run has been cancelled already. */
  cancelled(): boolean
  /** Runs `work` out of reach of the run's cancellation. */
  shielded<T>(work: () => Promise<T>): Promise<T>
}

/** A person's decisions, which update handlers put here and the run takes up. */
export type Order =
  | { readonly kind: 'retry'; readonly retry: RetryInput }
  | { readonly kind: 'resolve'; readonly answer: ResolveInput }
  | { readonly kind: 'give-up' }

export interface Controls {
  readonly orders: Order[]
  /** Steps that wait for a person. Empty when the run is turning around or over. */
  held: ReadonlySet<string>
}

export function createControls(): Controls {
  return { orders: [], held: new Set() }
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

export function createProgress(skeleton: PlanSkeleton): Progress {
  return new Map(
    skeleton.steps.map((step) => [
      step.id,
      {
        id: step.id,
        type: step.type,
        effect: step.effect,
        outcome: 'pending',
        attempts: 0,
        durationMs: 0,
      },
    ]),
  )
}

/**
 * Runs every step whose needs are satisfied, at most `limits.fanOut` at once. The first failure
 * under `abort`, an unknown outcome, a cancellation, or a person's giving up stops further launches;
 * what is running is drained, then the undos run newest first, whatever else happens. A failure under
 * `hold` stops what builds on it, and the run waits for a person when nothing else is left to do.
 */
export async function runPlan(run: RunInput, ports: RunPorts): Promise<RunOutcome> {
  const { controls } = run
  const stage = createStage(run)
  let bug: { readonly cause: unknown } | undefined
  let cancelled = false
  let dirty = false
  let waiting = false
  const launch = (step: SkeletonStep): void => {
    ports.dispatch(step, stage.begin(step)).then(
      (result) => {
        stage.end(step, result)
        dirty = true
      },
      (cause: unknown) => {
        bug ??= { cause }
        dirty = true
      },
    )
  }
  for (;;) {
    cancelled ||= ports.cancelled()
    for (const order of controls.orders.splice(0)) obey(stage, order)
    while (!cancelled && stage.mayLaunch()) launch(stage.next())
    const over = cancelled || stage.stopped()
    controls.held = over ? new Set() : stage.held()
    const waits = !over && stage.running() === 0 && stage.held().size > 0
    if (waits !== waiting) ports.onHeld(waits)
    waiting = waits
    if (stage.running() === 0 && !waits) break
    dirty = false
    const changed = () => ports.until(() => dirty || controls.orders.length > 0)
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
  if (verdict.status !== 'completed') await ports.shielded(() => compensate(stage, run, ports))
  return { ...verdict, sources: stage.sources() }
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

/** One after the other, and every one of them: an undo that fails is reported, never swallowed. */
async function compensate(stage: Stage, run: RunInput, ports: RunPorts): Promise<void> {
  const worst = new Map<string, StepOutcome>()
  for (const { step, input } of stage.undos()) {
    note(run.progress, step.id, { undo: 'running' })
    const { outcome, code } = await ports.dispatch(step, input)
    const before = worst.get(step.id)
    const undo = before === undefined || gravity[outcome] > gravity[before] ? outcome : before
    worst.set(step.id, undo)
    const undoCode = undo === outcome && code !== undefined ? { undoCode: code } : {}
    note(run.progress, step.id, { undo, ...undoCode })
  }
}

/** Of several undos of one step the one that most needs a person is told. */
const gravity: Readonly<Record<StepOutcome, number>> = {
  pending: 0,
  running: 0,
  skipped: 0,
  settled: 1,
  'already-settled': 1,
  failed: 2,
  denied: 2,
  unknown: 3,
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
