// What a party says on the bus and how it answers: calls, messages and what is served, over one
// authenticated connection (bus-connection.ts) that is exchanged for another when the party's
// credentials are renewed. Every process connects through here, so that transport errors are mapped
// once. Says nothing about who may call what: that is the server's accounts file.

import {
  InvalidArgumentError,
  type Msg,
  NoRespondersError,
  PermissionViolationError,
  RequestError,
  TimeoutError,
} from '@nats-io/transport-node'
import type { z } from 'zod'
import { type Answer, type BusOptions, createLinks, type Links } from './bus-connection.ts'
import { BusError } from './bus-error.ts'
import { agentMessageSchema, createMessage, isExpired, type MessageHead } from './message.ts'
import { parseStrictJson } from './verify/strict-json.ts'

export { type BusOptions, busAddressSchema, connectionOptions } from './bus-connection.ts'
export { BusError, type BusErrorCode } from './bus-error.ts'

export interface Bus {
  readonly account: string
  /**
   * Sends one message and waits for one reply payload, parsed by `reply`.
   * @throws BusError
   */
  call<T>(
    subject: string,
    head: Omit<MessageHead, 'sender'>,
    payload: unknown,
    options: { readonly reply: z.ZodType<T>; readonly timeoutMs: number },
  ): Promise<T>
  /**
   * Sends without waiting.
   * @throws BusError CLOSED, or MALFORMED for what is too large
   */
  publish(subject: string, head: Omit<MessageHead, 'sender'>, payload: unknown): void
  /**
   * Answers each message on `subject` (wildcards allowed). The handler gets the subject as the
   * server mapped it and the parsed payload; what it returns is the reply's payload. Malformed and
   * expired messages get no reply unless `onMalformed` gives one; nor does a message whose handler
   * returns undefined. When the server refuses the subscription, the connection is closed.
   */
  serve(
    subject: string,
    handler: (call: {
      readonly subject: string
      readonly payload: unknown
      readonly correlationId: string
    }) => Promise<unknown>,
    options: {
      readonly type: MessageHead['type']
      readonly onMalformed?: (code: 'MALFORMED' | 'EXPIRED_MESSAGE') => unknown
    },
  ): void
  /**
   * Resolves when the server has taken in everything sent so far. Whoever serves waits for it before
   * saying that it is ready: until then a call can still be NOT_DELIVERED.
   * @throws BusError CLOSED
   */
  flush(): Promise<void>
  /** Resolves when the connection is closed for good, with the error if there was one. */
  closed(): Promise<Error | undefined>
  /** Ends after the calls in progress are answered. */
  close(): Promise<void>
}

/**
 * Connects with the credentials of one folder.
 * @throws BusError NOT_DELIVERED when the server cannot be reached or refuses the credentials
 */
export async function connectBus(options: BusOptions): Promise<Bus> {
  return createBus(await createLinks(options))
}

function createBus(links: Links): Bus {
  const { account } = links
  const encode = (head: Omit<MessageHead, 'sender'>, payload: unknown) =>
    JSON.stringify(createMessage({ ...head, sender: account }, payload, Date.now()))
  return {
    account,
    async call(subject, head, payload, { reply, timeoutMs }) {
      let answer: Msg
      try {
        answer = await links.use((connection) =>
          connection.request(subject, encode({ ttl: timeoutMs, ...head }, payload), {
            timeout: timeoutMs,
          }),
        )
      } catch (cause) {
        throw toBusError(cause, subject)
      }
      const message = agentMessageSchema.safeParse(decodeMessage(answer.data))
      const parsed = reply.safeParse(message.data?.payload)
      if (!message.success || !parsed.success) {
        throw new BusError('MALFORMED', `reply on ${subject} does not fit its schema`, {
          cause: message.error ?? parsed.error,
        })
      }
      return parsed.data
    },
    publish(subject, head, payload) {
      try {
        links.current().publish(subject, encode(head, payload))
      } catch (cause) {
        throw toBusError(cause, subject)
      }
    },
    serve(subject, handler, { type, onMalformed }) {
      const answer: Answer = async (message, send) => {
        const parsed = agentMessageSchema.safeParse(decodeMessage(message.data))
        const respond = (correlationId: string, receiver: string, payload: unknown) => {
          if (payload !== undefined) {
            send(encode({ receiver, type, correlationId }, payload))
          }
        }
        if (!parsed.success || isExpired(parsed.data, Date.now())) {
          respond('', 'unknown', onMalformed?.(parsed.success ? 'EXPIRED_MESSAGE' : 'MALFORMED'))
          return
        }
        const { payload, correlationId, sender } = parsed.data
        respond(
          correlationId,
          sender,
          await handler({ subject: message.subject, payload, correlationId }),
        )
      }
      links.serve(subject, answer, (error) => toBusError(error, subject))
    },
    async flush() {
      try {
        await links.current().flush()
      } catch (cause) {
        throw toBusError(cause, 'flush')
      }
    },
    closed: () => links.closed,
    close: () => links.close(),
  }
}

// The bus's max_payload, and the 32 levels of any content below the envelope and a call's own shape.
const messageLimits = { maxBytes: 2 * 1024 * 1024, maxDepth: 40 }
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * A message's bytes as JSON; undefined for what has no single meaning, which no schema of ours
 * accepts. Silent: a peer that floods garbage must not fill our log.
 */
export function decodeMessage(bytes: Uint8Array): unknown {
  try {
    return parseStrictJson(utf8.decode(bytes), messageLimits)
  } catch {
    return undefined
  }
}

function toBusError(cause: unknown, subject: string): BusError {
  const root = cause instanceof RequestError && cause.cause !== undefined ? cause.cause : cause
  if (
    root instanceof NoRespondersError ||
    (cause instanceof RequestError && cause.isNoResponders())
  ) {
    return new BusError('NOT_DELIVERED', `nobody serves ${subject}`, { cause })
  }
  if (root instanceof TimeoutError) {
    return new BusError('TIMEOUT', `no reply on ${subject} in time`, { cause })
  }
  if (root instanceof PermissionViolationError) {
    return new BusError('PERMISSION', `not permitted: ${subject}`, { cause })
  }
  if (root instanceof InvalidArgumentError) {
    return new BusError('MALFORMED', `message on ${subject} is not one the bus carries`, { cause })
  }
  return new BusError('CLOSED', `the connection to the bus is closed`, { cause })
}
