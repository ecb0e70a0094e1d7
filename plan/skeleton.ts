// What the workflow gets to see of a plan: ids, types, needs and bounds. No argument, no literal.

import type { CompiledPlan, PlanSkeleton } from './schema.ts'

export function toSkeleton(
  plan: CompiledPlan,
  input: { readonly planRef: string; readonly digest: string },
): PlanSkeleton {
  return {
    planRef: input.planRef,
    digest: input.digest,
    steps: plan.steps.map((step) => ({
      id: step.id,
      type: `${step.agent}.${step.action}`,
      effect: step.effect,
      needs: step.needs,
      join: step.join,
      onError: step.onError,
      hasWhen: step.when !== null,
      hasUndo: step.undo !== null,
      timeoutMs: step.timeoutMs,
      attempts: step.attempts,
      lane: 'regular',
    })),
  }
}
