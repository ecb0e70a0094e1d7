// Registered plans, parsed once. The text in the store is the RFC 8785 form of what the compiler
// returned, so its digest proves that it is that plan; nothing else is ever taken for one.

import type { CompiledPlan, CompiledStep } from '../plan/schema.ts'
import { sha256 } from '../security/verify/hash.ts'
import { StoreError } from './database.ts'
import type { RequestRecord, State } from './state.ts'

export interface RegisteredPlan {
  readonly plan: CompiledPlan
  readonly steps: ReadonlyMap<string, CompiledStep>
}

export interface PlanCache {
  /** The plan of a registration. @throws StoreError when the stored text is not what was registered */
  planOf(request: RequestRecord): RegisteredPlan
}

export function createPlanCache(state: Pick<State, 'planText'>, maxPlans: number): PlanCache {
  const plans = new Map<string, RegisteredPlan>()
  return {
    planOf: ({ id, digest }) => {
      const kept = plans.get(digest) ?? parse(state.planText(id), digest)
      // Re-inserting keeps the map in order of use, oldest first.
      plans.delete(digest)
      plans.set(digest, kept)
      const oldest = plans.keys().next()
      if (plans.size > maxPlans && oldest.done !== true) plans.delete(oldest.value)
      return kept
    },
  }
}

function parse(text: string | undefined, digest: string): RegisteredPlan {
  if (text === undefined || sha256(text) !== digest) {
    throw new StoreError('AUDIT_UNAVAILABLE', 'a stored plan does not hash to its digest')
  }
  const plan: CompiledPlan = JSON.parse(text)
  return { plan, steps: new Map(plan.steps.map((step) => [step.id, step])) }
}
