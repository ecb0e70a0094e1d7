// What the workflow gets to see of a plan: ids, types, needs and bounds. No argument, no literal.

import type { CompiledPlan, CompiledStep, PlanSkeleton, SkeletonStep } from './schema.ts'

export function toSkeleton(
  plan: CompiledPlan,
  input: {
    readonly planRef: string
    readonly digest: string
    readonly laneOf: (step: CompiledStep) => SkeletonStep['lane']
    /** As the notary decided: when delayed steps may begin. */
    readonly at?: Readonly<Record<string, number>> | undefined
  },
): PlanSkeleton {
  const { at = {} } = input
  const steps = plan.steps.map((step) => ({
    id: step.id,
    type: `${step.agent}.${step.action}`,
    effect: step.effect,
    needs: step.needs,
    join: step.join,
    ...(step.forEach === undefined ? {} : { forEachMax: step.forEach.max }),
    ...(Object.hasOwn(at, step.id) ? { at: at[step.id] ?? 0 } : {}),
    onError: step.onError,
    hasWhen: step.when !== null,
    hasUndo: step.undo !== null,
    timeoutMs: step.timeoutMs,
    attempts: step.attempts,
    lane: input.laneOf(step),
  }))
  const { planRef, digest } = input
  const hasFast = steps.some(({ lane }) => lane === 'fast')
  return { planRef, digest, steps, ...(hasFast ? { ahead: true } : {}) }
}
