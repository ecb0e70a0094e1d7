// `notary.boot`: the supervisor says that a replica's sandbox started or stopped. It draws the epoch
// and makes the keys; what an agent says of itself is ignored. Keys of old epochs are kept, because
// a stored result keeps its receipt as long as the ledger lives.

import { numbersOf } from '../plan/replicas.ts'
import { publicJwkSchema } from '../security/verify/keys.ts'
import { type NotaryContext, type Refusal, recordRefusal } from './context.ts'
import type { BootCall, BootReply } from './contract.ts'
import type { EpochRecord, State } from './state.ts'

/** @throws StoreError */
export function boot(context: NotaryContext, call: BootCall, account: string): Promise<BootReply> {
  const { agent, n, bootEpoch, running } = call
  const replica = `${agent}.${n}`
  return context.store.commit('fact', (writer) => {
    const refusal = refusalOf(context, call, writer.state)
    if (refusal !== undefined) {
      const { code, message } = refusal
      const about = { call: 'boot', account, subject: replica, correlation: '' }
      recordRefusal(context, writer, { ...about, code, message })
      return { status: 'REFUSED', code, message }
    }
    const current = writer.state.replica(agent, n)
    if (current?.boot_epoch === bootEpoch && (current.running === 1) === running) {
      return { status: 'RECORDED' }
    }
    // The stop of an earlier start, told late, says nothing about the one that runs now.
    const stale = !running && current !== undefined && current.boot_epoch !== bootEpoch
    if (writer.state.epoch(agent, n, bootEpoch) === undefined) {
      writer.state.insertEpoch(toEpoch(call), writer.now)
    }
    if (!stale) {
      writer.state.putReplica({ agent, n, boot_epoch: bootEpoch, running: running ? 1 : 0 })
    }
    writer.append({
      kind: 'life-cycle',
      actor: account,
      subject: `agent:${replica}`,
      correlation: '',
      body: { event: running ? 'started' : 'stopped', bootEpoch, stale },
    })
    return { status: 'RECORDED' }
  })
}

function refusalOf(context: NotaryContext, call: BootCall, state: State): Refusal | undefined {
  const manifest = context.catalogue.get(call.agent)
  if (manifest === undefined || !numbersOf(manifest, context.slots ?? {}).includes(call.n)) {
    return { code: 'MALFORMED', message: 'no manifest declares this replica' }
  }
  if (!publicJwkSchema.safeParse(call.receiptKey).success) {
    return { code: 'MALFORMED', message: 'receiptKey is not an Ed25519 public key' }
  }
  if (call.running && state.quarantine(call.agent, call.n) !== undefined) {
    return { code: 'QUARANTINED', message: 'a replica that is shut out does not start' }
  }
  const known = state.epoch(call.agent, call.n, call.bootEpoch)
  if (known === undefined) return undefined
  if (known.nkey !== call.nkey || known.receiptKey.x !== call.receiptKey.x) {
    return { code: 'REQUEST_CONFLICT', message: 'this epoch was registered with other keys' }
  }
  const current = state.replica(call.agent, call.n)
  if (call.running && (current?.boot_epoch !== call.bootEpoch || current.running === 0)) {
    return { code: 'REQUEST_CONFLICT', message: 'an epoch that has ended does not begin again' }
  }
  return undefined
}

function toEpoch({ agent, n, bootEpoch, nkey, receiptKey }: BootCall): EpochRecord {
  return { agent, n, boot_epoch: bootEpoch, nkey, receiptKey }
}
