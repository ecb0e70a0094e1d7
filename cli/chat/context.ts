// What a model is told with the words of a turn: the turns before it in the same session, as they were typed
// here, and what came of them by handle. The words are those that this command has kept: the store's word for
// them is the worker's, and one that was taken over would have a road to whoever runs a model. Which results
// there are the notary says, which looks at each again.

import { type Context, contextSchema } from '../../notary/contract.ts'
import { goalOf } from '../../plan/compile-proposal.ts'
import { holdsSecret } from '../../plan/flow-secrets.ts'
import { toHandle } from '../../plan/handle.ts'
import { limits } from '../../plan/limits.ts'
import type { Turn } from '../../workflows/assistant-contract.ts'
import type { Session } from '../session.ts'
import { contextFor, keepContext, typedFor } from './outbox.ts'

/**
 * The same whenever it is asked for: a registration that was cut off is made again to the letter. Undefined
 * where nothing was said before.
 */
export async function contextOf(session: Session, turnId: string): Promise<Context | undefined> {
  const known = contextFor(session.state, turnId)
  if (known !== undefined) return known === '' ? undefined : contextSchema.parse(JSON.parse(known))
  const turns = await turnsFor(session, turnId)
  const context = turns.length === 0 ? undefined : { turns }
  keepContext(session.state, turnId, context === undefined ? '' : JSON.stringify(context))
  return context
}

async function turnsFor(session: Session, turnId: string): Promise<Context['turns']> {
  const { turns } = await session.assistant.conversation()
  const told: Context['turns'] = []
  let left: number = limits.contextHandles
  // The newest first: where there are too many results, the oldest are left out.
  for (const turn of turnsBefore(turns, turnId).toReversed()) {
    const typed = typedFor(session.state, turn.turnId)
    const words = typed === undefined ? '' : goalOf(typed, limits.contextCharacters)
    if (typed === undefined || words === '' || holdsSecret(typed)) continue
    const handles = turn.status === 'begun' ? await handlesOf(session, turn.turnId) : []
    const some = handles.slice(0, left)
    left -= some.length
    const request = turn.status === 'begun' ? { request: turn.turnId } : {}
    told.unshift({ words, ...request, handles: [...some] })
  }
  return told
}

/** Of the same session, as many as a model is told of. */
export function turnsBefore(turns: readonly Turn[], turnId: string): readonly Turn[] {
  const at = turns.findIndex((turn) => turn.turnId === turnId)
  const before = turns.slice(0, Math.max(0, at))
  return before.filter(({ session }) => session === turns[at]?.session).slice(-limits.contextTurns)
}

/** A step that happened by somebody's word has a code and no result; a loop's list has no name. */
async function handlesOf(session: Session, requestId: string): Promise<readonly string[]> {
  const reply = await session.query({ what: 'request', requestId })
  const [request] = reply.status === 'REQUESTS' ? reply.requests : []
  const settled = (request?.steps ?? []).filter(
    ({ outcome, code, loop }) => outcome === 'settled' && code === undefined && loop === undefined,
  )
  return settled.map(({ id: step }) => toHandle({ request: requestId, step, iteration: 0 }))
}
