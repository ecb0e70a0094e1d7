// A session that a chat can be held with, in memory: turns as the assistant's own rules have them, documents
// as they were put, and runs that are begun and never watched.

import { createHash } from 'node:crypto'
import type { Session } from '../../cli/session.ts'
import type { RequestCall, RequestSummary } from '../../notary/contract.ts'
import type { TurnReply } from '../../temporal/assistant-client.ts'
import { type Conversation, emptyConversation } from '../../workflows/assistant-contract.ts'
import { accept, answer, begun, mayBegin, say, type Taken } from '../../workflows/conversation.ts'

export interface FakeChat {
  readonly session: Session
  /** What was called, in its order. */
  readonly calls: string[]
  conversation: Conversation
  readonly documents: Map<string, { readonly requestId: string; readonly content: string }>
  /** What was registered, in its order. */
  readonly registered: RequestCall[]
  /** By request: what the notary says has come of its steps. */
  readonly settled: Map<string, RequestSummary['steps']>
  /** What the notary says to a registration. */
  registers: Awaited<ReturnType<Session['request']>>
}

const unknownRequest = {
  status: 'REFUSED',
  code: 'UNKNOWN_REQUEST',
  message: 'no such request',
} as const

/** Thrown where a run would be watched. */
export class Watched extends Error {}

export function fakeChat(state: string): FakeChat {
  const put = (requestId: string, content: string) => {
    const ref = createHash('sha256').update(requestId).update(content).digest('hex')
    fake.documents.set(ref, { requestId, content })
    return Promise.resolve({ status: 'STORED', ref } as const)
  }
  const take = (call: string, taken: Taken): Promise<TurnReply> => {
    fake.calls.push(call)
    if ('refusal' in taken) return Promise.resolve({ status: 'REFUSED', code: taken.refusal })
    fake.conversation = taken.conversation
    return Promise.resolve({ status: 'TAKEN', turn: taken.turn })
  }
  const known: Pick<
    Session,
    | 'state'
    | 'account'
    | 'assistant'
    | 'putTurn'
    | 'putRequest'
    | 'getArtifact'
    | 'request'
    | 'query'
    | 'close'
  > = {
    state,
    account: 'cli',
    assistant: {
      conversation: () => Promise.resolve(fake.conversation),
      say: (input) => take(`say ${input.turnId}`, say(fake.conversation, input, 1)),
      answer: (input) => take(`answer ${input.status}`, answer(fake.conversation, input)),
      accept: (input) => take('accept', accept(fake.conversation, input)),
      begin: (input) => {
        const may = mayBegin(fake.conversation, input)
        return take('begin', 'refusal' in may ? may : begun(fake.conversation, may.turn.turnId))
      },
    },
    putTurn: put,
    putRequest: put,
    getArtifact: (ref) => {
      const found = fake.documents.get(ref)
      if (found === undefined) return Promise.resolve({ status: 'REFUSED', code: 'NOT_FOUND' })
      return Promise.resolve({ status: 'FOUND', kind: 'turn', ...found })
    },
    request: (call) => {
      fake.calls.push(`request ${call.requestId}`)
      fake.registered.push(call)
      return Promise.resolve(fake.registers)
    },
    query: (call) => {
      const steps = call.what === 'request' ? fake.settled.get(call.requestId) : undefined
      if (call.what !== 'request' || steps === undefined) return Promise.resolve(unknownRequest)
      const { requestId } = call
      const about = { requestId, kind: 'recipe', name: 'x', user: 'user:owner', createdAt: 0 }
      const requests = [{ ...about, cancelled: false, steps: [...steps] }]
      return Promise.resolve({ status: 'REQUESTS', requests })
    },
    close: () => Promise.resolve(),
  }
  const session = new Proxy(known as Session, {
    get: (target, name) => {
      // A promise looks whether it is one.
      if (name in target || name === 'then') return target[name as keyof Session]
      throw new Watched(`nobody looks at ${String(name)} here`)
    },
  })
  const fake: FakeChat = {
    session,
    calls: [],
    conversation: emptyConversation,
    documents: new Map(),
    registered: [],
    settled: new Map(),
    registers: { status: 'REGISTERED', digest: 'd', user: 'owner' },
  }
  return fake
}
