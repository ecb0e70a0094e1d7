// The activities as Temporal calls them: makes an attempt from the SDK's context, and a failure of
// the SDK's from whatever was thrown. `default` answers every type that has no name of its own,
// which are the steps; what it may do is what the admitted plan says, not what the type is called.

import { setTimeout as delay } from 'node:timers/promises'
import { Context, cancelled } from '@temporalio/activity'
import { z } from 'zod'
import type { Attempt } from '../activities/attempt.ts'
import { carryOn } from '../activities/carry-on.ts'
import { compilePlan } from '../activities/compile-plan.ts'
import { composeAnswer } from '../activities/compose-answer.ts'
import { compileConsultation } from '../activities/consult.ts'
import type { DispatchDeps } from '../activities/dispatch-deps.ts'
import { dispatchStep } from '../activities/dispatch-step.ts'
import { expandLoop } from '../activities/expand-loop.ts'
import { AttemptFailure, toApplicationFailure } from '../activities/failure.ts'
import { createFastStep } from '../activities/fast-step.ts'
import { gatherLoop } from '../activities/gather-loop.ts'
import type { NotaryCalls } from '../activities/notary-calls.ts'
import { compileProposal, type ProposeDeps, proposePlan } from '../activities/propose-plan.ts'
import type { ExecutionProgress } from '../agents/protocol.ts'
import type { Decide } from '../plan/policy.ts'
import type { KnownNames } from '../plan/principals.ts'
import type {
  LoopActivities,
  NamedActivities,
  StepInput,
  StepResult,
  WaveActivities,
} from '../workflows/contract.ts'
import type { ProposeActivities } from '../workflows/propose-contract.ts'
import { fromTaskPriority } from './priority.ts'

export interface ActivityDeps
  extends DispatchDeps,
    Pick<ProposeDeps, 'propose' | 'zone' | 'planner'> {
  /** Of the fast lane, whose steps go side by side. */
  readonly sharedNotary: NotaryCalls
  readonly decide: Decide
  readonly names?: KnownNames | undefined
  /** See CompileDeps. */
  readonly fastLane?: boolean
  /** Told of every failed attempt; for the log, which must not repeat content. */
  readonly onFailure?: (failure: {
    readonly type: string
    readonly activity: string
    readonly cause: unknown
  }) => void
}

export interface Activities
  extends NamedActivities,
    ProposeActivities,
    LoopActivities,
    WaveActivities {
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
      const type = failure.type ?? ''
      if (cause instanceof AttemptFailure && cause.isFree) noteTurnedAway()
      if (type !== 'UNFINISHED') deps.onFailure?.({ type, activity: info.activityType, cause })
      throw failure
    }
  }
  const fastStep = () =>
    createFastStep(fromTaskPriority(Context.current().info.priority), {
      ...deps,
      onFailed: (activity, cause) => {
        const type = toApplicationFailure(cause).type ?? ''
        deps.onFailure?.({ type, activity, cause })
      },
    })
  return {
    compilePlan: (input) =>
      guarded(() =>
        orLeft(deps, () => {
          const { consult } = input
          if (consult === undefined) return compilePlan(input, deps)
          return compileConsultation({ ...input, consult }, deps)
        }),
      ),
    proposePlan: (input) => guarded(() => beating(() => proposePlan(input, deps))),
    compileProposal: (input) => guarded(() => beating(() => compileProposal(input, deps))),
    composeAnswer: (input) => guarded(() => orLeft(deps, () => composeAnswer(input, deps))),
    dispatchWave: (members) => guarded(() => Promise.all(members.map(fastStep()))),
    dispatchAhead: (call) =>
      guarded(() =>
        withEnd(call.endWithinMs, (over) =>
          carryOn(call, {
            run: fastStep(),
            over,
            compose: (answer) => composeAnswer(answer, deps),
            now: deps.now,
            isLeaving: () => Context.current().cancellationSignal.aborted,
          }),
        ),
      ),
    expandLoop: (input) => guarded(() => beating(() => expandLoop(input, currentAttempt(), deps))),
    gatherLoop: (input) => guarded(() => beating(() => gatherLoop(input, deps))),
    default: (input) => guarded(() => dispatchStep(input, currentAttempt(), deps)),
  }
}

/** `work` is told when its time is over. */
export async function withEnd<T>(
  ms: number,
  work: (over: Promise<void>) => Promise<T>,
): Promise<T> {
  const done = new AbortController()
  const over = delay(ms, undefined, { signal: done.signal }).catch(() => undefined)
  try {
    return await work(over)
  } finally {
    done.abort()
  }
}

/** The workflow tries the fast lane and learns here that there is none. */
async function orLeft<T>({ fastLane }: ActivityDeps, work: () => Promise<T>): Promise<T> {
  if (!Context.current().info.isLocal) return await beating(work)
  if (fastLane !== true) throw new AttemptFailure('UNFINISHED')
  return await work()
}

const beatMs = 1_000

/** Says that the worker lives for as long as the work takes. A step says so itself, with its progress. */
async function beating<T>(work: () => Promise<T>): Promise<T> {
  const context = Context.current()
  const beat = setInterval(() => context.heartbeat(), beatMs)
  try {
    return await work()
  } finally {
    clearInterval(beat)
  }
}

/** Whether the server asked for it because the run was cancelled, and not this worker for itself. */
function runCancelled(): boolean {
  return Context.current().cancellationDetails?.cancelRequested === true
}

// What an attempt leaves to the next one lies in its heartbeat's details, the only thing of it that
// the server keeps: how far its agent was, and how many attempts have been turned away so far.

const detailsSchema = z.object({ turnedAway: z.number().int().min(0) })

function toDetails(progress: ExecutionProgress | undefined, turnedAway: number): unknown {
  return turnedAway === 0 ? progress : { ...progress, turnedAway }
}

function turnedAwayOf({ info }: Context): number {
  const details = detailsSchema.safeParse(info.heartbeatDetails)
  // Never the attempt itself, whatever is read.
  return Math.min(details.data?.turnedAway ?? 0, info.attempt - 1)
}

/** The SDK sends it before it reports the failure. */
function noteTurnedAway(): void {
  const context = Context.current()
  context.heartbeat(toDetails(undefined, turnedAwayOf(context) + 1))
}

function currentAttempt(): Attempt {
  const context = Context.current()
  const { attempt, scheduledTimestampMs, activityType, priority } = context.info
  const cancel = new AbortController()
  context.cancellationSignal.addEventListener('abort', () => {
    if (context.cancellationDetails?.cancelRequested === true) cancel.abort()
  })
  const turnedAway = turnedAwayOf(context)
  return {
    lane: 'regular',
    number: attempt - turnedAway,
    turnedAway,
    scheduledAtMs: scheduledTimestampMs,
    activityType,
    priority: fromTaskPriority(priority),
    runCancelled: cancel.signal,
    heartbeat: (progress) => context.heartbeat(toDetails(progress, turnedAway)),
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
