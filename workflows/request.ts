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
  defineUpdate,
  isCancellation,
  patched,
  proxyActivities,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow'
import type { PlanSkeleton, SkeletonStep } from '../plan/schema.ts'
import {
  finalFailureTypes,
  giveUpUpdate,
  type NamedActivities,
  type RequestInput,
  type ResolveInput,
  type RetryInput,
  type RunResult,
  type RunState,
  resolveUpdate,
  retryUpdate,
  type StepInput,
  type StepResult,
  stateQuery,
} from './contract.ts'
import { refuseGiveUp, refuseResolve, refuseRetry } from './decisions.ts'
import {
  type Controls,
  createControls,
  createProgress,
  type Progress,
  type RunPorts,
  runPlan,
} from './run-plan.ts'
import { toFailedResult, toFailureCode, wasCutOff } from './step-failure.ts'

const statusKey = defineSearchAttributeKey('BulkheadStatus', 'KEYWORD')
const state = defineQuery<RunState>(stateQuery)
const retry = defineUpdate<void, [RetryInput]>(retryUpdate)
const resolve = defineUpdate<void, [ResolveInput]>(resolveUpdate)
const giveUp = defineUpdate<void, []>(giveUpUpdate)
/** What plan/compile.ts lets through; anything else is a bug that must not reach the server. */
const activityType = /^[a-z][a-z0-9-]{0,39}\.[a-z][a-z0-9_-]{0,39}$/

/**
 * What one attempt may take beyond the command itself: two cold starts of the agent (a minute each),
 * and on the last attempt the wait until every token of the effect has expired (47 s).
 */
const attemptSlackMs = 180_000
/** Attempts that a crash of the worker may burn without counting as attempts at the command. */
const crashAttempts = 3
const retryPolicy = {
  initialInterval: 500,
  backoffCoefficient: 2,
  maximumInterval: 10_000,
  nonRetryableErrorTypes: [...finalFailureTypes],
}
const named: NamedActivities = proxyActivities<NamedActivities>({
  startToCloseTimeout: 60_000,
  scheduleToCloseTimeout: 300_000,
  retry: { ...retryPolicy, maximumAttempts: 8 },
})

/** Carries one registered request from its plan to its answer. */
export async function request(input: RequestInput): Promise<RunResult> {
  let progress: Progress = new Map()
  const controls = createControls()
  // Runs of before this change drain what is out by themselves, and are replayed so.
  const follows = patched('follow-what-is-out')
  let current: Pick<RunState, 'status' | 'code'> = { status: 'running' }
  setHandler(state, () => ({ ...current, steps: [...progress.values()] }))
  const decisions = () => ({ progress, held: controls.held })
  takeDecisions(controls, decisions)
  const setStatus = (status: RunState['status']) => {
    current = { status }
    upsertSearchAttributes([{ key: statusKey, value: status }])
  }
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
    const { sources, ...end } = await runPlan(
      { requestId, skeleton, progress, controls },
      {
        ...ports,
        dispatch: (step, given) => dispatch(step, given, follows),
        onHeld: (held) => setStatus(held ? 'held' : 'running'),
      },
    )
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

/** Validators are synchronous and throw ApplicationFailure only: anything else wedges the run. */
function takeDecisions(
  { orders }: Controls,
  now: () => { readonly progress: Progress; readonly held: ReadonlySet<string> },
): void {
  setHandler(retry, (given) => void orders.push({ kind: 'retry', retry: given }), {
    validator: (given) => refuseRetry(given, now()),
  })
  setHandler(resolve, (answer) => void orders.push({ kind: 'resolve', answer }), {
    validator: (answer) => refuseResolve(answer, now()),
  })
  setHandler(giveUp, () => void orders.push({ kind: 'give-up' }), {
    validator: () => refuseGiveUp(now()),
  })
}

const ports: Omit<RunPorts, 'dispatch' | 'onHeld'> = {
  until: (ready) => condition(ready),
  isCancellation,
  cancelled: () => CancellationScope.current().consideredCancelled,
  shielded: (work) => CancellationScope.nonCancellable(work),
}

/**
 * Runs one step, or its undo, to an outcome. A cancellation of the run reaches the activity, which
 * tells the agent; an undo is out of its reach. What was cut off on the way may have been sent: one
 * more activity finds out.
 */
async function dispatch(
  step: SkeletonStep,
  input: StepInput,
  follows: boolean,
): Promise<StepResult> {
  if (!follows || input.kind === 'undo') {
    return await CancellationScope.nonCancellable(() => execute(step, input))
  }
  try {
    return await start(step, input)
  } catch (error) {
    if (!wasCutOff(error)) return toFailedResult(error, step)
    const drain = { ...input, drain: true }
    return await CancellationScope.nonCancellable(() => execute(step, drain))
  }
}

async function execute(step: SkeletonStep, input: StepInput): Promise<StepResult> {
  try {
    return await start(step, input)
  } catch (error) {
    return toFailedResult(error, step)
  }
}

async function start(step: SkeletonStep, input: StepInput): Promise<StepResult> {
  if (!activityType.test(step.type)) throw new Error('a step type is not agent.action')
  const { rerun = 0 } = input
  const again = rerun === 0 ? '' : `~${rerun}`
  const undo = input.kind === 'undo'
  const activities = proxyActivities<Record<string, (input: StepInput) => Promise<StepResult>>>({
    ...optionsOf(step),
    activityId: `${step.id}${again}${undo ? '~undo' : ''}${input.drain === true ? '~drain' : ''}`,
    summary: undo ? `undo ${step.id}` : step.id,
  })
  const run = activities[step.type]
  if (run === undefined) throw new Error('unreachable: the proxy answers every name')
  return await run(input)
}

function optionsOf(step: PlanSkeleton['steps'][number]): ActivityOptions {
  const maximumAttempts = step.attempts + crashAttempts
  const startToCloseTimeout = step.timeoutMs + attemptSlackMs
  return {
    startToCloseTimeout,
    scheduleToCloseTimeout: maximumAttempts * (startToCloseTimeout + retryPolicy.maximumInterval),
    heartbeatTimeout: 5_000,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { ...retryPolicy, maximumAttempts },
  }
}
