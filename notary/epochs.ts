// Which start of which replica an effect goes to. The replica is fixed by the effect's id, so that it
// stays the same without being stored first; an undo or a probe goes where its step went.

import type { NotaryContext } from './context.ts'
import type { AuthorizeReply } from './contract.ts'
import type { Located } from './locate.ts'
import type { EpochRecord, State } from './state.ts'

export function runningEpoch(
  context: NotaryContext,
  state: State,
  { step, idem, effect, address, done }: Located,
): EpochRecord | Extract<AuthorizeReply, { status: 'NOT_RUNNING' }> {
  const replicas = context.catalogue.get(step.agent)?.replicas ?? 1
  const before = effect?.n ?? (address.kind === 'do' ? null : done?.n)
  const n = before ?? Buffer.from(idem, 'base64url').readUInt32BE(0) % replicas
  const replica = state.replica(step.agent, n)
  const epoch = replica?.running === 1 ? state.epoch(step.agent, n, replica.boot_epoch) : undefined
  return epoch ?? { status: 'NOT_RUNNING', agent: step.agent, n }
}
