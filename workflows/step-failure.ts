// What a step has come to when its activity gave no outcome: attempts used up, timed out, or failed
// for good. The notary has then settled nothing, so an effect cannot be excluded: a step that may
// have one is `unknown`, never `failed`. Branches on the failure's `type`, never on its message.

import {
  ActivityFailure,
  ApplicationFailure,
  isCancellation,
  TimeoutFailure,
} from '@temporalio/workflow'
import type { Effect } from '../plan/effect.ts'
import { finalFailureTypes, type StepResult } from './contract.ts'

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

/**
 * Whether an activity ended without having said what became of its command: cancelled between two
 * attempts, out of time, or out of attempts. A final failure would only be repeated.
 */
export function wasCutOff(error: unknown): boolean {
  if (isCancellation(error)) return true
  if (!(error instanceof ActivityFailure)) return false
  const { cause } = error
  if (cause instanceof TimeoutFailure) return true
  return (
    cause instanceof ApplicationFailure && !finalFailureTypes.some((type) => type === cause.type)
  )
}
