// May this decision of a person's be taken up now? What the notary has recorded is its own to judge;
// here it is asked only whether the run is where the decision makes sense. Synchronous, and every
// refusal is an ApplicationFailure, because an update's validator must throw nothing else.

import { ApplicationFailure } from '@temporalio/workflow'
import type { ApproveInput, ResolveInput, RetryInput, StepOutcome } from './contract.ts'
import type { Progress } from './progress.ts'

interface Now {
  readonly progress: Progress
  readonly held: ReadonlySet<string>
  /** What an iteration of a loop has come to, if there is such an iteration. */
  iteration(step: string, iteration: number): StepOutcome | undefined
}

export type DecisionRefusal =
  | 'NOT_HELD'
  | 'UNKNOWN_STEP'
  | 'UNRESOLVED'
  | 'STEP_RUNNING'
  | 'MALFORMED'

/** @throws ApplicationFailure whose type is a DecisionRefusal */
export function refuseRetry(
  { step, reruns }: RetryInput,
  { progress, held }: Pick<Now, 'progress' | 'held'>,
): void {
  const names = [step, ...reruns.map((one) => one.step)]
  if (names.some((name) => !progress.has(name))) refuse('UNKNOWN_STEP', 'the plan has no such step')
  if (held.size === 0) refuse('NOT_HELD', 'nothing holds the run')
  const outcome = progress.get(step)?.outcome
  if (outcome === 'unknown') refuse('UNRESOLVED', 'whether it happened must be answered first')
  if (outcome !== 'failed' && outcome !== 'denied') refuse('NOT_HELD', 'the step did not fail')
  if (names.some((name) => progress.get(name)?.outcome === 'running')) {
    refuse('STEP_RUNNING', 'what builds on the step is running')
  }
}

/** @throws ApplicationFailure whose type is a DecisionRefusal */
export function refuseResolve({ step, iteration }: ResolveInput, now: Now): void {
  const { progress, held } = now
  const summary = progress.get(step)
  if (summary === undefined) refuse('UNKNOWN_STEP', 'the plan has no such step')
  if (!held.has(step)) refuse('NOT_HELD', 'the step does not hold the run')
  if (summary.loop === undefined) {
    if (summary.outcome !== 'unknown') refuse('NOT_HELD', 'its outcome is known')
    return
  }
  const outcome = iteration === undefined ? undefined : now.iteration(step, iteration)
  if (outcome === undefined) refuse('UNKNOWN_STEP', 'the step is a loop without that iteration')
  if (outcome !== 'unknown') refuse('NOT_HELD', 'its outcome is known')
}

/** @throws ApplicationFailure whose type is a DecisionRefusal */
export function refuseGiveUp({ held }: Pick<Now, 'held'>): void {
  if (held.size === 0) refuse('NOT_HELD', 'nothing holds the run')
}

/** As many as are decided at once. */
const maxApprovals = 500

/**
 * An approval that this run does not wait for is taken too: it may be about to hear of the question.
 * @throws ApplicationFailure whose type is a DecisionRefusal
 */
export function refuseApprove(given: Partial<ApproveInput> | null | undefined): void {
  const approvals = given?.approvals
  const isList = Array.isArray(approvals) && approvals.length <= maxApprovals
  if (isList && approvals.every((id) => typeof id === 'string' && id.length <= 40)) return
  refuse('MALFORMED', 'a list of approvals is wanted')
}

function refuse(type: DecisionRefusal, message: string): never {
  throw ApplicationFailure.nonRetryable(message, type)
}
