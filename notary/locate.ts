// From the address in a call to what it names: the admitted request, its plan, the step, the effect's
// id and record. The first questions of authorize and settle, asked in one order in one place.

import { limits } from '../plan/limits.ts'
import type { ActionManifest, UndoDeclaration } from '../plan/manifest.ts'
import type { ProbeDeclaration } from '../plan/probe.ts'
import type { CompiledStep } from '../plan/schema.ts'
import { digestOf } from '../security/verify/hash.ts'
import { actionOf } from './actions.ts'
import type { NotaryContext, Refusal } from './context.ts'
import { type EarlierOf, earlierOf } from './handles.ts'
import type { LoopRecord } from './loop-state.ts'
import type { RegisteredPlan } from './plan-cache.ts'
import { type ProductOf, presentProducts, productsBehind } from './producers.ts'
import type { EffectAddress, EffectKind, EffectRecord, RequestRecord, State } from './state.ts'

export interface StepCall {
  readonly requestId: string
  readonly planDigest: string
  readonly kind: EffectKind
  readonly step: string
  readonly iteration: number
  readonly rerun?: number | undefined
}

export interface Located {
  readonly request: RequestRecord
  readonly registered: RegisteredPlan
  readonly step: CompiledStep
  /** The step's action, or that of its undo or probe. */
  readonly actionName: string
  readonly action: ActionManifest
  readonly address: EffectAddress
  readonly idem: string
  readonly effect: EffectRecord | undefined
  /** The expansion of the loop that the effect is an iteration of; undefined for any other step. */
  readonly loop: LoopRecord | undefined
  /** Authorisations this effect may have. */
  readonly maxAttempts: number
  /** How an undo or a probe is called; null for the step itself. */
  readonly declared: UndoDeclaration | ProbeDeclaration | null
  /** The `do` effect of this very rerun: what an undo takes back and a probe asks about. */
  readonly done: EffectRecord | undefined
  /** Of any step of the request: as it is, except for an undo or a probe; see producers.ts. */
  readonly productOf: ProductOf
  /** Of a handle of its plan. */
  readonly earlierOf: EarlierOf
}

/** `loop`: what is asked is about the loop as a whole, which may have no iteration yet. */
export function locate(
  context: NotaryContext,
  state: State,
  call: StepCall,
  as: 'iteration' | 'loop' = 'iteration',
): Located | { readonly refusal: Refusal } {
  const { requestId, planDigest, kind, iteration } = call
  const request = state.request(requestId)
  if (request === undefined) return refuse('UNKNOWN_REQUEST', 'nobody registered this request')
  if (request.admitted_at === null || request.digest !== planDigest) {
    return refuse('NOT_ADMITTED', 'no such plan was admitted for this request')
  }
  const registered = context.plans.planOf(request)
  const step = registered.steps.get(call.step)
  if (step === undefined || (step.forEach === undefined && iteration !== 0)) {
    return refuse('UNKNOWN_STEP', 'the plan has no such step')
  }
  const declared = declaredOf(context, step, kind)
  const actionName = kind === 'do' ? step.action : declared?.action
  if (actionName === undefined) return refuse('UNKNOWN_STEP', `the step declares no ${kind}`)
  const action = actionOf(context.catalogue, step.agent, actionName)
  if (action === undefined) return refuse('UNKNOWN_STEP', 'no manifest declares the action')
  const decided = state.rerunOf(requestId, step.id, iteration)
  const rerun = call.rerun ?? (kind === 'undo' ? 0 : decided)
  if (rerun > decided) return refuse('NOT_DECIDED', 'nobody decided that this step shall run again')
  const loop = step.forEach === undefined ? undefined : state.loopOf(requestId, step.id, rerun)
  const address = { request: requestId, kind, step: step.id, iteration, rerun }
  const done = state.effect({ ...address, kind: 'do' })
  const producers = { state, catalogue: context.catalogue, request: requestId }
  const located: Located = {
    request,
    registered,
    step,
    actionName,
    action,
    address,
    declared: declared ?? null,
    idem: idemOf(planDigest, address),
    effect: state.effect(address),
    loop,
    maxAttempts: kind === 'do' ? Math.min(step.attempts, limits.attempts) : limits.attempts,
    done,
    productOf:
      kind === 'do' || done === undefined
        ? presentProducts(producers)
        : productsBehind(done, producers),
    earlierOf: earlierOf(context, state, request),
  }
  const missing = as === 'loop' ? undefined : iterationRefusal(located)
  return missing === undefined ? located : { refusal: missing }
}

/** What has once been an iteration can always be undone, even if the list is shorter by now. */
export function iterationRefusal({
  step,
  loop,
  address,
}: Pick<Located, 'step' | 'loop' | 'address'>): Refusal | undefined {
  if (step.forEach === undefined || address.kind !== 'do') return undefined
  if (address.iteration < (loop?.count ?? 0)) return undefined
  return { code: 'NO_ITERATION', message: 'the loop has no such iteration' }
}

function declaredOf(
  { catalogue }: NotaryContext,
  step: CompiledStep,
  kind: EffectKind,
): UndoDeclaration | ProbeDeclaration | null | undefined {
  switch (kind) {
    case 'do':
      return null
    case 'undo':
      return step.undo
    case 'probe':
      return actionOf(catalogue, step.agent, step.action)?.probe
  }
}

/** The effect's id: the same effect asked twice has the same one, whoever asks and whenever. */
export function idemOf(planDigest: string, address: EffectAddress): string {
  const { request, kind, step, iteration, rerun } = address
  return digestOf([request, planDigest, kind, step, iteration, rerun])
}

function refuse(code: Refusal['code'], message: string): { readonly refusal: Refusal } {
  return { refusal: { code, message } }
}
