// Hop 5: from the bytes a person registered to the skeleton of an admitted plan. Compiles with the
// same pure function as the notary, whose word counts: only the digest that it admits is run. The
// workflow gets ids, effects and a reference; every literal stays in the artifact store.

import { isOutage } from '../notary/codes.ts'
import type { AdmitCall, AdmitReply } from '../notary/contract.ts'
import { type CompileResult, compileSource } from '../plan/compile.ts'
import { inputsOfFiring } from '../plan/firing.ts'
import { isDenial } from '../plan/issues.ts'
import { laneOf } from '../plan/lane.ts'
import type { Catalogue } from '../plan/manifest.ts'
import type { Decide } from '../plan/policy.ts'
import { type KnownNames, namesFor } from '../plan/principals.ts'
import type { CompiledStep } from '../plan/schema.ts'
import { toSkeleton } from '../plan/skeleton.ts'
import { canonicalJson } from '../security/verify/canonical-json.ts'
import type { CompileOutcome, RequestInput } from '../workflows/contract.ts'
import type { ArtifactMeta, ArtifactStore } from './artifacts.ts'
import { AttemptFailure } from './failure.ts'
import type { NotaryCalls } from './notary-calls.ts'
import { compileWithHandles } from './read-handles.ts'
import { requestDocumentSchema, standingOf } from './request-document.ts'

export interface CompileDeps {
  readonly artifacts: ArtifactStore
  readonly notary: NotaryCalls
  readonly catalogue: Catalogue
  readonly decide: Decide
  /** The same lists as the notary's: what it accepts must not fail here. */
  readonly names?: KnownNames | undefined
  readonly now: () => number
  /** Whether steps that may take the fast lane do so; absent: none does. */
  readonly fastLane?: boolean
}

/** @throws AttemptFailure, ArtifactError */
export async function compilePlan(input: RequestInput, deps: CompileDeps): Promise<CompileOutcome> {
  const { requestId, requestRef, firing } = input
  const { bytes, meta } = await deps.artifacts.get(requestRef)
  const owner = firing === undefined ? requestId : standingOf(firing.schedule)
  if (meta.kind !== 'request' || meta.requestId !== owner) {
    throw new AttemptFailure('PLAN_MISMATCH')
  }
  const document = requestDocumentSchema.safeParse(parseJson(bytes))
  // Words take a proposal (propose-plan.ts): by themselves they are no plan.
  if (!document.success || document.data.kind === 'text') {
    return { status: 'INVALID', code: 'INVALID_SHAPE' }
  }
  const { kind, source } = document.data
  const written = { kind, source, inputs: document.data.inputs }
  const inputs = firing === undefined ? written.inputs : inputsOfFiring(written, firing)
  const { catalogue, decide } = deps
  const names = namesOfReader(deps, meta)
  const given = { kind, source, inputs, catalogue, decide, names }
  // What runs again and again builds on no earlier result: the notary compiles it without any.
  const compiled =
    firing === undefined
      ? await compileWithHandles(
          (handles) => compileSource({ ...given, handles }),
          requestId,
          deps.notary,
        )
      : compileSource(given)
  if (!compiled.ok) return toRefusal(compiled)
  return admitPlan(compiled, { input, call: { requestId, plan: compiled.plan } }, deps)
}

/**
 * Has a plan admitted that was compiled here, and keeps it for the run.
 *
 * @throws AttemptFailure, ArtifactError
 */
export async function admitPlan(
  { plan, digest }: Pick<Extract<CompileResult, { ok: true }>, 'plan' | 'digest'>,
  { input, call }: { readonly input: RequestInput; readonly call: AdmitCall },
  deps: CompileDeps,
): Promise<CompileOutcome> {
  const { requestId, lane: wanted } = input
  const admitted = await deps.notary.admit(call)
  if (admitted.status === 'REFUSED') return toDenial(admitted)
  if (admitted.status === 'APPROVAL') {
    const { id, expiresAt } = admitted
    return { status: 'WAITING', approval: { id, expiresAt } }
  }
  if (admitted.status !== 'ADMITTED' || admitted.digest !== digest) {
    throw new AttemptFailure('PLAN_MISMATCH')
  }
  // Decided here and kept in the history: a run is not moved to another lane by a later setting.
  const lane = (step: CompiledStep) =>
    deps.fastLane === true && wanted === 'fast' ? laneOf(step) : 'regular'
  const planRef = await deps.artifacts.put(Buffer.from(canonicalJson(plan)), {
    kind: 'plan',
    requestId,
    readers: [admitted.user],
    createdAt: deps.now(),
  })
  const { at } = admitted
  return { status: 'ADMITTED', skeleton: toSkeleton(plan, { planRef, digest, laneOf: lane, at }) }
}

/** Whose request it is, its one reader says; the notary, which knows, compiles with the same lists. */
export function namesOfReader({ names }: CompileDeps, { readers: [reader = ''] }: ArtifactMeta) {
  return names === undefined ? undefined : namesFor(reader.replace(/^user:/, ''), names)
}

function toRefusal({ issues }: Extract<CompileResult, { ok: false }>): CompileOutcome {
  const code = issues[0]?.code ?? 'INVALID_SHAPE'
  return { status: isDenial(code) ? 'DENIED' : 'INVALID', code }
}

function toDenial({ code }: Extract<AdmitReply, { status: 'REFUSED' }>): CompileOutcome {
  if (isOutage(code)) throw new AttemptFailure('NOTARY_UNAVAILABLE')
  return { status: code === 'PLAN_INVALID' ? 'INVALID' : 'DENIED', code }
}

export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}
