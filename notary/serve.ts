// Binds the notary's calls to the bus. Who called is the last part of the subject, which the server
// appended when it mapped the caller's import; the message's own `sender` is never read. Decides
// nothing.

import type { Bus } from '../security/bus.ts'
import type { MessageType } from '../security/message.ts'
import type { Notary } from './notary.ts'
import { type NotaryCall, notaryCalls } from './permissions.ts'
import { togetherCall, togetherCalls } from './together-contract.ts'

const replyTypes: Readonly<Record<NotaryCall, MessageType>> = {
  request: 'TASK_RESPONSE',
  cancel: 'TASK_RESPONSE',
  recover: 'TASK_RESPONSE',
  schedule: 'TASK_RESPONSE',
  approve: 'TASK_RESPONSE',
  admit: 'VALIDATION_RESPONSE',
  authorize: 'VALIDATION_RESPONSE',
  settle: 'VALIDATION_RESPONSE',
  boot: 'STATUS_UPDATE',
  event: 'STATUS_UPDATE',
  quarantine: 'STATUS_UPDATE',
  query: 'RETRIEVAL_RESPONSE',
  head: 'RETRIEVAL_RESPONSE',
}

/** Subscribes; replies from then on. */
export function serveNotary(bus: Pick<Bus, 'serve' | 'publish'>, notary: Notary): void {
  for (const name of notaryCalls) {
    bus.serve(
      `notary.${name}.*`,
      ({ subject, payload }) =>
        answerEach(name, payload, (call) => notary[name](lastOf(subject), call)),
      { type: replyTypes[name], onMalformed: (code) => malformed(name, code) },
    )
  }
  bus.serve(
    'evt.*.*',
    async ({ subject, payload }) => {
      const replica = subject.slice('evt.'.length)
      const reply = await notary.agentEvent(replica, payload)
      if (reply.status !== 'HEARTBEAT') return reply
      const { heartbeat } = reply
      const head = { receiver: 'supervisor', type: 'HEARTBEAT', correlationId: '' } as const
      bus.publish('supervisor.heartbeat', head, { replica, heartbeat })
      return undefined
    },
    { type: 'STATUS_UPDATE' },
  )
}

/** A message of several calls has as many answers; each call is judged as if it had come alone. */
async function answerEach(
  name: NotaryCall,
  payload: unknown,
  answer: (call: unknown) => Promise<unknown>,
): Promise<unknown> {
  const mayBeSeveral = togetherCalls.some((one) => one === name)
  const several = mayBeSeveral ? togetherCall.safeParse(payload) : undefined
  if (several?.success !== true) return await answer(payload)
  return { replies: await Promise.all(several.data.calls.map(answer)) }
}

function lastOf(subject: string): string {
  return subject.slice(subject.lastIndexOf('.') + 1)
}

/**
 * Of a message whose envelope cannot be read, or that is too old: not recorded, because it is cheap.
 * Too old is no answer to what was asked: one of the two clocks is wrong, and may soon be right.
 */
function malformed(name: NotaryCall, code: 'MALFORMED' | 'EXPIRED_MESSAGE') {
  const message = code === 'MALFORMED' ? 'not a message' : 'the message is too old'
  return name === 'authorize'
    ? { status: 'DENIED', rules: [], code, message }
    : { status: 'REFUSED', code, message }
}
