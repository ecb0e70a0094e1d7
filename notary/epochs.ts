// Which start of which replica an effect goes to; an undo or a probe goes where its step went. A
// replica that is shut out gets nothing.

import { limits } from '../plan/limits.ts'
import type { NotaryContext, Refusal } from './context.ts'
import type { AuthorizeReply } from './contract.ts'
import type { Located } from './locate.ts'
import { chooseReplica, type Purpose } from './pool.ts'
import type { EpochRecord } from './state.ts'
import type { Present } from './tokens-alive.ts'

export function runningEpoch(
  context: NotaryContext,
  present: Present,
  located: Located,
  purpose: Purpose,
):
  | EpochRecord
  | Extract<AuthorizeReply, { status: 'NOT_RUNNING' }>
  | { readonly refusal: Refusal } {
  const { step, idem, address } = located
  const { agent } = step
  const chosen = chooseReplica(context, present, located, purpose)
  if ('refusal' in chosen) return chosen
  const { n } = chosen
  const { state, now } = present
  const replica = state.replica(agent, n)
  const epoch = replica?.running === 1 ? state.epoch(agent, n, replica.boot_epoch) : undefined
  if (epoch === undefined) return { status: 'NOT_RUNNING', agent, n }
  const isPool = (context.catalogue.get(agent)?.replicas ?? 1) > 1
  if (isPool && purpose === 'begin') {
    context.load.note({ agent, n }, { idem, address, until: now + limits.tokenLifeMs })
  }
  return epoch
}
