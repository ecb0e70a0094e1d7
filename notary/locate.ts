// From the address in a call to what it names: the admitted request, its plan, the step, the effect's
// id and record. The first questions of authorize and settle, asked in one order in one place.

import { limits } from '../plan/limits.ts'
import type { ActionManifest } from '../plan/manifest.ts'
import type { CompiledStep } from '../plan/schema.ts'
import { digestOf } from '../security/verify/hash.ts'
import { actionOf } from './actions.ts'
import type { NotaryContext, Refusal } from './context.ts'
import type { RegisteredPlan } from './plan-cache.ts'
import type { EffectAddress, EffectKind, EffectRecord, RequestRecord, State } from './state.ts'

export interface StepCall {
  readonly requestId: string
  readonly planDigest: string
  readonly kind: EffectKind
  readonly step: string
  readonly iteration: number
}

export interface Located {
  readonly request: RequestRecord
  readonly registered: RegisteredPlan
  readonly step: CompiledStep
  /** The step's action, or that of its undo. */
  readonly actionName: string
  readonly action: ActionManifest
  readonly address: EffectAddress
  readonly idem: string
  readonly effect: EffectRecord | undefined
  /** Authorisations this effect may have. */
  readonly maxAttempts: number
  /** The `do` effect of any step of the request. */
  readonly effectOf: (step: string) => EffectRecord | undefined
}

export function locate(
  context: NotaryContext,
  state: State,
  call: StepCall,
): Located | { readonly refusal: Refusal } {
  const { requestId, planDigest, kind, iteration } = call
  const request = state.request(requestId)
  if (request === undefined) return refuse('UNKNOWN_REQUEST', 'nobody registered this request')
  if (request.admitted_at === null || request.digest !== planDigest) {
    return refuse('NOT_ADMITTED', 'no such plan was admitted for this request')
  }
  const registered = context.plans.planOf(request)
  const step = registered.steps.get(call.step)
  // Loops are not built yet, so every step has one iteration.
  if (step === undefined || iteration !== 0) {
    return refuse('UNKNOWN_STEP', 'the plan has no such step')
  }
  const actionName = kind === 'do' ? step.action : step.undo?.action
  if (actionName === undefined) return refuse('UNKNOWN_STEP', 'the step declares no undo')
  const action = actionOf(context.catalogue, step.agent, actionName)
  if (action === undefined) return refuse('UNKNOWN_STEP', 'no manifest declares the action')
  const address = addressOf(call)
  return {
    request,
    registered,
    step,
    actionName,
    action,
    address,
    idem: idemOf(planDigest, address),
    effect: state.effect(address),
    maxAttempts: kind === 'do' ? Math.min(step.attempts, limits.attempts) : limits.attempts,
    effectOf: (id) =>
      state.effect({ request: requestId, kind: 'do', step: id, iteration: 0, rerun: 0 }),
  }
}

function addressOf({ requestId, kind, step, iteration }: StepCall): EffectAddress {
  return { request: requestId, kind, step, iteration, rerun: 0 }
}

/** The effect's id: the same effect asked twice has the same one, whoever asks and whenever. */
export function idemOf(planDigest: string, address: EffectAddress): string {
  const { request, kind, step, iteration, rerun } = address
  return digestOf([request, planDigest, kind, step, iteration, rerun])
}

function refuse(code: Refusal['code'], message: string): { readonly refusal: Refusal } {
  return { refusal: { code, message } }
}
