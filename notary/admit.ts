// `notary.admit`: the worker shows the plan it wants to run. Only the plan that the notary compiled
// itself at registration is admitted, recognised by its digest; what the worker brings is hashed and
// thrown away. Idempotent for that digest; any other plan is refused, before and after. A firing of a
// schedule is registered here, at its first admission (firing.ts). What is proposed for words, propose.ts
// admits.

import { CanonicalJsonError } from '../security/verify/canonical-json.ts'
import { digestOf } from '../security/verify/hash.ts'
import type { PlanCall } from './admission-contract.ts'
import { askPlan } from './ask.ts'
import { askProposed, isShownFirst } from './ask-proposed.ts'
import { type NotaryContext, type Refusal, recordRefusal } from './context.ts'
import type { AdmitReply } from './contract.ts'
import { compileFiring, findFiring, registerFiring } from './firing.ts'
import { refuseFlow } from './flow.ts'
import { refuseHandles } from './handles.ts'
import { refuseByPolicy } from './policy.ts'
import { useUp } from './questions.ts'
import { infeasibleRefusal } from './request-limit.ts'
import { refuseUnapproved } from './standing-approval.ts'
import { keepStartTimes, knownStartTimes, startTimesOf } from './start-times.ts'
import type { RequestRecord } from './state.ts'
import type { Writer } from './store.ts'
import { departedRefusal } from './users.ts'

export type Decided = { readonly reply: AdmitReply } | { readonly refusal: Refusal }

/** @throws StoreError */
export function admit(
  context: NotaryContext,
  call: PlanCall,
  account: string,
): Promise<AdmitReply> {
  const digest = digestOrUndefined(call.plan)
  const { requestId } = call
  return context.store.commit('effect', (writer): AdmitReply => {
    const found = requestOf(context, writer, { requestId, digest, account })
    const decided =
      'refusal' in found ? found : decideAdmission(context, writer, { ...found, digest, account })
    if ('reply' in decided) return decided.reply
    const about = { call: 'admit', account, subject: requestId, correlation: requestId }
    recordRefusal(context, writer, { ...about, ...decided.refusal })
    const { code, message } = decided.refusal
    return { status: 'REFUSED', code, message }
  })
}

function decideAdmission(
  context: NotaryContext,
  writer: Writer,
  asked: {
    readonly request: RequestRecord
    readonly digest: string | undefined
    readonly account: string
  },
): Decided {
  const { request, account } = asked
  const refusal = refusalOf(request, asked.digest)
  return refusal === undefined ? letBegin(context, writer, { request, account }) : { refusal }
}

/** Of a request with its plan: whether it may begin, and what a person is asked before. */
export function letBegin(
  context: NotaryContext,
  writer: Writer,
  { request, account }: { readonly request: RequestRecord; readonly account: string },
): Decided {
  // Rules may have changed since the plan was registered, and the compiler is not asked again.
  const foreign = refuseHandles(context, writer.state, request)
  if (foreign !== undefined) return { refusal: foreign }
  const refusal = departedRefusal(request.user, context.users) ?? refuseFlow(context, request)
  if (refusal !== undefined) return { refusal }
  const { state } = writer
  const { id, digest, user } = request
  const { plan } = context.plans.planOf(request)
  if (request.admitted_at === null) {
    const starts = startTimesOf(request, plan, context.zone)
    if ('refusal' in starts) return starts
    const unfit = infeasibleRefusal(context, writer, { request, plan, times: starts.times })
    if (unfit !== undefined) return { refusal: unfit }
    const forbidden = refuseByPolicy(context, plan)
    if (forbidden !== undefined) return { refusal: forbidden }
    const answer = isShownFirst(context, request)
      ? askProposed(context, writer, { request, plan })
      : askPlan(context, writer, { request, plan })
    if (answer !== undefined && !('approved' in answer)) return answer
    if (answer !== undefined) useUp(writer, answer.approved)
    state.admitRequest(id, writer.now)
    keepStartTimes(state, id, starts.times)
    const body = { event: 'admitted', digest, user }
    writer.append({ kind: 'plan', actor: account, subject: id, correlation: id, body })
  }
  const at = knownStartTimes(state, id, plan)
  const starts = Object.keys(at).length === 0 ? {} : { at }
  return { reply: { status: 'ADMITTED', digest, user, ...starts } }
}

/** Of a firing that is admitted for the first time it is made here. */
function requestOf(
  context: NotaryContext,
  writer: Writer,
  {
    requestId,
    digest,
    account,
  }: { requestId: string; digest: string | undefined; account: string },
): { readonly request: RequestRecord } | { readonly refusal: Refusal } {
  const registered = writer.state.request(requestId)
  if (registered !== undefined) return { request: registered }
  const found = findFiring(writer, requestId)
  if (found.is === 'none') return { refusal: unknownRequest }
  if (found.is === 'refused') return { refusal: found.refusal }
  const { standing, firing } = found
  const departed = departedRefusal(standing.user, context.users)
  if (departed !== undefined) return { refusal: departed }
  const compiled = compileFiring(context, standing, firing.at)
  if (!compiled.ok) {
    return { refusal: { code: 'PLAN_INVALID', message: 'the plan does not compile any more' } }
  }
  // Refused before it is registered: another plan must not use the firing up.
  if (compiled.digest !== digest) {
    return { refusal: { code: 'PLAN_MISMATCH', message: 'not the plan that was enabled' } }
  }
  const unapproved = refuseUnapproved(context, writer, { standing, plan: compiled.plan })
  if (unapproved !== undefined) return { refusal: unapproved }
  return { request: registerFiring(writer, { requestId, channel: account, standing, compiled }) }
}

const unknownRequest: Refusal = {
  code: 'UNKNOWN_REQUEST',
  message: 'nobody registered this request',
}

function refusalOf(request: RequestRecord, digest: string | undefined): Refusal | undefined {
  if (request.words !== null) {
    return { code: 'PLAN_MISMATCH', message: 'words were registered, and take a proposal' }
  }
  if (digest === undefined) return { code: 'MALFORMED', message: 'plan is not JSON' }
  if (digest !== request.digest) {
    return request.admitted_at === null
      ? { code: 'PLAN_MISMATCH', message: 'not the plan that was registered' }
      : { code: 'ALREADY_ADMITTED', message: 'another plan was admitted for this request' }
  }
  if (request.admitted_at === null && request.cancelled_at !== null) {
    return { code: 'REQUEST_CANCELLED', message: 'the request was cancelled' }
  }
  return undefined
}

function digestOrUndefined(plan: unknown): string | undefined {
  try {
    return digestOf(plan)
  } catch (cause) {
    if (cause instanceof CanonicalJsonError) return undefined
    throw cause
  }
}
