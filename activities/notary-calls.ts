// The worker's calls to the notary and to the agents, over its one bus connection. Owns time limits
// and the mapping of transport errors; decides nothing. A token passes through here to its agent and
// is neither kept nor logged.

import { setTimeout as delay } from 'node:timers/promises'
import type { z } from 'zod'
import {
  type EnsureReply,
  type ExecRequest,
  ensureReplySchema,
  type Reply,
  replySchema,
} from '../agents/protocol.ts'
import {
  type AdmitCall,
  type AdmitReply,
  type AuthorizeCall,
  type AuthorizeReply,
  admitReply,
  authorizeReply,
  type SettleCall,
  type SettleReply,
  settleReply,
} from '../notary/contract.ts'
import { mostTogether, type togetherCalls, togetherReply } from '../notary/together-contract.ts'
import type { Priority } from '../plan/schema.ts'
import { type Bus, BusError } from '../security/bus.ts'
import { toCommandFailure, toNotaryFailure } from './failure.ts'
import { sendTogether } from './together.ts'

export interface NotaryCalls {
  /** Each throws AttemptFailure when the notary cannot be reached. */
  admit(call: AdmitCall): Promise<AdmitReply>
  authorize(call: AuthorizeCall): Promise<AuthorizeReply>
  settle(call: SettleCall): Promise<SettleReply>
}

/** Of an effect that is out. */
export interface FollowCommand extends Omit<Command, 'args'> {
  readonly op: 'attach' | 'cancel'
}

export interface Command {
  /** Bus subject of the replica, as the notary named it. */
  readonly subject: string
  readonly token: string
  readonly args: Readonly<Record<string, unknown>>
  readonly salt: string
  readonly correlationId: string
  readonly timeoutMs: number
}

export interface AgentCalls {
  /** The same calls, their messages with the priority of a run. */
  at(priority: Priority): AgentCalls
  /** @throws AttemptFailure NOT_DELIVERED, NO_REPLY, REPLY_INVALID or NOT_PERMITTED */
  run(command: Command): Promise<Reply>
  /** @throws AttemptFailure as `run` does */
  follow(command: FollowCommand): Promise<Reply>
  /** Has the replica's sandbox started, and waits until it serves. @throws AttemptFailure */
  ensure(replica: { readonly agent: string; readonly n: number }): Promise<EnsureReply>
}

/** Characters of the calls in one message: an eighth of what the bus takes. */
const togetherLength = 256 * 1024
/** A decision is a few milliseconds and a group commit; more means that it is being restarted. */
const notaryTimeoutMs = 10_000
/** A restarted notary or supervisor is back within this; waiting here burns no attempt. */
const absentForMs = 20_000
const absentPollMs = 250
/** A cold sandbox on a busy machine; below the attempt's own limit. */
const ensureTimeoutMs = 60_000

export function createNotaryCalls(bus: Bus): NotaryCalls {
  const ask = createAsk(bus)
  const one = <T>(name: string, call: { readonly requestId: string }, reply: z.ZodType<T>) =>
    ask(name, { correlationId: call.requestId, payload: call }, reply)
  return {
    admit: (call) => one('admit', call, admitReply),
    authorize: (call) => one('authorize', call, authorizeReply),
    settle: (call) => one('settle', call, settleReply),
  }
}

/**
 * The same calls for steps that go side by side: those of one moment, and those that are made while
 * others are out, share a message. They wait for each other, which a step of its own should not.
 */
export function createSharedNotaryCalls(bus: Bus): NotaryCalls {
  const ask = createAsk(bus)
  const together = <Call extends { readonly requestId: string }, Reply extends z.ZodType>(
    name: (typeof togetherCalls)[number],
    reply: Reply,
  ) =>
    sendTogether<Call, z.output<Reply>>(
      async (calls) => {
        const correlationId = calls[0]?.requestId ?? ''
        const message = { correlationId, payload: { calls } }
        return (await ask(name, message, togetherReply(reply, calls.length))).replies
      },
      { calls: mostTogether, length: togetherLength },
    )
  return {
    ...createNotaryCalls(bus),
    authorize: together<AuthorizeCall, typeof authorizeReply>('authorize', authorizeReply),
    settle: together<SettleCall, typeof settleReply>('settle', settleReply),
  }
}

function createAsk(bus: Bus) {
  return async <T>(
    name: string,
    { correlationId, payload }: { readonly correlationId: string; readonly payload: unknown },
    reply: z.ZodType<T>,
  ): Promise<T> => {
    const head = { receiver: 'notary', type: 'VALIDATION_REQUEST', correlationId } as const
    try {
      return await whilePresent(() =>
        bus.call(`notary.${name}`, head, payload, { reply, timeoutMs: notaryTimeoutMs }),
      )
    } catch (error) {
      throw toNotaryFailure(error)
    }
  }
}

export function createAgentCalls(bus: Bus, priority: Priority = 'MEDIUM'): AgentCalls {
  const exec = async (
    { subject, correlationId, timeoutMs }: Pick<Command, 'subject' | 'correlationId' | 'timeoutMs'>,
    payload: ExecRequest,
  ): Promise<Reply> => {
    const head = { receiver: subject, type: 'TASK_REQUEST', correlationId, priority } as const
    try {
      return await bus.call(subject, head, payload, { reply: replySchema, timeoutMs })
    } catch (error) {
      throw toCommandFailure(error)
    }
  }
  return {
    at: (given) => createAgentCalls(bus, given),
    run: ({ token, args, salt, ...to }) => exec(to, { op: 'run', token, args, salt }),
    follow: ({ op, token, salt, ...to }) => exec(to, { op, token, salt }),
    async ensure(replica) {
      const correlationId = `${replica.agent}.${replica.n}`
      const to = { receiver: 'supervisor', correlationId, priority } as const
      const head = { ...to, type: 'TASK_REQUEST' } as const
      try {
        return await whilePresent(() =>
          bus.call('supervisor.ensure', head, replica, {
            reply: ensureReplySchema,
            timeoutMs: ensureTimeoutMs,
          }),
        )
      } catch (error) {
        if (!(error instanceof BusError)) throw error
        return { status: 'FAILED', code: error.code, message: 'the supervisor does not answer' }
      }
    },
  }
}

/** Repeats what was certainly not delivered, while the callee may only be restarting. */
async function whilePresent<T>(call: () => Promise<T>): Promise<T> {
  const until = Date.now() + absentForMs
  for (;;) {
    try {
      return await call()
    } catch (error) {
      const absent = error instanceof BusError && error.code === 'NOT_DELIVERED'
      if (!absent || Date.now() >= until) throw error
      await delay(absentPollMs)
    }
  }
}
