// The activities as Temporal calls them: makes an attempt from the SDK's context, and a failure of
// the SDK's from whatever was thrown. `default` answers every type that has no name of its own,
// which are the steps; what it may do is what the admitted plan says, not what the type is called.

import { setTimeout as delay } from 'node:timers/promises'
import { Context, cancelled } from '@temporalio/activity'
import type { Attempt } from '../activities/attempt.ts'
import { compilePlan } from '../activities/compile-plan.ts'
import { composeAnswer } from '../activities/compose-answer.ts'
import type { DispatchDeps } from '../activities/dispatch-deps.ts'
import { dispatchStep } from '../activities/dispatch-step.ts'
import { toApplicationFailure } from '../activities/failure.ts'
import type { Decide } from '../plan/policy.ts'
import type { NamedActivities, StepInput, StepResult } from '../workflows/contract.ts'

export interface ActivityDeps extends DispatchDeps {
  readonly decide: Decide
  /** Told of every failed attempt; for the log, which must not repeat content. */
  readonly onFailure?: (failure: {
    readonly type: string
    readonly activity: string
    readonly cause: unknown
  }) => void
}

export interface Activities extends NamedActivities {
  default(input: StepInput): Promise<StepResult>
}

export function createActivities(deps: ActivityDeps): Activities {
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (cause) {
      const { info, cancellationSignal } = Context.current()
      // Detached, not failed: a worker that shuts down leaves the step to the next one. A run that was
      // cancelled is no reason to leave: what is out must come to its end.
      if (cancellationSignal.aborted && !runCancelled()) await cancelled()
      const failure = toApplicationFailure(cause)
      deps.onFailure?.({ type: failure.type ?? '', activity: info.activityType, cause })
      throw failure
    }
  }
  return {
    compilePlan: (input) => guarded(() => compilePlan(input, deps)),
    composeAnswer: (input) => guarded(() => composeAnswer(input, deps)),
    default: (input) => guarded(() => dispatchStep(input, currentAttempt(), deps)),
  }
}

/** Whether the server asked for it because the run was cancelled, and not this worker for itself. */
function runCancelled(): boolean {
  return Context.current().cancellationDetails?.cancelRequested === true
}

function currentAttempt(): Attempt {
  const context = Context.current()
  const { attempt, scheduledTimestampMs, activityType } = context.info
  const cancel = new AbortController()
  context.cancellationSignal.addEventListener('abort', () => {
    if (context.cancellationDetails?.cancelRequested === true) cancel.abort()
  })
  return {
    number: attempt,
    scheduledAtMs: scheduledTimestampMs,
    activityType,
    heartbeat: (progress) => context.heartbeat(progress),
    runCancelled: cancel.signal,
    async sleep(ms) {
      const { cancellationSignal: signal } = context
      const until = Date.now() + ms
      await context.sleep(cancel.signal.aborted ? 0 : ms).catch((error: unknown) => {
        if (!signal.aborted || context.cancellationDetails?.cancelRequested !== true) throw error
      })
      await delay(Math.max(0, until - Date.now()))
    },
  }
}
