// Activities that do nothing but follow a script: for tests and kept histories of the workflow alone.

import { ApplicationFailure, Context } from '@temporalio/activity'
import { carryOn } from '../../activities/carry-on.ts'
import type { SkeletonStep } from '../../plan/schema.ts'
import { type Activities, withEnd } from '../../temporal/activities.ts'
import type {
  CompileOutcome,
  LoopActivities,
  StepInput,
  StepResult,
  WaveMember,
} from '../../workflows/contract.ts'
import type { Held } from './held.ts'

export function scriptedStep(id: string, more: Partial<SkeletonStep> = {}): SkeletonStep {
  return {
    id,
    type: 'calendar.list',
    effect: 'read',
    needs: [],
    join: 'all',
    onError: 'abort',
    hasWhen: false,
    hasUndo: false,
    timeoutMs: 2_000,
    attempts: 2,
    lane: 'regular',
    ...more,
  }
}

/** A step that writes and can be undone. */
export const write = { type: 'notes.append', effect: 'write', hasUndo: true } as const

/** What a script gives for a step that failed for good, and for one of which nobody knows. */
export const failing = { outcome: 'failed', code: 'UNAVAILABLE', resultRef: null } as const
export const unknown = { outcome: 'unknown', resultRef: null } as const

/** Of a plan or a step that a person decides on first; what `plan` and a script may give. */
export const asksPlan = (id: string): CompileOutcome => ({
  status: 'WAITING',
  approval: { id, expiresAt: Date.now() + 86_400_000 },
})
export const asksStep = (id: string): Partial<StepResult> => ({
  outcome: 'waiting',
  resultRef: null,
  approvals: [{ id, expiresAt: Date.now() + 86_400_000 }],
})

export interface ScriptedCall {
  /** `read`, `write~undo`, `write~1` for a rerun, `write~drain`; of a loop `write:3`. */
  readonly name: string
  readonly attempt: number
}

/**
 * `script` gives what differs from a settled result; it may throw `retryable()`. `lists`: how many
 * items the list of each loop has. `plan`: what the plan comes to; undefined: it is admitted.
 */
export function scriptActivities(
  steps: readonly SkeletonStep[],
  script: (call: ScriptedCall) => Promise<Partial<StepResult>> = async () => ({}),
  lists: Readonly<Record<string, number>> = {},
  plan: () => CompileOutcome | undefined = () => undefined,
): Activities & LoopActivities & { readonly calls: string[] } {
  const calls: string[] = []
  const hasFastLane = steps.some(({ lane }) => lane === 'fast')
  const refuseLocal = () => {
    if (Context.current().info.isLocal && !hasFastLane) throw retryable('UNFINISHED')
  }
  const step = async (input: StepInput): Promise<StepResult> => {
    const again = input.rerun === undefined ? '' : `~${input.rerun}`
    const suffix = input.kind === 'undo' ? '~undo' : input.drain === true ? '~drain' : ''
    const nth = lists[input.step] === undefined ? '' : `:${input.iteration}`
    const tried = input.tried === true ? '~tried' : ''
    const name = `${input.step}${nth}${again}${suffix}${tried}`
    const { attempt } = Context.current().info
    calls.push(name)
    const result = await script({ name, attempt })
    return {
      outcome: 'settled',
      resultRef: `ref-${name}`,
      attempts: attempt,
      durationMs: 1,
      ...result,
    }
  }
  const fastStep = ({ input }: WaveMember) => step(input).catch(endOf)
  return {
    calls,
    async compilePlan() {
      refuseLocal()
      const ahead = hasFastLane ? ({ ahead: true } as const) : {}
      const skeleton = { planRef: 'plan-ref', digest: 'plan-digest', steps, ...ahead }
      return plan() ?? { status: 'ADMITTED', skeleton }
    },
    // Nothing was asked for in words: temporal-words.test.ts has activities of its own.
    proposePlan: () => Promise.reject(new Error('nobody asked in words')),
    compileProposal: () => Promise.reject(new Error('nobody asked in words')),
    expandLoop: async ({ step }) => ({ count: lists[step] ?? 0 }),
    gatherLoop: async ({ step }) => ({ resultRef: `ref-${step}` }),
    async composeAnswer({ sources }) {
      refuseLocal()
      return { answerRef: `answer-of-${sources.length}` }
    },
    dispatchWave: (members) => Promise.all(members.map(fastStep)),
    dispatchAhead: (call) =>
      withEnd(call.endWithinMs, (over) =>
        carryOn(call, {
          run: fastStep,
          over,
          compose: async ({ sources }) => ({ answerRef: `answer-of-${sources.length}` }),
          now: () => Date.now(),
          isLeaving: () => Context.current().cancellationSignal.aborted,
        }),
      ),
    default: step,
  }
}

/** Waits inside of a script as what is at work does: however long it takes, nobody holds it for dead. */
export async function workUntil({ until }: Held): Promise<void> {
  const context = Context.current()
  const beat = setInterval(() => context.heartbeat(), 500)
  try {
    await until
  } finally {
    clearInterval(beat)
  }
}

function endOf(cause: unknown): 'turned-away' | null {
  return cause instanceof ApplicationFailure && cause.type === 'AGENT_BUSY' ? 'turned-away' : null
}

/** `soon`: the next attempt follows at once; how many there are is the retry policy's, as ever. */
export function retryable(type: string, next?: 'soon'): ApplicationFailure {
  const message = 'scripted'
  const failure = ApplicationFailure.create(
    next === undefined ? { type, message } : { type, message, nextRetryDelay: 1 },
  )
  // Kept histories carry no paths of the machine that recorded them.
  failure.stack = ''
  return failure
}
