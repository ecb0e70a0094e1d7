// The gateway's entry: `node egress/main.ts --config <file>`. Says on descriptor 3 when its doors are
// open, or why they cannot be; leaves on SIGTERM and when its standard input ends, which means that
// the supervisor died. The only process of a deployment that speaks to the outside.

import { lookup } from 'node:dns/promises'
import { writeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { pino } from 'pino'
import { z } from 'zod'
import { type Bus, BusError, connectBus } from '../security/bus.ts'
import { openTokenKeyFile } from '../security/verify/token-key-file.ts'
import { ConfigError, readEpoch, readGatewayConfig, readNkey, readSecret } from './config.ts'
import { createGateway } from './gateway.ts'
import type { EgressEvent, Recording } from './journal.ts'
import { openDoor } from './server.ts'

const readyDescriptor = 3
/** The agent waits meanwhile; beyond it the next request is held back until the event is recorded. */
const recordMs = 2_000

function say(line: Readonly<Record<string, unknown>>): void {
  try {
    writeSync(readyDescriptor, `${JSON.stringify(line)}\n`)
  } catch {
    // Started by hand, without the pipe: there is nobody to tell.
  }
}

/** The shape is the notary's `eventReply`, which the gateway may not import. */
const eventReply = z.looseObject({ status: z.enum(['RECORDED', 'COUNTED', 'REFUSED']) })

/** The notary's bound is for each second of the clock; a little more, because two clocks are read. */
const toNextSecond = (): Promise<void> => delay(1_050 - (Date.now() % 1_000))

async function record(bus: Bus, event: EgressEvent): Promise<Recording> {
  const correlationId = event.correlation?.requestId ?? ''
  const head = { receiver: 'notary', type: 'STATUS_UPDATE', correlationId } as const
  try {
    const reply = await bus.call('notary.event', head, event, {
      reply: eventReply,
      timeoutMs: recordMs,
    })
    return reply.status === 'REFUSED' ? 'FAILED' : reply.status
  } catch (error) {
    if (error instanceof BusError) return 'FAILED'
    throw error
  }
}

const stop = new Promise<void>((resolve) => {
  process.once('SIGTERM', () => resolve())
  process.once('SIGINT', () => resolve())
  process.stdin.once('end', () => resolve())
  process.stdin.once('error', () => resolve())
  process.stdin.resume()
})

const log = pino({ name: 'gateway' })

async function run(): Promise<void> {
  const config = readGatewayConfig(process.argv.slice(2))
  const tokenKeys = await openTokenKeyFile(config.tokenKeys)
  const bus = await connectBus({ credentials: config.bus, reconnect: true, renew: true })
  const gateway = createGateway({
    issuer: config.issuer,
    tokenKeys,
    now: Date.now,
    resolve: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    epochOf: readEpoch,
    nkeyOf: readNkey,
    secretOf: readSecret,
    trusted: undefined,
    pause: toNextSecond,
    async record(event) {
      log.info({ subject: event.subject, ...event.summary }, 'request')
      return record(bus, event)
    },
  })
  const doors = await Promise.all(config.agents.map((agent) => openDoor(agent, gateway)))
  say({ ready: true })
  const gone = bus.closed().then((error) => {
    throw error ?? new Error('the bus closed the connection')
  })
  // After a stop the connection closes too, and nobody waits for that.
  gone.catch(() => undefined)
  try {
    await Promise.race([stop, gone])
  } finally {
    await Promise.all(doors.map((door) => door.close()))
    await bus.close().catch(() => undefined)
  }
}

function codeOf(error: unknown): string {
  if (error instanceof ConfigError) return 'CONFIG'
  return error instanceof BusError ? 'BUS' : 'GATEWAY_FAILED'
}

try {
  await run()
  process.exit(0)
} catch (error) {
  const message = error instanceof Error ? error.message : 'unknown error'
  say({ ready: false, code: codeOf(error), message })
  log.fatal({ code: codeOf(error) }, message)
  process.exit(1)
}
