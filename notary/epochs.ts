// Which start of which replica an effect goes to; an undo or a probe goes where its step went. A
// replica that is shut out gets nothing.

import type { NotaryContext, Refusal } from './context.ts'
import type { AuthorizeReply } from './contract.ts'
import type { Located } from './locate.ts'
import { chooseReplica } from './quarantine.ts'
import type { EpochRecord, State } from './state.ts'

export function runningEpoch(
  context: NotaryContext,
  state: State,
  located: Located,
):
  | EpochRecord
  | Extract<AuthorizeReply, { status: 'NOT_RUNNING' }>
  | { readonly refusal: Refusal } {
  const { step, effect, address, done } = located
  const before = effect?.n ?? (address.kind === 'do' ? null : done?.n)
  const chosen = chooseReplica(context, state, { ...located, before: before ?? undefined })
  if ('refusal' in chosen) return chosen
  const { n } = chosen
  const replica = state.replica(step.agent, n)
  const epoch = replica?.running === 1 ? state.epoch(step.agent, n, replica.boot_epoch) : undefined
  return epoch ?? { status: 'NOT_RUNNING', agent: step.agent, n }
}
