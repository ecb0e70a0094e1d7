// Earlier results that a plan builds on. A handle stands for a result that settled with a receipt, in a
// request of the same person; for whatever else the answer is one and the same, so that nobody learns what
// others have. Who may see it and who had a hand in it is worked out here, from the earlier request's plan as
// the notary compiled it, each time that it counts: at registration, at admission and for every token.

import { type LookUpHandle, type PinnedHandle, parseHandle } from '../plan/handle.ts'
import { canonicalJson } from '../security/verify/canonical-json.ts'
import type { NotaryContext, Refusal } from './context.ts'
import type { AdmitReply } from './contract.ts'
import { flowOf } from './flow.ts'
import type { HandlesCall } from './handle-contract.ts'
import { type Product, productOfStep } from './product.ts'
import type { RequestRecord, State } from './state.ts'

type HandlePorts = Pick<NotaryContext, 'catalogue' | 'names' | 'plans'>

/** For plans of `user`, as a person of the household. */
export function handlesOf(context: HandlePorts, state: State, user: string): LookUpHandle {
  return (handle) => find(context, state, { handle, user })?.pin
}

/** For the plan of this request. What is proposed for words has those that a planner could be told of. */
export function handlesFor(
  context: HandlePorts,
  state: State,
  request: RequestRecord,
): LookUpHandle {
  const lookUp = handlesOf(context, state, request.user)
  if (request.words === null) return lookUp
  const told = new Set(state.turnsBefore(request.id).flatMap(({ handles }) => handles))
  return (handle) => (told.has(handle) ? lookUp(handle) : undefined)
}

/** What a worker compiles a plan with: of the person of a request, by name. */
export function tellHandles(
  context: HandlePorts & Pick<NotaryContext, 'store'>,
  { requestId, handles }: HandlesCall,
): AdmitReply {
  const { state } = context.store
  const request = state.request(requestId)
  const lookUp = request === undefined ? () => undefined : handlesFor(context, state, request)
  return { status: 'HANDLES', handles: pinned(handles, lookUp) }
}

/** Those of them that there are. */
export function pinned(handles: readonly string[], lookUp: LookUpHandle) {
  const known = handles.flatMap((handle): [string, PinnedHandle][] => {
    const pin = lookUp(handle)
    return pin === undefined ? [] : [[handle, pin]]
  })
  return Object.fromEntries(known)
}

/** Why a registered plan may not build on what it does, or undefined. */
export function refuseHandles(
  context: HandlePorts,
  state: State,
  request: RequestRecord,
): Refusal | undefined {
  const { handles = {} } = context.plans.planOf(request).plan
  const earlier = earlierOf(context, state, request)
  const isGone = (handle: string) => earlier(handle) === undefined
  return Object.keys(handles).some(isGone) ? unknownHandle : undefined
}

export const unknownHandle: Refusal = {
  code: 'UNKNOWN_HANDLE',
  message: 'there is no such earlier result of this person, or it is labelled otherwise by now',
}

/** What a request may build on of those before it, by handle: as its plan has pinned it, and as it is now. */
export type EarlierOf = (handle: string) => Product | undefined

export function earlierOf(context: HandlePorts, state: State, request: RequestRecord): EarlierOf {
  return (handle) => {
    const { handles = {} } = context.plans.planOf(request).plan
    const pin = Object.hasOwn(handles, handle) ? handles[handle] : undefined
    if (pin === undefined) return undefined
    const { user } = request
    const found = find(context, state, { handle, user, rerun: pin.rerun })
    if (found === undefined || canonicalJson(found.pin) !== canonicalJson(pin)) return undefined
    return found.product
  }
}

interface Earlier {
  readonly pin: PinnedHandle
  readonly product: Product
}

/** `rerun`: which one is meant; left out: the present one. */
function find(
  context: HandlePorts,
  state: State,
  asked: { readonly handle: string; readonly user: string; readonly rerun?: number },
): Earlier | undefined {
  const named = parseHandle(asked.handle)
  const request = named === undefined ? undefined : state.request(named.request)
  if (named === undefined || request === undefined) return undefined
  if (request.user !== asked.user) return undefined
  const { plan, steps } = context.plans.planOf(request)
  const step = steps.get(named.step)
  const followed = flowOf(plan, context).steps.get(named.step)
  if (step === undefined || followed === undefined) return undefined
  const { iteration } = named
  const rerun = asked.rerun ?? state.rerunOf(request.id, step.id, iteration)
  const address = { request: request.id, kind: 'do', step: step.id, iteration, rerun } as const
  // Nothing but what settled with a receipt is a result, and not what somebody said had happened.
  const product = productOfStep(step, state.effect(address), context.catalogue)
  if (product.is !== 'result') return undefined
  const { readers, agents } = followed.base
  const { agent, action } = step
  return { pin: { agent, action, rerun, hash: product.hash, readers, agents }, product }
}
