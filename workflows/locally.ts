// Local activities, wired to the SDK: one attempt inside the workflow task, and no word of failure.
// Whatever does not come to its end there is done again as an activity of its own, so that what is
// executed here must be harmless when it is repeated.

import { CancellationScope, TemporalFailure, workflowInfo } from '@temporalio/workflow'
import { createFastLane, type FastLane, localAttemptMs } from './fast-lane.ts'

const endMs = localAttemptMs - 500
/** Of several steps in one: what has come of some is told although another has come to no end. */
export const tellWithinMs = endMs - 500

export const localOptions = {
  startToCloseTimeout: endMs,
  scheduleToCloseTimeout: localAttemptMs,
  retry: { maximumAttempts: 1 },
}

/** Of one workflow run, made when it begins. */
export function createRunLane(): FastLane {
  return createFastLane({ task: () => workflowInfo().historyLength, now: () => Date.now() })
}

/**
 * Undefined when it came to no end. It is over within seconds, so that a cancellation waits for it.
 * @param work calls one local activity with `localOptions`
 */
export async function tryLocally<T>(
  lane: FastLane,
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await lane.local(() => CancellationScope.nonCancellable(work))
  } catch (error) {
    // Of a local activity it may be the cause itself, without an ActivityFailure around it.
    if (!(error instanceof TemporalFailure)) throw error
    return undefined
  }
}
