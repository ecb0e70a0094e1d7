// Watches who connects as an agent. The server tells of every connection (its system account), and on
// request from which port of loopback it came; whose port it may be is asked of `isOurs`. Looks at
// each connection when it is made, also at one that ended at once, and at all that are open every few
// seconds, so that a lost event is only a delay. Decides nothing about what follows.

import { setTimeout as delay } from 'node:timers/promises'
import { connect, type NatsConnection } from '@nats-io/transport-node'
import { z } from 'zod'
import { connectionOptions } from '../security/bus.ts'

export interface SeenConnection {
  /** The server's number of it, never used twice by one server. */
  readonly cid: number
  readonly account: string
  readonly port: number
}

export interface BusWatchOptions {
  /** Folder with the credentials of the system account. */
  readonly credentials: string
  /** False for a connection that did not take the honest way. */
  readonly isOurs: (connection: SeenConnection) => boolean
  /** Told of each such connection until it returns true. */
  readonly onForeign: (connection: SeenConnection) => Promise<boolean>
}

export interface BusWatch {
  close(): Promise<void>
}

/** With the time that the notary and a reload take, well within the five seconds that are promised. */
const lookEveryMs = 3_000
const retryMs = 250
const question = '$SYS.REQ.SERVER.PING.CONNZ'
const events = '$SYS.ACCOUNT.*.CONNECT'

const eventSchema = z.looseObject({
  client: z.looseObject({ id: z.number().int(), acc: z.string() }),
})
const connectionsSchema = z.looseObject({
  data: z.looseObject({
    connections: z.array(
      z.looseObject({
        cid: z.number().int(),
        port: z.number().int(),
        account: z.string().optional(),
      }),
    ),
  }),
})
/** More than the server lets in. */
const connectionLimit = 4_096
/** Open and closed ones (the server's `ConnAll`). */
const anyState = 2

/** Goes on until it is closed, over restarts of the server and changes of its own credentials. */
export function startBusWatch(options: BusWatchOptions): BusWatch {
  const stop = new AbortController()
  let current: NatsConnection | undefined
  const running = (async () => {
    while (!stop.signal.aborted) {
      try {
        current = await connect(connectionOptions(options.credentials))
        await watch(current, options, stop.signal)
      } catch {
        // The server is not there, or has just gone: the next look finds what is open by then.
      } finally {
        await current?.close().catch(() => undefined)
        current = undefined
      }
      await delay(retryMs, undefined, { signal: stop.signal }).catch(() => undefined)
    }
  })()
  return {
    async close() {
      stop.abort()
      await running
    },
  }
}

async function watch(
  connection: NatsConnection,
  options: BusWatchOptions,
  stop: AbortSignal,
): Promise<void> {
  const told = new Set<number>()
  const judge = async (seen: SeenConnection) => {
    if (!seen.account.startsWith('agent_') || told.has(seen.cid) || options.isOurs(seen)) return
    told.add(seen.cid)
    if (!(await options.onForeign(seen))) told.delete(seen.cid)
  }
  const look = async (filter: object) => {
    const text = JSON.stringify({ auth: true, limit: connectionLimit, ...filter })
    const reply = await connection.request(question, text, { timeout: 2_000 })
    const { connections } = connectionsSchema.parse(reply.json()).data
    await Promise.all(
      connections.map(({ cid, port, account = '' }) => judge({ cid, port, account })),
    )
  }
  connection.subscribe(events, {
    callback: (_error, message) => {
      const event = eventSchema.safeParse(message.json())
      if (!event.success || !event.data.client.acc.startsWith('agent_')) return
      // What this misses, the next look at all of them finds.
      look({ cid: event.data.client.id, state: anyState }).catch(() => undefined)
    },
  })
  const closed = connection.closed().then(() => true)
  for (;;) {
    await look({})
    const pause = delay(lookEveryMs, false, { signal: stop }).catch(() => true)
    if (await Promise.race([closed, pause])) return
  }
}
