// `notary.cancel`: a person stops a run. From the commit on no forward step of it is authorised, and
// its declared undos are. What has happened already is still settled. Idempotent.

import { consultationsOf } from '../plan/consultation.ts'
import { type NotaryContext, recordRefusal } from './context.ts'
import type { CancelCall, CancelReply } from './contract.ts'
import { userOf } from './users.ts'

/** @throws StoreError */
export function cancel(
  context: NotaryContext,
  { requestId }: CancelCall,
  account: string,
): Promise<CancelReply> {
  return context.store.commit('fact', (writer) => {
    const request = writer.state.request(requestId)
    // Somebody else's request is answered like one that does not exist.
    if (request === undefined || request.user !== userOf(account, context.users)) {
      const refusal = { code: 'UNKNOWN_REQUEST', message: 'no such request' } as const
      const about = { call: 'cancel', account, subject: requestId, correlation: requestId }
      recordRefusal(context, writer, { ...about, ...refusal })
      return { status: 'REFUSED', ...refusal }
    }
    if (request.cancelled_at === null) {
      writer.state.cancelRequest(requestId, writer.now)
      // Nobody waits for a model any more: what has not been asked is not.
      for (const id of consultationsOf(requestId)) {
        const isOpen = writer.state.request(id)?.cancelled_at === null
        if (isOpen) writer.state.cancelRequest(id, writer.now)
      }
      writer.append({
        kind: 'decision',
        actor: request.user,
        subject: requestId,
        correlation: requestId,
        trace: '',
        body: { call: 'cancel', decision: 'cancelled', channel: account },
      })
    }
    return { status: 'CANCELLED' }
  })
}
