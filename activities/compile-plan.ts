// Hop 5: from the bytes a person registered to the skeleton of an admitted plan. Compiles with the
// same pure function as the notary, whose word counts: only the digest that it admits is run. The
// workflow gets ids, effects and a reference; every literal stays in the artifact store.

import { isOutage } from '../notary/codes.ts'
import type { AdmitReply } from '../notary/contract.ts'
import { type CompileResult, compileSource } from '../plan/compile.ts'
import { inputsOfFiring } from '../plan/firing.ts'
import type { Catalogue } from '../plan/manifest.ts'
import type { Decide } from '../plan/policy.ts'
import { toSkeleton } from '../plan/skeleton.ts'
import { canonicalJson } from '../security/verify/canonical-json.ts'
import type { CompileOutcome, RequestInput } from '../workflows/contract.ts'
import type { ArtifactStore } from './artifacts.ts'
import { AttemptFailure } from './failure.ts'
import type { NotaryCalls } from './notary-calls.ts'
import { requestDocumentSchema, standingOf } from './request-document.ts'

export interface CompileDeps {
  readonly artifacts: ArtifactStore
  readonly notary: NotaryCalls
  readonly catalogue: Catalogue
  readonly decide: Decide
  readonly now: () => number
}

/** @throws AttemptFailure, ArtifactError */
export async function compilePlan(
  { requestId, requestRef, firing }: RequestInput,
  deps: CompileDeps,
): Promise<CompileOutcome> {
  const { bytes, meta } = await deps.artifacts.get(requestRef)
  const owner = firing === undefined ? requestId : standingOf(firing.schedule)
  if (meta.kind !== 'request' || meta.requestId !== owner) {
    throw new AttemptFailure('PLAN_MISMATCH')
  }
  const document = requestDocumentSchema.safeParse(parseJson(bytes))
  if (!document.success) return { status: 'INVALID', code: 'INVALID_SHAPE' }
  const { kind, source } = document.data
  const inputs = firing === undefined ? document.data.inputs : inputsOfFiring(document.data, firing)
  const { catalogue, decide } = deps
  const compiled = compileSource({ kind, source, inputs, catalogue, decide })
  if (!compiled.ok) return toRefusal(compiled)
  const { plan, digest } = compiled
  const admitted = await deps.notary.admit({ requestId, plan })
  if (admitted.status === 'REFUSED') return toDenial(admitted)
  if (admitted.digest !== digest) throw new AttemptFailure('PLAN_MISMATCH')
  const planRef = await deps.artifacts.put(Buffer.from(canonicalJson(plan)), {
    kind: 'plan',
    requestId,
    readers: [admitted.user],
    createdAt: deps.now(),
  })
  return { status: 'ADMITTED', skeleton: toSkeleton(plan, { planRef, digest }) }
}

function toRefusal({ issues }: Extract<CompileResult, { ok: false }>): CompileOutcome {
  const code = issues[0]?.code ?? 'INVALID_SHAPE'
  return { status: code === 'POLICY' ? 'DENIED' : 'INVALID', code }
}

function toDenial({ code }: Extract<AdmitReply, { status: 'REFUSED' }>): CompileOutcome {
  if (isOutage(code)) throw new AttemptFailure('NOTARY_UNAVAILABLE')
  return { status: code === 'PLAN_INVALID' ? 'INVALID' : 'DENIED', code }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'))
  } catch {
    return undefined
  }
}
