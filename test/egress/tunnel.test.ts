// Tunnels with real TLS servers on loopback, through an agent's door and its own client: what opens,
// what never does, what ends one, and what is recorded of it.

import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer as createTcp, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { connect as connectTls, createServer, type Server } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTunnelClient } from '../../agents/tunnel-client.ts'
import { egressLimits, type ResolvedEgress, type TunnelRequest } from '../../egress/contract.ts'
import type { GatewayDependencies } from '../../egress/gateway.ts'
import type { Recording } from '../../egress/journal.ts'
import {
  codeOf,
  createAsk,
  declared,
  type GatewayHome,
  openGatewayHome,
} from '../support/gateway.ts'

let home: GatewayHome
let listener: Server
let port = 0
/** Connections that the server saw, TLS or not. */
const arrived: Socket[] = []
const said: string[] = []

beforeAll(async () => {
  home = await openGatewayHome()
  const file = (name: string) => readFileSync(join(home.folder, name))
  listener = createServer({ cert: file('server.pem'), key: file('server.key.pem') }, (socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      said.push(chunk.toString('latin1').slice(0, 100))
      const more = () => socket.writable && socket.write(Buffer.alloc(65_536), more)
      if (chunk.includes('flood')) more()
      else socket.write(chunk)
    })
  })
  listener.on('connection', (socket: Socket) => {
    socket.on('error', () => undefined)
    arrived.push(socket)
  })
  listener.on('tlsClientError', () => undefined)
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  port = (listener.address() as AddressInfo).port
})
afterAll(async () => {
  for (const socket of arrived) socket.destroy()
  listener.close()
  await home.close()
})
beforeEach(() => {
  home.events.length = 0
  arrived.length = 0
  said.length = 0
})

const tunnel = (changes: Partial<ResolvedEgress> = {}): ResolvedEgress =>
  declared(`tls://127.0.0.1:${port}`, { allow: [], ...changes })

interface Attempt {
  readonly egress?: ResolvedEgress
  readonly request?: Partial<TunnelRequest>
  readonly step?: Parameters<GatewayHome['call']>[1]
  readonly proof?: object
  readonly gateway?: Partial<GatewayDependencies>
}

async function open(attempt: Attempt = {}): Promise<Duplex> {
  const agent = home.agent([attempt.egress ?? tunnel()])
  await home.door(agent, await home.gateway(attempt.gateway))
  const command = await home.authority.command({ action: 'fetch', args: {}, ...attempt.step })
  const { token, args, salt } = command
  const request = { egress: 'server', host: '127.0.0.1', port, ...attempt.request }
  return createTunnelClient(agent.socket)({ token, args, salt, ...attempt.proof }, request)
}

/** Why it did not open. */
async function refusal(attempt: Attempt): Promise<string> {
  try {
    ;(await open(attempt)).destroy()
  } catch (error) {
    return error instanceof Error ? (error.message.split(':')[0] ?? '') : ''
  }
  return 'opened'
}

const speak = (socket: Duplex) =>
  connectTls({ socket, host: '127.0.0.1', ca: home.trust.ca, rejectUnauthorized: true })

const heard = (socket: Duplex): Promise<string> =>
  new Promise((resolve, reject) => {
    socket.once('data', (chunk: Buffer) => resolve(chunk.toString()))
    socket.once('error', reject)
  })

const closed = (socket: Duplex): Promise<void> =>
  new Promise((resolve) => {
    socket.on('error', () => undefined)
    socket.resume()
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })

const codes = () => home.events.map(({ summary }) => summary['code'])

describe('a tunnel', () => {
  it('opens to the named host, and the agent speaks TLS through it end to end', async () => {
    const socket = speak(await open())
    socket.write('a secret of the agent')
    expect(await heard(socket)).toBe('a secret of the agent')
    expect(socket.authorized).toBe(true)
    socket.end()
    await closed(socket)
    await expect.poll(codes).toEqual(['OPENED', 'CLOSED'])
    const [opening, ending] = home.events
    const under = { requestId: 'wf:one', step: expect.any(String) }
    expect(opening).toMatchObject({
      subject: 'egress:test.1',
      correlation: under,
      summary: { method: 'CONNECT', host: '127.0.0.1', egress: 'server', port },
    })
    expect(ending).toMatchObject({
      correlation: under,
      summary: { idem: expect.any(String), sent: expect.any(Number), received: expect.any(Number) },
    })
    expect(Number(ending?.summary['sent'])).toBeGreaterThan('a secret of the agent'.length)
    expect(Number(ending?.summary['received'])).toBeGreaterThan('a secret of the agent'.length)
    expect(JSON.stringify(home.events)).not.toContain('secret of')
  })

  it.each<[string, () => Partial<TunnelRequest>, string]>([
    ['another port', () => ({ port: port === 993 ? 994 : 993 }), 'ORIGIN_REFUSED'],
    ['another host', () => ({ host: 'mail.example.com' }), 'ORIGIN_REFUSED'],
    ['another address', () => ({ host: '127.0.0.2' }), 'ORIGIN_REFUSED'],
    ['metadata', () => ({ host: '169.254.169.254' }), 'ORIGIN_REFUSED'],
    ['a name of the same server', () => ({ host: 'localhost' }), 'ORIGIN_REFUSED'],
    ['userinfo', () => ({ host: 'user@127.0.0.1' }), 'ORIGIN_INVALID'],
    ['a trailing dot', () => ({ host: 'localhost.' }), 'ORIGIN_INVALID'],
    ['upper case', () => ({ host: 'LOCALHOST' }), 'ORIGIN_INVALID'],
    ['an address as a number', () => ({ host: '2130706433' }), 'ORIGIN_INVALID'],
    ['a short address', () => ({ host: '127.1' }), 'ORIGIN_INVALID'],
    ['hexadecimal', () => ({ host: '0x7f.0.0.1' }), 'ORIGIN_INVALID'],
    ['IPv6 in disguise', () => ({ host: '::ffff:127.0.0.1' }), 'ORIGIN_INVALID'],
    ['another declaration', () => ({ egress: 'news' }), 'EGRESS_UNDECLARED'],
  ])('C05 opens to nothing else: %s', async (_what, request, code) => {
    expect(await refusal({ request: request() })).toBe(code)
    expect(arrived).toEqual([])
    expect(codes()).toEqual([code])
  })

  it.each<[string, Attempt, string]>([
    ['without a token', { proof: { token: '' } }, 'TOKEN_MALFORMED'],
    ["with another step's arguments", { proof: { args: { a: 1 } } }, 'ARGS_HASH'],
    [
      'with a token of another agent',
      { step: { claims: { aud: 'agent:o.0:x' } } },
      'TOKEN_AUDIENCE',
    ],
    ['for an action that lists no egress', { step: { action: 'echo' } }, 'EGRESS_NOT_OF_ACTION'],
    ['for a token of another operation', { step: { claims: { op: 'cancel' } } }, 'WRONG_OPERATION'],
    ['while no sandbox runs', { gateway: { epochOf: () => undefined } }, 'NOT_RUNNING'],
  ])('does not open %s', async (_what, attempt, code) => {
    expect(await refusal(attempt)).toBe(code)
    expect(arrived).toEqual([])
    expect(codes()).toEqual([code])
  })

  it('does not open with a token that has expired', async () => {
    const late = Date.now() + 60_000
    expect(await refusal({ gateway: { now: () => late } })).toBe('TOKEN_EXPIRED')
    expect(arrived).toEqual([])
  })

  it('is not what a declaration of requests opens, nor takes requests itself', async () => {
    const requests = declared(`https://127.0.0.1:${port}`)
    expect(await refusal({ egress: requests })).toBe('PROTOCOL_REFUSED')
    expect(codeOf(await createAsk(() => home)(tunnel()))).toBe('PROTOCOL_REFUSED')
    expect(arrived).toEqual([])
  })
})

describe('the name of a tunnel', () => {
  const named = (changes: Partial<ResolvedEgress> = {}) =>
    declared(`tls://mail.example:${port}`, { allow: [], ...changes })
  const request = { host: 'mail.example' }

  it.each(['127.0.0.1', '10.0.0.5', '169.254.169.254', '::1', '::ffff:127.0.0.1'])(
    'that leads to %s is refused',
    async (address) => {
      const gateway = { resolve: async () => [address] }
      expect(await refusal({ egress: named(), request, gateway })).toBe('ADDRESS_REFUSED')
      expect(arrived).toEqual([])
    },
  )

  it('C05 is resolved once, and that very address is connected to', async () => {
    const answers = [['127.0.0.1'], ['169.254.169.254']]
    let asked = 0
    const resolve = async () => answers[asked++] ?? []
    const egress = named({ privateAddress: true })
    const socket = await open({ egress, request, gateway: { resolve } })
    expect([asked, arrived.length]).toEqual([1, 1])
    socket.destroy()
    await expect.poll(codes).toEqual(['OPENED', 'CLOSED'])
  })
})

describe('a tunnel ends', () => {
  it('with its token', async () => {
    const now = Date.now()
    // A token of whole seconds; this one has half a second left when it is used.
    const exp = Math.ceil(now / 1_000) + 1
    const clock = { now: () => exp * 1_000 - 500 }
    const socket = await open({ step: { claims: { exp } }, gateway: clock })
    await closed(socket)
    await expect.poll(codes).toEqual(['OPENED', 'TOKEN_ENDED'])
  })

  it('with the time of its step', async () => {
    const limits = { resultBytes: 1_000, timeoutMs: 300 }
    await closed(await open({ step: { limits } }))
    await expect.poll(codes).toEqual(['OPENED', 'TIME_OVER'])
  })

  it('with the life of its sandbox', async () => {
    let epoch: string | undefined
    const gateway = { epochOf: () => epoch }
    epoch = readFileSync(join(home.folder, 'epoch'), 'utf8')
    const socket = await open({ gateway })
    epoch = 'another-epoch-0001'
    await closed(socket)
    await expect.poll(codes).toEqual(['OPENED', 'EPOCH_ENDED'])
  })

  it('with too many bytes from the server', async () => {
    const socket = speak(await open())
    socket.write('flood')
    await closed(socket)
    await expect.poll(codes).toEqual(['OPENED', 'BYTES_OVER'])
    const received = Number(home.events[1]?.summary['received'])
    expect(received).toBeGreaterThan(egressLimits.tunnelReceivedBytes)
    expect(received).toBeLessThan(egressLimits.tunnelReceivedBytes + 256 * 1024)
  })

  it('with too many bytes from the agent', async () => {
    let taken = 0
    const swallow = createTcp((taker) => {
      taker.on('error', () => undefined)
      taker.on('data', (chunk) => {
        taken += chunk.length
      })
    })
    await new Promise<void>((resolve) => swallow.listen(0, '127.0.0.1', resolve))
    const { port: to } = swallow.address() as AddressInfo
    const egress = declared(`tls://127.0.0.1:${to}`, { allow: [] })
    const socket = await open({ egress, request: { port: to } })
    socket.on('error', () => undefined)
    const block = Buffer.alloc(65_536, 1)
    const more = () => socket.writable && socket.write(block, more)
    more()
    await closed(socket)
    await expect.poll(codes).toEqual(['OPENED', 'BYTES_OVER'])
    expect(taken).toBeLessThan(egressLimits.tunnelSentBytes + 256 * 1024)
    swallow.close()
  })

  it('when the gateway stops', async () => {
    const agent = home.agent([tunnel()])
    const door = await home.openDoor(agent, await home.gateway())
    const { token, args, salt } = await home.authority.command({ action: 'fetch', args: {} })
    const request = { egress: 'server', host: '127.0.0.1', port }
    const socket = await createTunnelClient(agent.socket)({ token, args, salt }, request)
    await Promise.all([door.close(), closed(socket)])
    expect(codes()).toEqual(['OPENED', 'GATEWAY_STOPPED'])
  })

  it('when its agent gives up the step', async () => {
    const agent = home.agent([tunnel()])
    await home.door(agent, await home.gateway())
    const { token, args, salt } = await home.authority.command({ action: 'fetch', args: {} })
    const request = { egress: 'server', host: '127.0.0.1', port }
    const step = new AbortController()
    const client = createTunnelClient(agent.socket)
    const socket = await client({ token, args, salt }, request, step.signal)
    step.abort()
    await closed(socket)
    await expect.poll(codes).toEqual(['OPENED', 'CLOSED'])
    const late = client({ token, args, salt }, request, step.signal)
    await expect(late).rejects.toMatchObject({ code: 'UNAVAILABLE', retry: 'absent' })
  })
})

describe('the record of a tunnel', () => {
  it.each<Recording>(['FAILED', 'COUNTED'])(
    'comes before the connection, which is not made when it is %s',
    async (recording) => {
      const gateway = { record: async () => recording }
      expect(await refusal({ gateway })).toBe('NOT_AUDITED')
      expect(arrived).toEqual([])
    },
  )

  it('says that the server could not be reached, and the agent may ask again', async () => {
    const egress = declared('tls://127.0.0.1:1', { allow: [] })
    await expect(open({ egress, request: { port: 1 } })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retry: 'absent',
    })
    await expect.poll(codes).toEqual(['OPENED', 'CONNECT_FAILED'])
  })

  it('holds tunnels and requests to one bound of what is under way', async () => {
    const agent = home.agent([tunnel()])
    await home.door(agent, await home.gateway())
    const { token, args, salt } = await home.authority.command({ action: 'fetch', args: {} })
    const client = createTunnelClient(agent.socket)
    const one = () => client({ token, args, salt }, { egress: 'server', host: '127.0.0.1', port })
    const sockets = await Promise.all(Array.from({ length: egressLimits.concurrent }, one))
    await expect(one()).rejects.toMatchObject({ message: expect.stringContaining('OVERLOADED') })
    for (const socket of sockets) socket.destroy()
    await expect.poll(() => codes().filter((code) => code === 'CLOSED').length).toBe(8)
    ;(await one()).destroy()
    await expect.poll(() => codes().filter((code) => code === 'CLOSED').length).toBe(9)
  })
})
