// What runs again when a person has a step tried once more: the step itself, of a loop the iterations
// that failed, and everything that was built on what it came to. A loop that was built on it may have
// another list now, and begins with that. Each rerun is an effect of its own; nothing that was is
// changed. Nothing runs again whose outcome nobody knows, or that can still happen.

import { limits } from '../plan/limits.ts'
import type { CompiledStep } from '../plan/schema.ts'
import type { NotaryContext, Refusal } from './context.ts'
import { wholeLoop } from './loop-state.ts'
import type { RegisteredPlan } from './plan-cache.ts'
import { presentEffect } from './producers.ts'
import type { EffectRecord, RequestRecord } from './state.ts'
import type { Writer } from './store.ts'
import { canStillBegin } from './tokens-alive.ts'

export interface RerunJob {
  readonly context: NotaryContext
  readonly writer: Writer
  readonly request: RequestRecord
  readonly registered: RegisteredPlan
}

/** A step, one iteration of a loop, or a loop from its list on (`wholeLoop`). */
interface Unit {
  readonly step: string
  readonly iteration: number
}

/** Without an iteration a step, or a loop as a whole. */
export interface Rerun {
  readonly step: string
  readonly iteration?: number
  readonly rerun: number
}

export type Reruns =
  | { readonly refusal: Refusal }
  /** `decided`: before, and not begun since. */
  | { readonly reruns: readonly Rerun[]; readonly decided: boolean }

export function decideRerun(job: RerunJob, step: CompiledStep): Reruns {
  const { steps } = job.registered.plan
  const found = descendantsOf(step.id, steps)
  const after = steps.filter(({ id }) => id !== step.id && found.has(id))
  const waiting = [step, ...after].flatMap((one) => waitingUnits(job, one))
  const ours = waiting.filter((unit) => unit.step === step.id)
  const failed = failedUnits(job, step)
  if (ours.length > 0 && failed.length === 0) {
    return { reruns: toReruns(job, waiting), decided: true }
  }
  if (failed.length === 0) return notHeld(`step ${step.id} did not fail`)
  const again = [...failed, ...after.flatMap((one) => begunUnits(job, one))]
  for (const unit of again) {
    const refusal = rerunRefusal(job, unit, unit.step === step.id)
    if (refusal !== undefined) return { refusal }
    if (nextRerun(job, unit) > limits.reruns) {
      return { refusal: { code: 'LIMIT', message: `step ${unit.step} ran too often` } }
    }
  }
  for (const unit of again) {
    job.writer.state.putRerun(job.request.id, unit.step, unit.iteration, nextRerun(job, unit))
  }
  return { reruns: toReruns(job, [...again, ...ours]), decided: false }
}

/** Every step that builds on `id`, near or far, and the step itself. */
function descendantsOf(id: string, steps: readonly CompiledStep[]): ReadonlySet<string> {
  const found = new Set([id])
  // A plan's order need not be that of its needs: until nothing is added any more.
  for (let before = 0; before < found.size; ) {
    before = found.size
    for (const step of steps) if (step.needs.some((need) => found.has(need))) found.add(step.id)
  }
  return found
}

/** What of the step a person can mean: it, or of a loop whatever did not come to a good end. */
function failedUnits(job: RerunJob, step: CompiledStep): readonly Unit[] {
  if (step.forEach === undefined) {
    const whole = { step: step.id, iteration: 0 }
    return isWaiting(job, whole) ? [] : [whole]
  }
  const loop = job.writer.state.presentLoop(job.request.id, step.id)
  if (loop === undefined) return []
  if (loop.outcome !== null) return [{ step: step.id, iteration: wholeLoop }]
  return presentIterations(job, step.id)
    .filter(({ outcome }) => outcome === 'failed' || outcome === 'denied' || outcome === 'unknown')
    .map(({ iteration }) => ({ step: step.id, iteration }))
}

/** What of a step was begun on results that are about to be others. */
function begunUnits({ writer: { state }, request }: RerunJob, step: CompiledStep): Unit[] {
  if (step.forEach !== undefined) {
    const isExpanded = state.presentLoop(request.id, step.id) !== undefined
    return isExpanded ? [{ step: step.id, iteration: wholeLoop }] : []
  }
  const isBegun = presentEffect({ state, request: request.id }, step.id) !== undefined
  return isBegun ? [{ step: step.id, iteration: 0 }] : []
}

/** Decided before, and not begun since. */
function waitingUnits(job: RerunJob, step: CompiledStep): readonly Unit[] {
  const { state } = job.writer
  const whole = { step: step.id, iteration: step.forEach === undefined ? 0 : wholeLoop }
  if (isWaiting(job, whole)) return [whole]
  if (step.forEach === undefined) return []
  // Of a loop that is to begin anew its iterations are not decided on, each for itself.
  return state
    .rerunIterations(job.request.id, step.id)
    .map((iteration) => ({ step: step.id, iteration }))
    .filter((unit) => isWaiting(job, unit))
}

function isWaiting({ writer: { state }, request }: RerunJob, { step, iteration }: Unit): boolean {
  const rerun = state.rerunOf(request.id, step, iteration)
  const loop = state.presentLoop(request.id, step)
  if (iteration === wholeLoop) return rerun > 0 && loop === undefined
  if (rerun === (loop?.rerun ?? 0)) return false
  return presentEffect({ state, request: request.id }, step, iteration) === undefined
}

function presentIterations(job: RerunJob, step: string): readonly EffectRecord[] {
  const { state } = job.writer
  const loop = state.presentLoop(job.request.id, step)
  return Array.from({ length: loop?.count ?? 0 }, (_, iteration) => iteration).flatMap(
    (iteration) => presentEffect({ state, request: job.request.id }, step, iteration) ?? [],
  )
}

function rerunRefusal(job: RerunJob, unit: Unit, isCause: boolean): Refusal | undefined {
  const { state, now } = job.writer
  const { step: id, iteration } = unit
  const isWhole = iteration === wholeLoop
  const effects = isWhole
    ? presentIterations(job, id)
    : [presentEffect({ state, request: job.request.id }, id, iteration)]
  for (const effect of effects) {
    if (effect === undefined || effect.outcome === null) {
      return { code: 'NOT_HELD', message: `step ${id} has not come to an end` }
    }
    if (effect.outcome === 'unknown') {
      return { code: 'UNRESOLVED', message: `whether step ${id} happened must be answered first` }
    }
    if (isCause && effect.outcome !== 'failed' && effect.outcome !== 'denied') {
      return { code: 'NOT_HELD', message: `step ${id} did not fail` }
    }
    // The old effect must be over before there may be another one.
    if (canStillBegin(effect, { catalogue: job.context.catalogue, state, now })) {
      return {
        code: 'TOKENS_ALIVE',
        message: `step ${id} can still happen: a token of it is alive`,
      }
    }
  }
  const loop = isWhole && isCause ? state.presentLoop(job.request.id, id) : undefined
  return loop?.outcome === 'skipped' ? notHeld(`step ${id} did not fail`).refusal : undefined
}

/** One more than any before: of a loop as a whole, than any of its iterations. */
function nextRerun({ writer: { state }, request }: RerunJob, { step, iteration }: Unit): number {
  return iteration === wholeLoop
    ? state.lastRerunOf(request.id, step) + 1
    : state.rerunOf(request.id, step, iteration) + 1
}

function toReruns({ writer, request, registered }: RerunJob, units: readonly Unit[]): Rerun[] {
  return units.map(({ step, iteration }) => {
    const rerun = writer.state.rerunOf(request.id, step, iteration)
    const isIteration = registered.steps.get(step)?.forEach !== undefined && iteration >= 0
    return { step, ...(isIteration ? { iteration } : {}), rerun }
  })
}

function notHeld(message: string): { readonly refusal: Refusal } {
  return { refusal: { code: 'NOT_HELD', message } }
}
