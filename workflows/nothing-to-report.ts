// Whether a run that went well has anything to say: a firing that found nothing to do should not look like
// one that did something. Pure.

import type { StepSummary } from './contract.ts'
import type { Progress } from './progress.ts'

/** It changed nothing, because its guards or empty lists left nothing to do, and its answer is empty. */
export function isNothingToReport(progress: Progress, isAnswerEmpty: boolean): boolean {
  const isIdle = ({ effect, outcome, loop }: StepSummary) =>
    effect === 'read' || outcome === 'skipped' || loop?.total === 0
  return isAnswerEmpty && [...progress.values()].every(isIdle)
}
