// Tokens that follow an effect which is out already: `attach` waits for its outcome, `cancel` asks the
// agent to stop it, which only a person's registered cancellation allows. Neither can start anything:
// the agent refuses to run a command under them, so they use up no attempt. Whose effect they follow
// is the notary's own record of the step, never a name that the worker brings.

import { limits } from '../plan/limits.ts'
import type { NotaryContext, Refusal } from './context.ts'
import type { AuthorizeReply } from './contract.ts'
import { runningEpoch } from './epochs.ts'
import type { Granted } from './grant.ts'
import type { Located } from './locate.ts'
import type { Present } from './tokens-alive.ts'

export type Follow =
  | { readonly refusal: Refusal }
  | { readonly reply: Extract<AuthorizeReply, { status: 'NOT_RUNNING' }> }
  | Pick<Granted, 'located' | 'effect' | 'epoch' | 'argsHash' | 'salt'>

/** May this effect, which has not settled, be followed? */
export function decideFollow(
  context: NotaryContext,
  present: Present,
  located: Located,
  op: 'attach' | 'cancel',
): Follow {
  const { state } = present
  const { effect, request, address } = located
  if (effect === undefined || effect.args_hash === null || effect.salt === null) {
    return refuse('NEVER_AUTHORISED', 'no token was given for this effect')
  }
  if (op === 'cancel' && (request.cancelled_at === null || address.kind !== 'do')) {
    return refuse('NOT_CANCELLED', 'nobody has cancelled it')
  }
  if (state.followingTokens(effect.idem) >= limits.followingTokens) {
    return refuse('ATTEMPTS_USED_UP', 'this effect was followed too often')
  }
  const epoch = runningEpoch(context, present, located, 'follow')
  if ('refusal' in epoch) return epoch
  if ('status' in epoch) return { reply: epoch }
  return { located, effect, epoch, argsHash: effect.args_hash, salt: effect.salt }
}

function refuse(code: Refusal['code'], message: string): { readonly refusal: Refusal } {
  return { refusal: { code, message } }
}
