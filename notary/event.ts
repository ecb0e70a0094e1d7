// `notary.event` and `evt.<agent>.<n>`: security and life-cycle events. Limited per source; beyond
// the limit they are counted, and one row says how many. Texts from outside are kept as commitments,
// because an event must not carry a person's data into a log that is never erased.

import { type Heartbeat, heartbeatSchema } from '../agents/protocol.ts'
import type { JsonValue } from '../security/verify/canonical-json.ts'
import type { NotaryContext } from './context.ts'
import { type EventCall, type EventReply, eventCall } from './contract.ts'
import { type Attribution, attributeEvent } from './event-source.ts'
import { raiseReported } from './quarantine.ts'
import type { Overflow } from './rate-limiter.ts'
import type { Writer } from './store.ts'

/** Members of a summary; more is a document, not an event. */
const maxMembers = 20
const memberName = /^[a-zA-Z][a-zA-Z0-9]{0,39}$/
/** What our own processes may say in clear: names, versions, codes, ids. */
const plainText = /^[A-Za-z0-9_.:/-]{1,120}$/
/** What an agent may say in clear: a code. Anything longer could be content. */
const codeText = /^[A-Z][A-Z0-9_]{0,39}$/

const malformed: EventReply = {
  status: 'REFUSED',
  code: 'MALFORMED',
  message: 'not an event of the permitted shape',
}

/** By supervisor and gateway. @throws StoreError */
export async function event(
  context: NotaryContext,
  call: EventCall,
  account: string,
): Promise<EventReply> {
  const subject = plainText.test(call.subject) ? call.subject : account
  const attributed = attributeEvent(context, call, account)
  if ('code' in attributed) {
    return { status: 'REFUSED', code: attributed.code, message: 'the run it names is refused' }
  }
  return record(context, call, { actor: account, subject, clear: plainText, ...attributed })
}

/** Of a replica that the subject names: passed on to those who show it, and not recorded. */
export interface HeartbeatTaken {
  readonly status: 'HEARTBEAT'
  readonly heartbeat: Heartbeat
}

/** By an agent replica, named by the subject that the server mapped. @throws StoreError */
export async function agentEvent(
  context: NotaryContext,
  payload: unknown,
  replica: string,
): Promise<EventReply | HeartbeatTaken> {
  const actor = `agent:${replica}`
  const beat = heartbeatSchema.safeParse(payload)
  if (beat.success) {
    // A measurement, nothing decided or done: a row for each would be a million a year. It counts
    // against the bound of all that an agent says, and a flood of them is reported as any other.
    const within = context.events.take(actor, sizeOf(payload), context.clock.now())
    return within ? { status: 'HEARTBEAT', heartbeat: beat.data } : { status: 'COUNTED' }
  }
  const call = eventCall.safeParse(payload)
  // Malformed events count too: else they would be the cheap way to flood.
  if (!call.success || call.data.correlation !== undefined) {
    context.events.take(actor, sizeOf(payload ?? null), context.clock.now())
    return malformed
  }
  const own = { source: actor, correlation: '', step: undefined }
  return record(context, call.data, { actor, subject: actor, clear: codeText, ...own })
}

async function record(
  context: NotaryContext,
  call: EventCall,
  from: Attribution & { readonly actor: string; readonly subject: string; readonly clear: RegExp },
): Promise<EventReply> {
  const { actor, subject, clear, source, correlation, step } = from
  const members = Object.entries(call.summary)
  if (members.length > maxMembers || members.some(([name]) => !memberName.test(name))) {
    return malformed
  }
  if (!context.events.take(source, sizeOf(call), context.clock.now())) return { status: 'COUNTED' }
  const body = Object.fromEntries(
    members.map(([name, value]): [string, JsonValue] => [
      name,
      typeof value === 'string' && !clear.test(value)
        ? { commitment: context.commit(value) }
        : value,
    ]),
  )
  if (step !== undefined) body['step'] = step
  await context.store.commit('fact', (writer) => {
    writer.append({ kind: call.kind, actor, subject, correlation, body })
    raiseReported(writer, { actor, kind: call.kind, code: body['code'] })
  })
  return { status: 'RECORDED' }
}

/** Of a value that came as JSON, so that it has a text. */
function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}

/** One row for what a source sent beyond its limit in a minute that is over. */
export function appendOverflow(writer: Writer, what: string, { source, count, bytes }: Overflow) {
  writer.append({
    kind: 'security',
    actor: 'notary',
    subject: source,
    correlation: '',
    body: { code: 'RATE_LIMITED', what, count, bytes },
  })
}
