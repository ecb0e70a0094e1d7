// A wholly compromised agent: started in place of the real one, with that agent's secrets, in the same
// sandbox. Takes orders on its own `exec` subject (a JSON object with `order`), tries what it is told and
// says what happened. Every other message that reaches it is kept, so that a test can ask for it.

import { execFileSync, fork, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { readFileSync, writeSync } from 'node:fs'
import { connect as dialTcp } from 'node:net'
import { connect, type Msg, nkeyAuthenticator } from '@nats-io/transport-node'
import { startBusForwarder } from '../../agents/bus-forwarder.ts'
import { knock } from './hostile-door.ts'
import { tryFiles } from './hostile-files.ts'
import { flood } from './hostile-floods.ts'
import { dropSessions, listen, speak } from './hostile-session.ts'

type Order = Readonly<Record<string, unknown>>
const kept: Msg[] = []

const codeOf = (error: unknown): string =>
  error instanceof Error ? String('code' in error ? error.code : error.name) : 'UNKNOWN'

async function attempt(work: () => unknown): Promise<string> {
  try {
    const result = await work()
    return result instanceof Error ? codeOf(result) : 'done'
  } catch (error) {
    return codeOf(error)
  }
}

const dial = (target: { path: string } | { host: string; port: number }): Promise<string> =>
  new Promise((resolve) => {
    const socket = dialTcp({ ...target, timeout: 2_000 })
    const end = (what: string) => {
      socket.destroy()
      resolve(what)
    }
    socket.once('connect', () => end('connected'))
    socket.once('timeout', () => end('TIMEOUT'))
    socket.once('error', (error) => end(codeOf(error)))
  })

const datagram = ({ host, port }: { host: string; port: number }): Promise<string> =>
  new Promise((resolve) => {
    const socket = createSocket('udp4')
    socket.once('error', (error) => resolve(codeOf(error)))
    socket.send('x', port, host, (error) => {
      socket.close()
      resolve(error === null ? 'sent' : codeOf(error))
    })
  })

const ways: Readonly<Record<string, () => unknown>> = {
  spawnSync: () => spawnSync('/agent/node', ['--version']).error,
  execFileSync: () => execFileSync('/agent/node', ['--version']),
  fork: () =>
    new Promise((resolve) => {
      fork('/agent/agent.mjs').once('error', resolve).once('spawn', resolve)
    }),
}

async function each<T>(items: readonly T[], work: (item: T) => Promise<string>) {
  const results: string[] = []
  for (const item of items) results.push(await work(item))
  return results
}

/** Responds to each kept message that contains `match`, with every text in turn. */
function answer(match: string, texts: readonly string[]): number {
  const matching = kept.filter(({ data }) => Buffer.from(data).includes(match))
  for (const message of matching) for (const text of texts) message.respond(text)
  return matching.length
}

/** Arguments come from the test that ordered it, so they are as it wrote them. */
async function carryOut(order: Order): Promise<unknown> {
  const list = <T>(name: string) => (order[name] ?? []) as readonly T[]
  switch (order['order']) {
    case 'ping':
      return 'pong'
    case 'speak':
      return speak(order)
    case 'listen':
      return listen(order)
    case 'drop':
      return dropSessions()
    case 'kept':
      return kept.map(({ subject, reply, data }) => ({
        subject,
        reply,
        bytes: data.byteLength,
        text: Buffer.from(data.subarray(0, 100)).toString(),
      }))
    case 'answer':
      return answer(String(order['match']), list<string>('texts'))
    case 'files':
      return tryFiles(list('attempts'))
    case 'knock':
      return knock(order)
    case 'dial':
      return Promise.all(list<{ path: string }>('targets').map(dial))
    case 'datagram':
      return each(list<{ host: string; port: number }>('targets'), datagram)
    case 'lookup':
      return each(list<string>('names'), (name) => attempt(() => lookup(name)))
    case 'processes':
      return Object.fromEntries(
        await Promise.all(
          Object.entries(ways).map(async ([name, way]) => [name, await attempt(way)] as const),
        ),
      )
    case 'flood':
      return flood(order)
    case 'eval':
      return attempt(() => new Function('return 1')())
    default:
      return 'unknown order'
  }
}

function parseOrder(message: Msg): Order | undefined {
  try {
    const value: unknown = message.json()
    return typeof value === 'object' && value !== null && 'order' in value
      ? { ...value }
      : undefined
  } catch {
    return undefined
  }
}

const forwarder = await startBusForwarder('/run/bus.sock')
const connection = await connect({
  servers: `${forwarder.host}:${forwarder.port}`,
  authenticator: nkeyAuthenticator(readFileSync('/secrets/bus/nkey.seed')),
  tls: {
    handshakeFirst: true,
    caFile: '/secrets/bus/ca.pem',
    certFile: '/secrets/bus/cert.pem',
    keyFile: '/secrets/bus/key.pem',
  },
  reconnect: false,
})
connection.subscribe('exec', {
  callback: (_error, message) => {
    const order = parseOrder(message)
    if (order === undefined) {
      // A flood is not worth remembering.
      if (message.data.byteLength < 65_536) kept.push(message)
      return
    }
    carryOut(order)
      .catch((error: unknown) => `failed: ${String(error)}`)
      .then((result) => message.respond(JSON.stringify(result ?? null)))
      .catch(() => undefined)
  },
})
await connection.flush()
process.once('SIGTERM', () => process.exit(0))
writeSync(3, `${JSON.stringify({ ready: true })}\n`)
await connection.closed()
process.exit(0)
