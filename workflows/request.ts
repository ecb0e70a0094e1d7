// The `request` workflow: wires the fixed interpreter to the SDK and holds no logic of its own. The
// plan is data that an activity has compiled and the notary has admitted; what it names is compared
// with a pattern and handed to Temporal as an activity type, never used to look anything up here.
// Must not import Node, zod or anything that reads content.

import { defineSearchAttributeKey } from '@temporalio/common'
import {
  ActivityCancellationType,
  type ActivityOptions,
  CancellationScope,
  condition,
  defineQuery,
  isCancellation,
  proxyActivities,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow'
import type { PlanSkeleton, SkeletonStep } from '../plan/schema.ts'
import {
  finalFailureTypes,
  type NamedActivities,
  type RequestInput,
  type RunResult,
  type RunState,
  type StepInput,
  type StepResult,
  stateQuery,
} from './contract.ts'
import { createProgress, type Progress, type RunPorts, runPlan } from './run-plan.ts'
import { toFailedResult, toFailureCode } from './step-failure.ts'

const statusKey = defineSearchAttributeKey('BulkheadStatus', 'KEYWORD')
const state = defineQuery<RunState>(stateQuery)
/** What plan/compile.ts lets through; anything else is a bug that must not reach the server. */
const activityType = /^[a-z][a-z0-9-]{0,39}\.[a-z][a-z0-9_-]{0,39}$/

/**
 * What one attempt may take beyond the command itself: two cold starts of the agent (a minute each),
 * and on the last attempt the wait until every token of the effect has expired (47 s).
 */
const attemptSlackMs = 180_000
/** Attempts that a crash of the worker may burn without counting as attempts at the command. */
const crashAttempts = 3
const retry = {
  initialInterval: 500,
  backoffCoefficient: 2,
  maximumInterval: 10_000,
  nonRetryableErrorTypes: [...finalFailureTypes],
}
const named: NamedActivities = proxyActivities<NamedActivities>({
  startToCloseTimeout: 60_000,
  scheduleToCloseTimeout: 300_000,
  retry: { ...retry, maximumAttempts: 8 },
})

/** Carries one registered request from its plan to its answer. */
export async function request(input: RequestInput): Promise<RunResult> {
  let progress: Progress = new Map()
  let current: Pick<RunState, 'status' | 'code'> = { status: 'running' }
  setHandler(state, () => ({ ...current, steps: [...progress.values()] }))
  const finish = (end: Pick<RunState, 'status' | 'code'>, answerRef: string | null): RunResult => {
    current = end
    upsertSearchAttributes([{ key: statusKey, value: end.status }])
    return { ...end, steps: [...progress.values()], answerRef }
  }
  try {
    const compiled = await named.compilePlan(input)
    if (compiled.status !== 'ADMITTED') {
      const status = compiled.status === 'DENIED' ? 'denied' : 'failed'
      return finish({ status, code: compiled.code }, null)
    }
    const { skeleton } = compiled
    progress = createProgress(skeleton)
    const { requestId } = input
    const { sources, ...end } = await runPlan({ requestId, skeleton, progress }, ports)
    // A run that did all it was asked gets its answer even if it is cancelled at the last moment.
    const answer =
      end.status === 'completed'
        ? await CancellationScope.nonCancellable(() =>
            named.composeAnswer({ requestId, planRef: skeleton.planRef, sources }),
          )
        : null
    return finish(end, answer?.answerRef ?? null)
  } catch (error) {
    if (isCancellation(error)) return finish({ status: 'cancelled' }, null)
    return finish({ status: 'failed', code: toFailureCode(error) }, null)
  }
}

const ports: RunPorts = {
  dispatch: (step, input) => CancellationScope.nonCancellable(() => dispatch(step, input)),
  until: (ready) => condition(ready),
  isCancellation,
  cancelled: () => CancellationScope.current().consideredCancelled,
  shielded: (work) => CancellationScope.nonCancellable(work),
}

async function dispatch(step: SkeletonStep, input: StepInput): Promise<StepResult> {
  const undo = input.kind === 'undo'
  if (!activityType.test(step.type)) throw new Error('a step type is not agent.action')
  const activities = proxyActivities<Record<string, (input: StepInput) => Promise<StepResult>>>({
    ...optionsOf(step),
    activityId: undo ? `${step.id}~undo` : step.id,
    summary: undo ? `undo ${step.id}` : step.id,
  })
  const run = activities[step.type]
  if (run === undefined) throw new Error('unreachable: the proxy answers every name')
  try {
    return await run(input)
  } catch (error) {
    return toFailedResult(error, step)
  }
}

function optionsOf(step: PlanSkeleton['steps'][number]): ActivityOptions {
  const maximumAttempts = step.attempts + crashAttempts
  const startToCloseTimeout = step.timeoutMs + attemptSlackMs
  return {
    startToCloseTimeout,
    scheduleToCloseTimeout: maximumAttempts * (startToCloseTimeout + retry.maximumInterval),
    heartbeatTimeout: 5_000,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { ...retry, maximumAttempts },
  }
}
