// One step as an activity of its own, or on the fast lane as a local one: its type, its id, its
// time-outs, and what becomes of a command that was cut off on the way. What the interpreter calls
// `dispatch`, wired to the SDK. Which lane it takes is lane-dispatch.ts's to say.

import {
  ActivityCancellationType,
  type ActivityOptions,
  CancellationScope,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow'
import { limits } from '../plan/limits.ts'
import type { SkeletonStep } from '../plan/schema.ts'
import type { Ahead } from './ahead.ts'
import {
  finalFailureTypes,
  type StepInput,
  type StepResult,
  type WaveActivities,
  type WaveMember,
} from './contract.ts'
import type { FastLane } from './fast-lane.ts'
import { createLaneDispatch, type Dispatch, type LanePorts } from './lane-dispatch.ts'
import { localOptions, tellWithinMs, tryLocally } from './locally.ts'
import type { Launch } from './look-ahead.ts'
import { toFailedResult, wasCutOff } from './step-failure.ts'

/** What plan/compile.ts lets through; anything else is a bug that must not reach the server. */
const activityType = /^[a-z][a-z0-9-]{0,39}\.[a-z][a-z0-9_-]{0,39}$/

/**
 * What one attempt may take beyond the command itself: two cold starts of the agent (a minute each),
 * and on the last attempt the wait until every token of the effect has expired (47 s).
 */
const attemptSlackMs = 180_000
/** Attempts that a crash of the worker may burn without counting as attempts at the command. */
const crashAttempts = 3
export const retryPolicy = {
  initialInterval: 500,
  backoffCoefficient: 2,
  maximumInterval: 10_000,
  nonRetryableErrorTypes: [...finalFailureTypes],
}

/** What the server takes for a summary. */
const maxSummary = 190

/**
 * The dispatch of one workflow run. A run of before the fast lane has no step in its plan that may
 * take it. What a local attempt leaves undone, its command may be out.
 * @param follows false only for runs of before a cancellation reached the agent
 * @param ahead absent for those of before one local activity could carry on
 */
export function createDispatch(follows: boolean, lane: FastLane, ahead?: Ahead): Dispatch {
  const ports: LanePorts = {
    regular: (step, input) => lane.regular(() => dispatch(step, input, follows)),
    wave: (launches) =>
      tryLocally(lane, () => activitiesOf([launches]).dispatchWave(toMembers(launches))),
    waves: (launches, about) => {
      const call = { ...about, waves: launches.map(toMembers), endWithinMs: tellWithinMs }
      return tryLocally(lane, () => activitiesOf(launches).dispatchAhead(call))
    },
  }
  return createLaneDispatch(lane, ports, ahead)
}

function toMembers(launches: readonly Launch[]): readonly WaveMember[] {
  return launches.map(({ step: { type }, input }) => ({ type, input }))
}

function activitiesOf(launches: readonly (readonly Launch[])[]): WaveActivities {
  const ids = launches.flat().map(({ step }) => step.id)
  const summary = ids.join(', ').slice(0, maxSummary)
  return proxyLocalActivities<WaveActivities>({ ...localOptions, summary })
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
  const { rerun = 0 } = input
  const again = rerun === 0 ? '' : `~${rerun}`
  const name = step.forEachMax === undefined ? step.id : `${step.id}:${input.iteration}`
  const undo = input.kind === 'undo'
  const activities = proxyActivities<StepActivities>({
    ...optionsOf(step),
    activityId: `${name}${again}${undo ? '~undo' : ''}${input.drain === true ? '~drain' : ''}`,
    summary: undo ? `undo ${name}` : name,
  })
  return await activityOf(activities, step)(input)
}

type StepActivity = (input: StepInput) => Promise<StepResult>
type StepActivities = Record<string, StepActivity>

function activityOf(activities: StepActivities, { type }: SkeletonStep): StepActivity {
  if (!activityType.test(type)) throw new Error('a step type is not agent.action')
  const run = activities[type]
  if (run === undefined) throw new Error('unreachable: the proxy answers every name')
  return run
}

function optionsOf(step: SkeletonStep): ActivityOptions {
  const countedAttempts = step.attempts + crashAttempts
  const startToCloseTimeout = step.timeoutMs + attemptSlackMs
  return {
    startToCloseTimeout,
    scheduleToCloseTimeout: countedAttempts * (startToCloseTimeout + retryPolicy.maximumInterval),
    heartbeatTimeout: 5_000,
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    // The activity itself knows which of them count, and settles the last one that does.
    retry: { ...retryPolicy, maximumAttempts: countedAttempts + limits.turnedAway },
  }
}
