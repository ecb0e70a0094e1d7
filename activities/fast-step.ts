// A step that runs inside its run's workflow task, beside others: what it comes to, or nothing, and
// then a regular activity goes on with it. No failure of one is another's.

import type { WaveMember, WaveResult } from '../workflows/contract.ts'
import type { Attempt } from './attempt.ts'
import type { DispatchDeps } from './dispatch-deps.ts'
import { dispatchStep } from './dispatch-step.ts'
import { AttemptFailure } from './failure.ts'
import { toFastAttempt } from './fast-attempt.ts'
import type { NotaryCalls } from './notary-calls.ts'

/**
 * Runs one of several that go side by side.
 * @returns null for what came to no outcome, whatever the reason: its command may be out;
 *   `turned-away` where that is certain not to be so
 */
export function createFastStep(
  priority: Attempt['priority'],
  deps: DispatchDeps & {
    /** Its steps' calls may wait for each other: shared messages serve them. */
    readonly sharedNotary: NotaryCalls
    readonly onFailed: (activityType: string, cause: unknown) => void
  },
): (member: WaveMember) => Promise<WaveResult> {
  // It is over before a cancellation of the run could reach it.
  const runCancelled = new AbortController().signal
  const given = { ...deps, notary: deps.sharedNotary }
  return async ({ type: activityType, input }) => {
    const about = {
      number: 1,
      turnedAway: 0,
      scheduledAtMs: deps.now(),
      activityType,
      priority,
      runCancelled,
    }
    try {
      return await dispatchStep(input, toFastAttempt(about), given)
    } catch (cause) {
      const left = cause instanceof AttemptFailure && cause.type === 'UNFINISHED'
      if (!left) deps.onFailed(activityType, cause)
      return cause instanceof AttemptFailure && cause.isFree ? 'turned-away' : null
    }
  }
}
