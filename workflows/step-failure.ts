// What a step has come to when its activity gave no outcome: attempts used up, timed out, or failed
// for good. The notary has then settled nothing, so an effect cannot be excluded: a step that may
// have one is `unknown`, never `failed`. Branches on the failure's `type`, never on its message.

import { ActivityFailure, ApplicationFailure, TimeoutFailure } from '@temporalio/workflow'
import type { Effect } from '../plan/effect.ts'
import type { StepResult } from './contract.ts'

/** The result of a step whose activity failed. Throws as `toFailureCode` does. */
export function toFailedResult(error: unknown, step: { readonly effect: Effect }): StepResult {
  return {
    outcome: step.effect === 'read' ? 'failed' : 'unknown',
    code: toFailureCode(error),
    resultRef: null,
    attempts: 0,
    durationMs: 0,
  }
}

/** @throws the error itself when it is no activity's failure: a bug, which must stay visible. */
export function toFailureCode(error: unknown): string {
  if (!(error instanceof ActivityFailure)) throw error
  const { cause } = error
  if (cause instanceof TimeoutFailure) return 'TIMEOUT'
  if (cause instanceof ApplicationFailure) return cause.type ?? 'INTERNAL'
  return 'INTERNAL'
}
