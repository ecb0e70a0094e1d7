// A worker that is wholly compromised: the real worker's credentials, none of its code. It can be
// honest (register, admit, authorise, send, settle, as the dispatcher does) or ask for anything.

import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { z } from 'zod'
import { ensureReplySchema, replySchema } from '../../agents/protocol.ts'
import {
  type AdmitReply,
  type AuthorizeReply,
  admitReply,
  authorizeReply,
  type CancelReply,
  cancelReply,
  queryReply,
  type RequestReply,
  recoverReply,
  requestReply,
  type SettleReply,
  type Source,
  settleReply,
} from '../../notary/contract.ts'
import { connectBus } from '../../security/bus.ts'
import { saltedHash } from '../../security/verify/hash.ts'

export interface Ask {
  readonly requestId: string
  readonly planDigest: string
  readonly kind?: 'do' | 'undo' | 'probe'
  readonly op?: 'run' | 'attach' | 'cancel'
  readonly rerun?: number
  readonly step: string
  readonly args?: Readonly<Record<string, unknown>>
  readonly sources?: readonly Source[]
}

export interface Done {
  /** Exact bytes of the result. */
  readonly content: string
  readonly hash: string
}

const timeoutMs = 20_000

/** Credentials of the worker and, for registering and reading, of the owner's command. */
export async function createWorkerDouble(state: string) {
  const worker = await connectBus({ credentials: join(state, 'worker', 'bus'), reconnect: false })
  const owner = await connectBus({ credentials: join(state, 'cli', 'bus'), reconnect: false })
  const head = { receiver: 'notary', type: 'TASK_REQUEST', correlationId: 'double' } as const
  const ask = <T>(subject: string, payload: unknown, reply: z.ZodType<T>): Promise<T> =>
    worker.call(subject, head, payload, { reply, timeoutMs })
  const addressed = ({ kind = 'do', op = 'run', args = {}, sources = [], ...rest }: Ask) => ({
    call: { ...rest, kind, iteration: 0, op, args, sources },
    address: { ...rest, kind, iteration: 0 },
  })
  const double = {
    /** As the owner: a plan file. */
    register(source: string, requestId = `double-${randomUUID().slice(0, 8)}`) {
      const call = {
        requestId,
        kind: 'plan',
        name: 'double',
        source,
        inputs: {},
        priority: 'MEDIUM',
      }
      const reply: Promise<RequestReply> = owner.call('notary.request', head, call, {
        reply: requestReply,
        timeoutMs,
      })
      return reply.then((answer) => ({ requestId, answer }))
    },
    /** As the owner: words. */
    ask(words: string, requestId = `double-${randomUUID().slice(0, 8)}`) {
      const about = { name: 'ask', inputs: {}, priority: 'MEDIUM' }
      const call = { requestId, kind: 'text', source: words, ...about }
      const reply: Promise<RequestReply> = owner.call('notary.request', head, call, {
        reply: requestReply,
        timeoutMs,
      })
      return reply.then((answer) => ({ requestId, answer }))
    },
    cancel: (requestId: string): Promise<CancelReply> =>
      owner.call('notary.cancel', head, { requestId }, { reply: cancelReply, timeoutMs }),
    admit: (requestId: string, plan: unknown): Promise<AdmitReply> =>
      ask('notary.admit', { requestId, plan }, admitReply),
    /** What stands behind earlier results, for the person of that request. */
    handles: (requestId: string, handles: readonly string[]): Promise<AdmitReply> =>
      ask('notary.admit', { requestId, handles }, admitReply),
    propose: (requestId: string, proposal: string): Promise<AdmitReply> =>
      ask('notary.admit', { requestId, proposal }, admitReply),
    async authorize(question: Ask): Promise<AuthorizeReply> {
      const { call } = addressed(question)
      for (;;) {
        const reply = await ask('notary.authorize', call, authorizeReply)
        if (reply.status !== 'NOT_RUNNING') return reply
        await ask('supervisor.ensure', { agent: reply.agent, n: reply.n }, ensureReplySchema)
      }
    },
    /** What only an entry point may ask. */
    recover: (payload: unknown) =>
      worker.call('notary.recover', head, payload, { reply: recoverReply, timeoutMs: 3_000 }),
    settle: (payload: unknown): Promise<SettleReply> => ask('notary.settle', payload, settleReply),
    exec: (subject: string, payload: unknown) => ask(subject, payload, replySchema),
    /** The honest way of one step; throws when it is refused. */
    async perform(question: Ask): Promise<Done> {
      const granted = await double.authorize(question)
      if (granted.status !== 'AUTHORISED') throw new Error(`refused: ${JSON.stringify(granted)}`)
      const { args = {} } = question
      const { token, salt, subject } = granted
      const reply = await double.exec(subject, { op: 'run', token, args, salt })
      if (reply.status !== 'DONE') throw new Error(`not done: ${JSON.stringify(reply)}`)
      const { receipt, envelope, result: content } = reply
      const settled = await double.settle({
        ...addressed(question).address,
        ...{ type: 'receipt', receipt, envelope, invalidResult: false },
      })
      if (settled.status !== 'SETTLED') throw new Error(`not settled: ${JSON.stringify(settled)}`)
      return { content, hash: saltedHash(salt, content) }
    },
    /** Rows of minted tokens for one request so far. */
    async minted(requestId: string): Promise<number> {
      const call = { what: 'rows', from: 1, limit: 500, requestId, kind: 'mint' }
      const reply = await owner.call('notary.query', head, call, { reply: queryReply, timeoutMs })
      if (reply.status !== 'ROWS') throw new Error('no rows')
      return reply.rows.length
    },
    async close() {
      await Promise.all([worker.close(), owner.close()])
    },
  }
  return double
}

export type WorkerDouble = Awaited<ReturnType<typeof createWorkerDouble>>
