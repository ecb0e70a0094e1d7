// One authenticated connection to the bus: TLS 1.3 with the handshake first, a client certificate
// and an nkey, an inbox prefix of its own. Every process connects through here, so that transport
// errors are mapped once. Says nothing about who may call what: that is the server's accounts file.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  connect,
  InvalidArgumentError,
  type Msg,
  type NatsConnection,
  NoRespondersError,
  nkeyAuthenticator,
  PermissionViolationError,
  RequestError,
  type Subscription,
  TimeoutError,
} from '@nats-io/transport-node'
import { z } from 'zod'
import { agentMessageSchema, createMessage, isExpired, type MessageHead } from './message.ts'
import { parseStrictJson } from './verify/strict-json.ts'

/** `NOT_DELIVERED`: nobody was there, safe to send again. `TIMEOUT`: sent, outcome unknown. */
export type BusErrorCode = 'NOT_DELIVERED' | 'TIMEOUT' | 'PERMISSION' | 'CLOSED' | 'MALFORMED'

export class BusError extends Error {
  override readonly name = 'BusError'
  readonly code: BusErrorCode
  constructor(code: BusErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** `bus.json` in a party's credentials folder; beside it ca.pem, cert.pem, key.pem and nkey.seed. */
export const busAddressSchema = z.strictObject({
  host: z.string(),
  port: z.number().int(),
  /** The account's name, lower case, e.g. `worker`; names the inbox prefix too. */
  account: z.string().regex(/^[a-z][a-z0-9_-]{0,60}$/),
})

export interface BusOptions {
  /** Folder with bus.json, ca.pem, cert.pem, key.pem, nkey.seed. */
  readonly credentials: string
  /** Connects there instead of to the address in bus.json (the sandbox's own loopback). */
  readonly address?: { readonly host: string; readonly port: number }
  /** False: the connection ends for good when the server goes away (agents leave then). */
  readonly reconnect: boolean
}

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
  const file = (name: string) => join(options.credentials, name)
  const address = busAddressSchema.parse(JSON.parse(readFileSync(file('bus.json'), 'utf8')))
  const { host, port } = options.address ?? address
  let connection: NatsConnection
  try {
    connection = await connect({
      servers: `${host}:${port}`,
      name: address.account,
      inboxPrefix: `_INBOX_${address.account}`,
      authenticator: nkeyAuthenticator(readFileSync(file('nkey.seed'))),
      tls: {
        handshakeFirst: true,
        caFile: file('ca.pem'),
        certFile: file('cert.pem'),
        keyFile: file('key.pem'),
      },
      reconnect: options.reconnect,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
      timeout: 5_000,
      // A server that hangs without closing is noticed in half a minute, not in the default six.
      pingInterval: 10_000,
      maxPingOut: 2,
    })
  } catch (cause) {
    throw new BusError('NOT_DELIVERED', `cannot connect to the bus at ${host}:${port}`, { cause })
  }
  return createBus(connection, address.account)
}

function createBus(connection: NatsConnection, account: string): Bus {
  const subscriptions: Subscription[] = []
  const running = new Set<Promise<void>>()
  let failure: BusError | undefined
  const encode = (head: Omit<MessageHead, 'sender'>, payload: unknown) =>
    JSON.stringify(createMessage({ ...head, sender: account }, payload, Date.now()))
  return {
    account,
    async call(subject, head, payload, { reply, timeoutMs }) {
      let answer: Msg
      try {
        answer = await connection.request(subject, encode({ ttl: timeoutMs, ...head }, payload), {
          timeout: timeoutMs,
        })
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
        connection.publish(subject, encode(head, payload))
      } catch (cause) {
        throw toBusError(cause, subject)
      }
    },
    serve(subject, handler, { type, onMalformed }) {
      const answer = async (message: Msg): Promise<void> => {
        const parsed = agentMessageSchema.safeParse(decodeMessage(message.data))
        const respond = (correlationId: string, receiver: string, payload: unknown) => {
          if (payload === undefined || connection.isClosed()) return
          message.respond(encode({ receiver, type, correlationId }, payload))
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
      // A handler that throws is a bug of ours: the process ends and the supervisor restarts it.
      const callback = (error: Error | null, message: Msg) => {
        if (error !== null) {
          // Whoever may not serve what it is there for must not look alive.
          failure = toBusError(error, subject)
          void connection.close()
          return
        }
        const answering = answer(message).finally(() => running.delete(answering))
        running.add(answering)
      }
      subscriptions.push(connection.subscribe(subject, { callback }))
    },
    async flush() {
      try {
        await connection.flush()
      } catch (cause) {
        throw toBusError(cause, 'flush')
      }
    },
    closed: async () => {
      const error = await connection.closed()
      return failure ?? error ?? undefined
    },
    async close() {
      if (connection.isClosed()) return
      // First no new calls, then the answers to those in progress, then the end.
      await Promise.all(subscriptions.map((each) => each.drain()))
      await Promise.allSettled(running)
      await connection.drain()
    },
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
