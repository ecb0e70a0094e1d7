// Plans as the activities read them: from the artifact store by reference, proven to be the plan the
// notary admitted by their digest, and kept for the next step of the same run. Invariant: what is
// returned hashes to the digest that the workflow was given. Cached because a plan is immutable and
// a run of a thousand steps would otherwise parse it a thousand times.

import type { CompiledPlan, CompiledStep } from '../plan/schema.ts'
import { sha256 } from '../security/verify/hash.ts'
import type { ArtifactStore } from './artifacts.ts'
import { AttemptFailure } from './failure.ts'

export interface LoadedPlan {
  readonly plan: CompiledPlan
  readonly requestId: string
  /** By step id; a Map, so that no id reaches a prototype. */
  readonly steps: ReadonlyMap<string, CompiledStep>
  readonly readers: readonly string[]
}

export interface PlanStore {
  /** @throws AttemptFailure PLAN_MISMATCH, ArtifactError */
  load(from: {
    readonly planRef: string
    readonly digest?: string
    readonly requestId: string
  }): Promise<LoadedPlan>
}

/** Runs at once on one machine are few; each plan is below a megabyte. */
const maxPlans = 32

export function createPlanStore(artifacts: ArtifactStore): PlanStore {
  const cache = new Map<string, { readonly digest: string; readonly loaded: LoadedPlan }>()
  const open = async (planRef: string) => {
    const { bytes, meta } = await artifacts.get(planRef)
    if (meta.kind !== 'plan') throw new AttemptFailure('PLAN_MISMATCH')
    // Our own compiler wrote these bytes and the store has authenticated them: no second parse.
    const plan: CompiledPlan = JSON.parse(Buffer.from(bytes).toString('utf8'))
    const { requestId, readers } = meta
    const steps = new Map(plan.steps.map((step) => [step.id, step]))
    return { digest: sha256(bytes), loaded: { plan, requestId, steps, readers } }
  }
  return {
    async load({ planRef, digest, requestId }) {
      const kept = cache.get(planRef) ?? (await open(planRef))
      cache.delete(planRef)
      cache.set(planRef, kept)
      const oldest = cache.keys().next()
      if (cache.size > maxPlans && oldest.done !== true) cache.delete(oldest.value)
      const other = digest !== undefined && digest !== kept.digest
      if (other || kept.loaded.requestId !== requestId) throw new AttemptFailure('PLAN_MISMATCH')
      return kept.loaded
    },
  }
}
