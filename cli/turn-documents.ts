// What a conversation's turns say, to and from the artifact store. A reference comes from Temporal, which
// asks nobody who they are: what it leads to counts only where the store says that this person put it
// (its reader alone may have it), for this turn, and it is the shape that is wanted.

import type { z } from 'zod'
import type { artifactGetReply } from '../temporal/artifact-calls.ts'
import { parseTurnDocument, type TurnDocument } from '../temporal/turn-document.ts'
import { CommandError, exitCodes } from './exit-codes.ts'
import type { Session } from './session.ts'

/** @returns the reference @throws CommandError where the worker refuses it */
export async function storeTurn(
  session: Pick<Session, 'putTurn'>,
  turnId: string,
  document: TurnDocument,
): Promise<string> {
  const stored = await session.putTurn(turnId, JSON.stringify(document))
  if (stored.status === 'STORED') return stored.ref
  throw new CommandError(`the worker does not keep the turn: ${stored.code}`, {
    exitCode: exitCodes.failed,
    next: 'npx bulkhead doctor   says what is wrong',
  })
}

/** @throws CommandError where there is none, or it is not of this person's for this turn */
export async function readTurn(
  session: Pick<Session, 'getArtifact'>,
  turnId: string,
  ref: string,
): Promise<TurnDocument> {
  const reply = await session.getArtifact(ref)
  const document = documentOf(reply, turnId)
  if (document !== undefined) return document
  const code = reply.status === 'REFUSED' ? reply.code : 'of something else'
  throw new CommandError(`what was said in ${turnId} cannot be read: ${code}`, {
    exitCode: exitCodes.failed,
    next: 'npx bulkhead chat --new',
  })
}

function documentOf(reply: z.infer<typeof artifactGetReply>, turnId: string) {
  if (reply.status !== 'FOUND' || reply.kind !== 'turn' || reply.requestId !== turnId) return
  return parseTurnDocument(reply.content)
}
