// From the address in a call to what it names: the admitted request, its plan, the step, the effect's
// id and record. The first questions of authorize and settle, asked in one order in one place.

import { limits } from '../plan/limits.ts'
import type { ActionManifest, UndoDeclaration } from '../plan/manifest.ts'
import type { ProbeDeclaration } from '../plan/probe.ts'
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
  /** Authorisations this effect may have. */
  readonly maxAttempts: number
  /** How an undo or a probe is called; null for the step itself. */
  readonly declared: UndoDeclaration | ProbeDeclaration | null
  /** The `do` effect of this very rerun: what an undo takes back and a probe asks about. */
  readonly done: EffectRecord | undefined
  /**
   * The `do` effect of any step of the request: its present one, except for an undo or a probe, which
   * see those that the step itself was built on.
   */
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
  const declared = declaredOf(context, step, kind)
  const actionName = kind === 'do' ? step.action : declared?.action
  if (actionName === undefined) return refuse('UNKNOWN_STEP', `the step declares no ${kind}`)
  const action = actionOf(context.catalogue, step.agent, actionName)
  if (action === undefined) return refuse('UNKNOWN_STEP', 'no manifest declares the action')
  const decided = state.rerunOf(requestId, step.id, iteration)
  const rerun = call.rerun ?? (kind === 'undo' ? 0 : decided)
  if (rerun > decided) return refuse('NOT_DECIDED', 'nobody decided that this step shall run again')
  const address = { request: requestId, kind, step: step.id, iteration, rerun }
  const done = state.effect({ ...address, kind: 'do' })
  const present = (id: string) =>
    state.effect({ ...address, kind: 'do', step: id, rerun: state.rerunOf(requestId, id, 0) })
  return {
    request,
    registered,
    step,
    actionName,
    action,
    address,
    declared: declared ?? null,
    idem: idemOf(planDigest, address),
    effect: state.effect(address),
    maxAttempts: kind === 'do' ? Math.min(step.attempts, limits.attempts) : limits.attempts,
    done,
    effectOf: kind === 'do' || done === undefined ? present : builtOn(state, done, present),
  }
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

/** The effects whose results `done` was given: a producer may have run again since. */
function builtOn(
  state: State,
  done: EffectRecord,
  present: Located['effectOf'],
): Located['effectOf'] {
  const hashes: Readonly<Record<string, string>> = JSON.parse(done.sources)
  return (id) => {
    if (id === done.step) return done
    const newest = present(id)
    const hash = Object.hasOwn(hashes, id) ? hashes[id] : undefined
    for (let rerun = newest?.rerun ?? state.rerunOf(done.request, id, 0); rerun >= 0; rerun -= 1) {
      const { request, iteration } = done
      const effect = state.effect({ request, kind: 'do', step: id, iteration, rerun })
      if (hash !== undefined && effect?.result_hash === hash) return effect
    }
    return newest
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
