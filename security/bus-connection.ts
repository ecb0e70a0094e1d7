// One authenticated connection to the bus: TLS 1.3 with the handshake first, a client certificate and
// an nkey, an inbox prefix of its own. When the party's credentials are renewed it opens a second
// connection with the new ones, serves there, lets what is under way on the first one finish, and
// closes it: nobody who calls or is called notices. Knows no message formats; those are bus.ts's.

import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import {
  type ConnectionOptions,
  connect,
  type Msg,
  type NatsConnection,
  nkeyAuthenticator,
  type Subscription,
} from '@nats-io/transport-node'
import { z } from 'zod'
import { BusError } from './bus-error.ts'

/**
 * `bus.json` in a party's credentials folder; beside it ca.pem, cert.pem, key.pem and nkey.seed. It
 * is written last: when it changes, the others have changed before.
 */
export const busAddressSchema = z.strictObject({
  host: z.string(),
  port: z.number().int(),
  /** The account's name, lower case, e.g. `worker`; names the inbox prefix too. */
  account: z.string().regex(/^[a-z][a-z0-9_-]{0,60}$/),
  /** Digest of certificate and public nkey: another one is another identity of the same party. */
  identity: z.string().exactOptional(),
})

export interface BusOptions {
  /** Folder with bus.json, ca.pem, cert.pem, key.pem, nkey.seed. */
  readonly credentials: string
  /** Connects there instead of to the address in bus.json (the sandbox's own loopback). */
  readonly address?: { readonly host: string; readonly port: number }
  /** False: the connection ends for good when the server goes away (agents leave then). */
  readonly reconnect: boolean
  /**
   * True: moves to a new connection when the credentials in the folder are renewed. What it serves is
   * then served as one of a group, so that during the move each message still has one receiver.
   */
  readonly renew?: boolean
}

/** `respond` sends one reply, or nothing when the connection of the message has ended. */
export type Answer = (message: Msg, respond: (reply: string) => void) => Promise<void>

/** The connection of the moment, and what has to move with it. */
export interface Links {
  readonly account: string
  current(): NatsConnection
  /** Runs one call; the connection it runs on stays open until it has ended. */
  use<T>(call: (connection: NatsConnection) => Promise<T>): Promise<T>
  /**
   * Hands each message to `answer`, on this connection and on every later one. When the server
   * refuses the subscription everything is closed, with the error that `explain` makes of it.
   */
  serve(subject: string, answer: Answer, explain: (error: Error) => BusError): void
  /** Resolves when the connection is closed for good, with the error if there was one. */
  readonly closed: Promise<Error | undefined>
  /** Ends after the calls in progress are answered. */
  close(): Promise<void>
}

/** Soon enough for any overlap of keys, and a stat of one file each time. */
const lookEveryMs = 250
/** Longest call there is (supervisor.ensure, 60 s) and a little: then the old connection goes anyway. */
const longestCallMs = 65_000

interface Service {
  readonly subject: string
  readonly answer: Answer
  readonly explain: (error: Error) => BusError
}

/** One connection and what is under way on it. */
interface Link {
  readonly connection: NatsConnection
  readonly subscriptions: Subscription[]
  /** Messages that were not answered yet. */
  readonly answering: Set<Promise<unknown>>
  /** Calls of our own that wait for their reply. */
  readonly calling: Set<Promise<unknown>>
}

/** @throws BusError NOT_DELIVERED when the server cannot be reached or refuses the credentials */
export async function createLinks(options: BusOptions): Promise<Links> {
  // Before the files are read: what changes while they are read is a change.
  let seen = stampOf(options)
  const { account } = readAddress(options)
  let link = await openFirst(options)
  const services: Service[] = []
  const retiring = new Set<Promise<void>>()
  let failure: BusError | undefined
  let closing = false
  let tellClosed: (error: Error | undefined) => void = () => undefined
  const closed = new Promise<Error | undefined>((resolve) => {
    tellClosed = resolve
  })

  const watch = (watched: Link) => {
    void watched.connection.closed().then((error) => {
      if (watched === link) tellClosed(failure ?? error ?? undefined)
    })
  }
  const subscribe = (on: Link, { subject, answer, explain }: Service) => {
    const callback = (error: Error | null, message: Msg) => {
      if (error !== null) {
        // Whoever may not serve what it is there for must not look alive.
        if (on === link) failure = explain(error)
        void on.connection.close()
        return
      }
      const respond = (reply: string) => {
        if (!on.connection.isClosed()) message.respond(reply)
      }
      // A handler that throws is a bug of ours: the process ends and the supervisor restarts it.
      const answering = answer(message, respond).finally(() => on.answering.delete(answering))
      on.answering.add(answering)
    }
    const group = options.renew === true ? { queue: account } : {}
    on.subscriptions.push(on.connection.subscribe(subject, { ...group, callback }))
  }
  const move = async () => {
    const stamp = stampOf(options)
    const next = toLink(await open(options))
    for (const service of services) subscribe(next, service)
    await next.connection.flush()
    if (closing) return await next.connection.close()
    const old = link
    link = next
    watch(next)
    seen = stamp
    const ended = leave(old).finally(() => retiring.delete(ended))
    retiring.add(ended)
  }
  let moving: Promise<void> | undefined
  const look = () => {
    if (moving !== undefined || closing || stampOf(options) === seen) return
    // Refused, or caught between two files: the old connection serves on, and the next look tries.
    moving = move()
      .catch(() => undefined)
      .finally(() => {
        moving = undefined
      })
  }
  const timer = options.renew === true ? setInterval(look, lookEveryMs).unref() : undefined
  watch(link)

  return {
    account,
    closed,
    current: () => link.connection,
    async use(call) {
      const on = link
      const running = call(on.connection)
      on.calling.add(running)
      return await running.finally(() => on.calling.delete(running))
    },
    serve(subject, answer, explain) {
      const service = { subject, answer, explain }
      services.push(service)
      subscribe(link, service)
    },
    async close() {
      closing = true
      clearInterval(timer)
      if (moving !== undefined) await moving
      await retire(link)
      await Promise.all(retiring)
    },
  }
}

/** The connection before a move: what was asked over it still gets its reply. */
async function leave(link: Link): Promise<void> {
  await stopServing(link)
  const finished = Promise.allSettled([...link.calling, ...link.answering])
  await Promise.race([finished, delay(longestCallMs, undefined, { ref: false })])
  if (!link.connection.isClosed()) await link.connection.drain()
}

/** First no new messages, then the answers to those in progress, then the end. */
async function retire(link: Link): Promise<void> {
  if (link.connection.isClosed()) return
  await stopServing(link)
  await Promise.allSettled(link.answering)
  if (!link.connection.isClosed()) await link.connection.drain()
}

async function stopServing({ subscriptions }: Link): Promise<void> {
  await Promise.all(subscriptions.map((each) => each.drain()))
}

const toLink = (connection: NatsConnection): Link => ({
  connection,
  subscriptions: [],
  answering: new Set(),
  calling: new Set(),
})

/** Once more when the files changed meanwhile: then key and certificate may not have matched. */
async function openFirst(options: BusOptions): Promise<Link> {
  const stamp = stampOf(options)
  try {
    return toLink(await open(options))
  } catch (error) {
    await delay(lookEveryMs)
    if (stampOf(options) === stamp) throw error
    return toLink(await open(options))
  }
}

async function open(options: BusOptions): Promise<NatsConnection> {
  const { host, port } = options.address ?? readAddress(options)
  try {
    return await connect({
      ...connectionOptions(options.credentials),
      servers: `${host}:${port}`,
      reconnect: options.reconnect,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 250,
    })
  } catch (cause) {
    throw new BusError('NOT_DELIVERED', `cannot connect to the bus at ${host}:${port}`, { cause })
  }
}

/** What a party connects with: its account, nkey and certificates, as its folder has them. */
export function connectionOptions(credentials: string): ConnectionOptions {
  const file = (name: string) => join(credentials, name)
  const { host, port, account } = readAddress({ credentials })
  return {
    servers: `${host}:${port}`,
    name: account,
    inboxPrefix: `_INBOX_${account}`,
    // Files, not their contents: each reconnect goes with what the party's folder holds then.
    authenticator: nkeyAuthenticator(() => readFileSync(file('nkey.seed'))),
    tls: {
      handshakeFirst: true,
      caFile: file('ca.pem'),
      certFile: file('cert.pem'),
      keyFile: file('key.pem'),
    },
    reconnect: false,
    timeout: 5_000,
    // A server that hangs without closing is noticed in half a minute, not in the default six.
    pingInterval: 10_000,
    maxPingOut: 2,
  }
}

function readAddress({
  credentials,
}: Pick<BusOptions, 'credentials'>): z.infer<typeof busAddressSchema> {
  return busAddressSchema.parse(JSON.parse(readFileSync(join(credentials, 'bus.json'), 'utf8')))
}

/** Changes when bus.json is replaced; the same while there is none to look at. */
function stampOf({ credentials }: BusOptions): string {
  const facts = statSync(join(credentials, 'bus.json'), { bigint: true, throwIfNoEntry: false })
  return facts === undefined ? '' : `${facts.ino} ${facts.mtimeNs}`
}
