// What models are told of the conversation that words belong to, as the notary has it: it writes the same
// question, so a worker that told more would have another plan than the one that is admitted.

import { isOutage } from '../notary/codes.ts'
import type { ToldTurn } from '../plan/told.ts'
import { AttemptFailure } from './failure.ts'
import type { NotaryCalls } from './notary-calls.ts'

/** Of a request in words, by its id. @throws AttemptFailure NOTARY_UNAVAILABLE */
export async function readTold(
  requestId: string,
  notary: Pick<NotaryCalls, 'admit'>,
): Promise<readonly ToldTurn[]> {
  const reply = await notary.admit({ requestId, told: true })
  if (reply.status === 'REFUSED' && isOutage(reply.code)) {
    throw new AttemptFailure('NOTARY_UNAVAILABLE')
  }
  return reply.status === 'TOLD' ? reply.turns : []
}
