// Which replicas are shut out, and why. The truth of it: the supervisor enforces what stands here
// (enforcement.ts tells it), and from the moment of the row nothing is authorised for such a replica.
// A receipt of what it did before is still a fact and settles as usual. What leads to a quarantine by
// itself is quarantine-policy.ts's.

import { numbersOf } from '../plan/replicas.ts'
import type { JsonValue } from '../security/verify/canonical-json.ts'
import { type NotaryContext, recordRefusal } from './context.ts'
import type {
  QuarantineCall,
  QuarantineEntry,
  QuarantineReply,
  Signal,
} from './quarantine-contract.ts'
import { decideSignal } from './quarantine-policy.ts'
import type { Overflow } from './rate-limiter.ts'
import type { EffectRecord, State } from './state.ts'
import type { Writer } from './store.ts'

/** `notary.quarantine`. @throws StoreError */
export function quarantine(
  context: NotaryContext,
  call: QuarantineCall,
  account: string,
): Promise<QuarantineReply> {
  return context.store.commit('fact', (writer): QuarantineReply => {
    if (call.op === 'list') return tableOf(writer.state)
    const { agent, n } = call
    const manifest = context.catalogue.get(agent)
    if (manifest === undefined || !numbersOf(manifest, context.slots ?? {}).includes(n)) {
      const refusal = { code: 'MALFORMED', message: 'no manifest declares this replica' } as const
      const about = { call: 'quarantine', account, subject: `${agent}.${n}`, correlation: '' }
      recordRefusal(context, writer, { ...about, ...refusal })
      return { status: 'REFUSED', ...refusal }
    }
    switch (call.op) {
      case 'set':
        shutOut(writer, { agent, n, by: call.by, code: 'OWNER', reason: call.reason })
        break
      case 'lift':
        lift(writer, call)
        break
      case 'signal':
        raise(writer, call.signal, { agent, n }, { reason: `from port ${call.port}` })
        break
    }
    return tableOf(writer.state)
  })
}

function tableOf(state: State): QuarantineReply {
  return { status: 'QUARANTINED', entries: [...state.quarantines()] }
}

/** The first cause stays: a later one is a row of the audit, and not a new quarantine. */
function shutOut(writer: Writer, entry: Omit<QuarantineEntry, 'since'>): void {
  const { agent, n, by, code, reason } = entry
  if (writer.state.quarantine(agent, n) !== undefined) return
  writer.state.insertQuarantine({ ...entry, since: writer.now })
  append(
    writer,
    { actor: by, subject: `agent:${agent}.${n}` },
    { event: 'quarantined', code, reason },
  )
}

function lift(writer: Writer, call: Extract<QuarantineCall, { op: 'lift' }>): void {
  const { agent, n, by, reason } = call
  const entry = writer.state.quarantine(agent, n)
  if (entry === undefined) return
  writer.state.removeQuarantine(agent, n)
  const { since, code } = entry
  const about = { actor: by, subject: `agent:${agent}.${n}` }
  append(writer, about, { event: 'restored', since, code, reason })
}

function append(
  writer: Writer,
  about: { readonly actor: string; readonly subject: string },
  body: Record<string, JsonValue>,
): void {
  writer.append({ kind: 'security', correlation: '', ...about, body })
}

/**
 * Records a sign of trouble with a replica, and shuts it out where the policy says so. Inside a job,
 * so that evidence and consequence are on disk together. A replica that is shut out raises nothing
 * more; the others' signals are bounded by what carries them.
 */
export function raise(
  writer: Writer,
  signal: Signal,
  { agent, n }: { readonly agent: string; readonly n: number },
  details: { readonly minutes?: number; readonly reason?: string } = {},
): void {
  const { minutes = 1, reason = '' } = details
  const action = decideSignal(signal, minutes)
  if (writer.state.quarantine(agent, n) !== undefined) return
  const body = { code: signal, action, ...(reason === '' ? {} : { reason }) }
  append(writer, { actor: 'notary', subject: `agent:${agent}.${n}` }, body)
  if (action === 'quarantine') shutOut(writer, { agent, n, by: 'notary', code: signal, reason })
}

/** Its own key vouches for a receipt that is none, so that no worker can make this up. */
export function raiseForgery(
  writer: Writer,
  { agent, n }: Pick<EffectRecord, 'agent' | 'n'>,
): void {
  if (agent !== null && n !== null) raise(writer, 'FORGED_RECEIPT', { agent, n })
}

/** What an agent says of itself under a code that the policy knows. */
const reported: Readonly<Record<string, Signal>> = {
  IDEM_CONFLICT: 'IDEM_CONFLICT',
  REPLAY: 'REPLAY',
}

/** After an event of a replica that was recorded, in its job. */
export function raiseReported(
  writer: Writer,
  { actor, kind, code }: { readonly actor: string; readonly kind: string; readonly code: unknown },
): void {
  const replica = replicaOf(actor)
  if (replica === undefined || kind !== 'security' || typeof code !== 'string') return
  const signal = Object.hasOwn(reported, code) ? reported[code] : undefined
  if (signal !== undefined) raise(writer, signal, replica)
}

/** After a minute in which a source sent more events than are stored. */
export function raiseFlood(
  context: Pick<NotaryContext, 'streaks'>,
  writer: Writer,
  { source, minute }: Overflow,
): void {
  const replica = replicaOf(source)
  if (replica === undefined) return
  const minutes = context.streaks.add(source, minute)
  // Until then the row that counts what was not stored is report enough.
  if (decideSignal('EVENT_FLOOD', minutes) !== 'quarantine') return
  raise(writer, 'EVENT_FLOOD', replica, { minutes, reason: `${minutes} minutes in a row` })
}

function replicaOf(actor: string) {
  const [, agent, n] = /^agent:([a-z][a-z0-9-]*)\.(\d+)$/.exec(actor) ?? []
  return agent === undefined ? undefined : { agent, n: Number(n) }
}
