// What the outcome of a step, or of one iteration of a loop, means for the run: go on, wait for a
// person, or turn around. Pure, and the same for steps and iterations.

import type { SkeletonStep } from '../plan/schema.ts'
import type { StepOutcome } from './contract.ts'

/** Codes of a refusal that only follows from the run being stopped. */
export function isStopping(code: string | undefined): boolean {
  return code === 'RUN_ABORTING' || code === 'REQUEST_CANCELLED'
}

/** `continue` forgives what certainly failed; nobody can go on from an unknown outcome. */
export function consequenceOf(
  { onError }: Pick<SkeletonStep, 'onError'>,
  outcome: StepOutcome,
  code: string | undefined,
): 'pass' | 'hold' | 'abort' {
  switch (outcome) {
    case 'pending':
    case 'running':
    case 'waiting':
      throw new Error('a step ended without an outcome')
    case 'settled':
    case 'already-settled':
    case 'skipped':
      return 'pass'
    case 'unknown':
      return onError === 'hold' ? 'hold' : 'abort'
    case 'failed':
    case 'denied':
      if (onError === 'continue') return 'pass'
      return onError === 'hold' && !isStopping(code) ? 'hold' : 'abort'
  }
}

/** Whether a step that has come to this is why a run did not complete. */
export function isFailing(
  { onError }: Pick<SkeletonStep, 'onError'>,
  outcome: StepOutcome,
): boolean {
  if (outcome === 'unknown') return true
  return (outcome === 'failed' || outcome === 'denied') && onError !== 'continue'
}

/** Of several outcomes the one that most needs a person is told. */
export const gravity: Readonly<Record<StepOutcome, number>> = {
  pending: 0,
  running: 0,
  waiting: 0,
  skipped: 0,
  settled: 1,
  'already-settled': 1,
  failed: 2,
  denied: 2,
  unknown: 3,
}
