// Runs a plan's steps in the order that their needs allow. One function of injected ports with no
// Temporal import, so that it is tested with fakes; workflows/request.ts wires it to the SDK.
// Deterministic: it iterates the plan's order, keeps Maps, reads no clock. Waits in one place only,
// because a condition per step is quadratic. Sees references and outcomes, never content.

import { limits } from '../plan/limits.ts'
import type { PlanSkeleton, SkeletonStep } from '../plan/schema.ts'
import type {
  RunStatus,
  SourceRef,
  StepInput,
  StepOutcome,
  StepResult,
  StepSummary,
} from './contract.ts'

export interface RunPorts {
  /**
   * Runs one step, or its undo, to an outcome. Obligation: not cut short when the run is cancelled,
   * because a command that is out cannot be called back; rejects only for a bug.
   */
  dispatch(step: SkeletonStep, input: StepInput): Promise<StepResult>
  /** Resolves when `ready()` is true; rejects with the cancellation when the run is cancelled. */
  until(ready: () => boolean): Promise<void>
  isCancellation(error: unknown): boolean
  /** Whether the run has been cancelled already. */
  cancelled(): boolean
  /** Runs `work` out of reach of the run's cancellation. */
  shielded<T>(work: () => Promise<T>): Promise<T>
}

/** What each step has come to, in plan order: read by the `state` query while the run goes on. */
export type Progress = Map<string, StepSummary>

export interface RunInput {
  readonly requestId: string
  readonly skeleton: PlanSkeleton
  readonly progress: Progress
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
 * under `abort`, any unknown outcome, or a cancellation stops further launches; what is running is
 * drained, then the undos run newest first, whatever else happens.
 */
export async function runPlan(run: RunInput, ports: RunPorts): Promise<RunOutcome> {
  const stage = createStage(run)
  let bug: { readonly cause: unknown } | undefined
  let cancelled = false
  let dirty = false
  const launch = (step: SkeletonStep): void => {
    stage.begin(step)
    ports.dispatch(step, stage.inputOf(step, 'do')).then(
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
    while (!cancelled && stage.mayLaunch()) launch(stage.next())
    if (stage.running() === 0) break
    dirty = false
    const changed = () => ports.until(() => dirty)
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

/** Ready queue and dependency counters: each step is looked at once per need, not once per wake. */
interface Stage {
  mayLaunch(): boolean
  next(): SkeletonStep
  running(): number
  begin(step: SkeletonStep): void
  end(step: SkeletonStep, result: StepResult): void
  inputOf(step: SkeletonStep, kind: 'do' | 'undo'): StepInput
  /** Steps to undo, newest first. */
  undos(): readonly SkeletonStep[]
  sources(): readonly SourceRef[]
}

function createStage({ requestId, skeleton, progress }: RunInput): Stage {
  const dependants = new Map<string, SkeletonStep[]>(skeleton.steps.map((step) => [step.id, []]))
  const missing = new Map(skeleton.steps.map((step) => [step.id, step.needs.length]))
  for (const step of skeleton.steps) {
    for (const need of step.needs) dependants.get(need)?.push(step)
  }
  const ready = skeleton.steps.filter((step) => step.needs.length === 0)
  const results = new Map<string, string | null>()
  const undo = new Map<string, SkeletonStep>()
  let head = 0
  let inFlight = 0
  let stopped = false
  const sourceOf = (step: string): SourceRef => ({
    step,
    iteration: 0,
    ref: results.get(step) ?? null,
  })
  return {
    mayLaunch: () => !stopped && head < ready.length && inFlight < limits.fanOut,
    next() {
      const step = ready[head]
      if (step === undefined) throw new Error('no step is ready')
      head += 1
      return step
    },
    running: () => inFlight,
    begin(step) {
      inFlight += 1
      // Before the step, not after it: a step that ends unknown may have had its effect.
      if (step.hasUndo) undo.set(step.id, step)
      note(progress, step.id, { outcome: 'running' })
    },
    end(step, result) {
      inFlight -= 1
      results.set(step.id, result.resultRef)
      note(progress, step.id, summarise(result))
      // Nothing else proves the absence of an effect: a refusal may follow an attempt that was sent.
      if (result.outcome === 'skipped') undo.delete(step.id)
      if (isAborting(step, result.outcome)) {
        stopped = true
        return
      }
      for (const dependant of dependants.get(step.id) ?? []) {
        const left = (missing.get(dependant.id) ?? 0) - 1
        missing.set(dependant.id, left)
        if (left === 0) ready.push(dependant)
      }
    },
    inputOf: (step, kind) => ({
      planRef: skeleton.planRef,
      digest: skeleton.digest,
      requestId,
      step: step.id,
      iteration: 0,
      kind,
      sources: (kind === 'do' ? step.needs : [...step.needs, step.id]).map(sourceOf),
      attempts: step.attempts,
    }),
    undos: () => [...undo.values()].reverse(),
    sources: () =>
      skeleton.steps.filter((step) => results.has(step.id)).map((step) => sourceOf(step.id)),
  }
}

/** One after the other, and every one of them: an undo that fails is reported, never swallowed. */
async function compensate(stage: Stage, run: RunInput, ports: RunPorts): Promise<void> {
  for (const step of stage.undos()) {
    note(run.progress, step.id, { undo: 'running' })
    const { outcome } = await ports.dispatch(step, stage.inputOf(step, 'undo'))
    note(run.progress, step.id, { undo: outcome })
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
    return summary !== undefined && isAborting(step, summary.outcome) ? [summary] : []
  })
  const stopping = (code: string | undefined) =>
    code === 'RUN_ABORTING' || code === 'REQUEST_CANCELLED'
  if (cancelled) return { status: 'cancelled' }
  const cause = ended.find(({ code }) => !stopping(code)) ?? ended[0]
  if (cause === undefined) return { status: 'completed' }
  if (stopping(cause.code)) return { status: 'cancelled', code: 'REQUEST_CANCELLED' }
  return {
    status: cause.outcome === 'denied' ? 'denied' : 'failed',
    code: cause.code ?? cause.outcome.toUpperCase(),
  }
}

/** `continue` forgives what certainly failed; nobody can go on from an unknown outcome. */
function isAborting(step: SkeletonStep, outcome: StepOutcome): boolean {
  if (outcome === 'unknown') return true
  return (outcome === 'failed' || outcome === 'denied') && step.onError === 'abort'
}

function summarise(result: StepResult): Partial<StepSummary> {
  return {
    outcome: result.outcome,
    ...(result.code === undefined ? {} : { code: result.code }),
    attempts: result.attempts,
    durationMs: result.durationMs,
  }
}

function note(progress: Progress, id: string, change: Partial<StepSummary>): void {
  const summary = progress.get(id)
  if (summary !== undefined) progress.set(id, { ...summary, ...change })
}
