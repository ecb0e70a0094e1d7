// What each step of a run has come to, in plan order: kept while the run goes on, and read by the
// `state` query. Small whatever the run does: a loop is counts and its first few failures.

import type { PlanSkeleton } from '../plan/schema.ts'
import {
  type FailedIteration,
  type StepOutcome,
  type StepResult,
  type StepSummary,
  stepOutcomes,
  type Tally,
} from './contract.ts'

export type Progress = Map<string, StepSummary>

/** Enough to see what is wrong, few enough for a screen; the others are counted. */
const shownFailures = 10

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
        ...(step.at === undefined ? {} : { at: step.at }),
      },
    ]),
  )
}

export function summarise(result: StepResult, rerun: number): Partial<StepSummary> {
  return {
    outcome: result.outcome,
    ...(result.code === undefined ? {} : { code: result.code }),
    attempts: result.attempts,
    durationMs: result.durationMs,
    ...(rerun === 0 ? {} : { rerun }),
    ...(result.lane === undefined ? {} : { lane: result.lane }),
    ...(result.approvals === undefined ? {} : { approvals: result.approvals }),
  }
}

/** `forget`: what was true before and no longer is. */
export function note(
  progress: Progress,
  id: string,
  change: Partial<StepSummary>,
  forget: readonly ('code' | 'lane' | 'loop' | 'approvals')[] = [],
): void {
  const summary = progress.get(id)
  if (summary === undefined) return
  const { code, lane, loop, approvals, ...rest } = summary
  progress.set(id, {
    ...rest,
    ...(forget.includes('code') || code === undefined ? {} : { code }),
    ...(forget.includes('lane') || lane === undefined ? {} : { lane }),
    ...(forget.includes('loop') || loop === undefined ? {} : { loop }),
    ...(forget.includes('approvals') || approvals === undefined ? {} : { approvals }),
    ...change,
  })
}

/** `outcomes` of iterations, those that were never begun left out. */
export function tallyOf(
  outcomes: readonly StepOutcome[],
  failed: readonly FailedIteration[],
): Tally {
  const counts: Partial<Record<StepOutcome, number>> = {}
  for (const outcome of outcomes) {
    if (outcome !== 'pending') counts[outcome] = (counts[outcome] ?? 0) + 1
  }
  return { outcomes: counts, failed: firstOf(failed) }
}

/** Both together. */
export function mergeTallies(one: Tally | undefined, other: Tally): Tally {
  if (one === undefined) return other
  const outcomes: Partial<Record<StepOutcome, number>> = { ...one.outcomes }
  for (const outcome of stepOutcomes) {
    const more = other.outcomes[outcome]
    if (more !== undefined) outcomes[outcome] = (outcomes[outcome] ?? 0) + more
  }
  return { outcomes, failed: firstOf([...one.failed, ...other.failed]) }
}

/** Those that need an answer come first. */
function firstOf(failed: readonly FailedIteration[]): readonly FailedIteration[] {
  const rank = ({ outcome }: FailedIteration) => (outcome === 'unknown' ? 0 : 1)
  return failed
    .toSorted((one, other) => rank(one) - rank(other) || one.iteration - other.iteration)
    .slice(0, shownFailures)
}
