// May this decision of a person's be taken up now? What the notary has recorded is its own to judge;
// here it is asked only whether the run is where the decision makes sense. Synchronous, and every
// refusal is an ApplicationFailure, because an update's validator must throw nothing else.

import { ApplicationFailure } from '@temporalio/workflow'
import type { ResolveInput, RetryInput } from './contract.ts'
import type { Progress } from './stage.ts'

interface Now {
  readonly progress: Progress
  readonly held: ReadonlySet<string>
}

export type DecisionRefusal = 'NOT_HELD' | 'UNKNOWN_STEP' | 'UNRESOLVED' | 'STEP_RUNNING'

/** @throws ApplicationFailure whose type is a DecisionRefusal */
export function refuseRetry({ step, reruns }: RetryInput, { progress, held }: Now): void {
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
export function refuseResolve({ step }: ResolveInput, { progress, held }: Now): void {
  if (!progress.has(step)) refuse('UNKNOWN_STEP', 'the plan has no such step')
  if (!held.has(step)) refuse('NOT_HELD', 'the step does not hold the run')
  if (progress.get(step)?.outcome !== 'unknown') refuse('NOT_HELD', 'its outcome is known')
}

/** @throws ApplicationFailure whose type is a DecisionRefusal */
export function refuseGiveUp({ held }: Now): void {
  if (held.size === 0) refuse('NOT_HELD', 'nothing holds the run')
}

function refuse(type: DecisionRefusal, message: string): never {
  throw ApplicationFailure.nonRetryable(message, type)
}
