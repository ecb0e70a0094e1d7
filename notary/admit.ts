// `notary.admit`: the worker shows the plan it wants to run. Only the plan that the notary compiled
// itself at registration is admitted, recognised by its digest; what the worker brings is hashed and
// thrown away. Idempotent for that digest; any other plan is refused, before and after. A firing of a
// schedule is registered here, at its first admission (firing.ts).

import { CanonicalJsonError } from '../security/verify/canonical-json.ts'
import { digestOf } from '../security/verify/hash.ts'
import { type NotaryContext, type Refusal, recordRefusal } from './context.ts'
import type { AdmitCall, AdmitReply } from './contract.ts'
import { compileFiring, findFiring, registerFiring } from './firing.ts'
import type { RequestRecord } from './state.ts'
import type { Writer } from './store.ts'

/** @throws StoreError */
export function admit(
  context: NotaryContext,
  call: AdmitCall,
  account: string,
): Promise<AdmitReply> {
  const digest = digestOrUndefined(call.plan)
  const { requestId } = call
  return context.store.commit('effect', (writer) => {
    const fired = fire(context, writer, { requestId, digest, account })
    const request = fired.request ?? writer.state.request(requestId)
    const refusal = fired.refusal ?? refusalOf(request, digest)
    if (request === undefined || refusal !== undefined) {
      const { code, message } = refusal ?? unknownRequest
      const about = { call: 'admit', account, subject: requestId, correlation: requestId }
      recordRefusal(context, writer, { ...about, code, message })
      return { status: 'REFUSED', code, message }
    }
    if (request.admitted_at === null) {
      writer.state.admitRequest(requestId, writer.now)
      writer.append({
        kind: 'plan',
        actor: account,
        subject: requestId,
        correlation: requestId,
        trace: '',
        body: { event: 'admitted', digest: request.digest, user: request.user },
      })
    }
    return { status: 'ADMITTED', digest: request.digest, user: request.user }
  })
}

/** Of a firing whose request is not there yet: the request, or why not. */
function fire(
  context: NotaryContext,
  writer: Writer,
  {
    requestId,
    digest,
    account,
  }: { requestId: string; digest: string | undefined; account: string },
): { readonly request?: RequestRecord; readonly refusal?: Refusal } {
  if (writer.state.request(requestId) !== undefined) return {}
  const found = findFiring(writer, requestId)
  if (found.is === 'none') return {}
  if (found.is === 'refused') return { refusal: found.refusal }
  const { standing, firing } = found
  const compiled = compileFiring(context, standing, firing.at)
  if (!compiled.ok) {
    return { refusal: { code: 'PLAN_INVALID', message: 'the plan does not compile any more' } }
  }
  // Refused before it is registered: another plan must not use the firing up.
  if (compiled.digest !== digest) {
    return { refusal: { code: 'PLAN_MISMATCH', message: 'not the plan that was enabled' } }
  }
  return { request: registerFiring(writer, { requestId, channel: account, standing, compiled }) }
}

const unknownRequest: Refusal = {
  code: 'UNKNOWN_REQUEST',
  message: 'nobody registered this request',
}

function refusalOf(
  request: RequestRecord | undefined,
  digest: string | undefined,
): Refusal | undefined {
  if (request === undefined) return unknownRequest
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
