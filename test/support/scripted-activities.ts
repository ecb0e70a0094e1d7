// Activities that do nothing but follow a script: for tests and kept histories of the workflow alone.

import { ApplicationFailure, Context } from '@temporalio/activity'
import type { SkeletonStep } from '../../plan/schema.ts'
import type { Activities } from '../../temporal/activities.ts'
import type { StepInput, StepResult } from '../../workflows/contract.ts'

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

export interface ScriptedCall {
  /** `read`, `write~undo`, `write~1` for a rerun, `write~drain`. */
  readonly name: string
  readonly attempt: number
}

/** `script` gives what differs from a settled result; it may throw `retryable()`. */
export function scriptActivities(
  steps: readonly SkeletonStep[],
  script: (call: ScriptedCall) => Promise<Partial<StepResult>> = async () => ({}),
): Activities & { readonly calls: string[] } {
  const calls: string[] = []
  return {
    calls,
    compilePlan: async () => ({
      status: 'ADMITTED',
      skeleton: { planRef: 'plan-ref', digest: 'plan-digest', steps },
    }),
    composeAnswer: async ({ sources }) => ({ answerRef: `answer-of-${sources.length}` }),
    async default(input: StepInput) {
      const again = input.rerun === undefined ? '' : `~${input.rerun}`
      const suffix = input.kind === 'undo' ? '~undo' : input.drain === true ? '~drain' : ''
      const name = `${input.step}${again}${suffix}`
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
    },
  }
}

export function retryable(type: string): ApplicationFailure {
  const failure = ApplicationFailure.create({ type, message: 'scripted' })
  // Kept histories carry no paths of the machine that recorded them.
  failure.stack = ''
  return failure
}
