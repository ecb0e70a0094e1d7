// Earlier results on the worker's side: what the notary says stands behind the handles of a plan while it is
// compiled, and their bytes while it runs. The workflow hears of neither: a plan that builds on earlier
// results replays like any other. What is read here goes to the notary by its hash, whose word counts.

import { isOutage } from '../notary/codes.ts'
import { isHandle, type LookUpHandle, parseHandle } from '../plan/handle.ts'
import type { CompiledPlan } from '../plan/schema.ts'
import { AttemptFailure } from './failure.ts'
import type { NotaryCalls } from './notary-calls.ts'
import type { LoadedPlan } from './plan-store.ts'
import type { ReadDeps, SourceDocument } from './read-sources.ts'

/**
 * Compiles, and once more with what the notary says where the plan turns out to name earlier results.
 *
 * @throws AttemptFailure NOTARY_UNAVAILABLE
 */
export async function compileWithHandles<T>(
  compile: (lookUp: LookUpHandle) => T,
  requestId: string,
  notary: Pick<NotaryCalls, 'admit'>,
): Promise<T> {
  const wanted = new Set<string>()
  const first = compile((handle) => {
    wanted.add(handle)
    return undefined
  })
  if (wanted.size === 0) return first
  const told = await notary.admit({ requestId, handles: [...wanted] })
  if (told.status === 'REFUSED' && isOutage(told.code)) {
    throw new AttemptFailure('NOTARY_UNAVAILABLE')
  }
  if (told.status !== 'HANDLES') return first
  const { handles } = told
  return compile((handle) => (Object.hasOwn(handles, handle) ? handles[handle] : undefined))
}

/** Where they lie; a loop of thousands looks each up once. A plan that is forgotten takes them along. */
const found = new WeakMap<CompiledPlan, Map<string, string>>()

/** The earlier results among `wanted`. @throws AttemptFailure ARTIFACT_MISSING, PLAN_MISMATCH; ArtifactError */
export async function readHandles(
  { plan, readers }: Pick<LoadedPlan, 'plan' | 'readers'>,
  wanted: Iterable<string>,
  deps: ReadDeps,
): Promise<readonly SourceDocument[]> {
  return await Promise.all(
    [...wanted].filter(isHandle).map(async (handle) => {
      const pin = plan.handles?.[handle]
      if (pin === undefined) throw new AttemptFailure('PLAN_MISMATCH')
      const ref = await refOf(plan, { handle, rerun: pin.rerun }, deps)
      // Kept for a while and no longer: a plan may name what was there when it was compiled.
      if (ref === undefined) throw new AttemptFailure('ARTIFACT_MISSING')
      const { meta, content, value } = await deps.documents.load(ref)
      const isOwn = meta.readers.length > 0 && meta.readers.every((one) => readers.includes(one))
      if (meta.resultHash !== pin.hash || !isOwn) throw new AttemptFailure('PLAN_MISMATCH')
      return { step: handle, iteration: 0, hash: pin.hash, content, value }
    }),
  )
}

async function refOf(
  plan: CompiledPlan,
  { handle, rerun }: { readonly handle: string; readonly rerun: number },
  { artifacts }: Pick<ReadDeps, 'artifacts'>,
): Promise<string | undefined> {
  const known = found.get(plan) ?? new Map<string, string>()
  found.set(plan, known)
  const kept = known.get(handle)
  if (kept !== undefined) return kept
  const named = parseHandle(handle)
  if (named === undefined) throw new AttemptFailure('PLAN_MISMATCH')
  const { request: requestId, step, iteration } = named
  const ref = (await artifacts.find({ requestId, step, iteration, rerun, kind: 'result' }))?.ref
  if (ref !== undefined) known.set(handle, ref)
  return ref
}
