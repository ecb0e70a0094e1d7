// A case for each refusal of the gateway and each end of a tunnel: what it must come to, and what it
// came to. Bundled by egress-guards.test.ts from sources in which one check is missing.

import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { createTunnelClient } from '../../agents/tunnel-client.ts'
import type { ResolvedEgress } from '../../egress/contract.ts'
import type { GatewayDependencies } from '../../egress/gateway.ts'
import { prepareAuthority } from '../../security/pki/certificates.ts'
import type { CommandInput } from './agent-commands.ts'
import {
  createAsk,
  declared,
  type GatewayHome,
  type Outside,
  openGatewayHome,
  openOutside,
  startOutside,
} from './gateway.ts'
import type { CaseResult } from './guard-table.ts'

interface Place {
  readonly home: GatewayHome
  readonly plain: Outside
  readonly secure: Outside
  /** Self-signed by a device of the house. */
  readonly bridge: Outside
  readonly bridgePin: string
  /** A server that says as much as it is sent, and more when it hears `flood`. */
  readonly sink: number
}

interface Case {
  readonly wanted: string
  readonly name: string
  attempt(place: Place): Promise<string>
}

type Request = Parameters<GatewayHome['call']>[0]
interface Asked {
  readonly egress?: (place: Place) => ResolvedEgress
  readonly request?: Request
  readonly gateway?: Partial<GatewayDependencies>
  readonly step?: Partial<CommandInput>
}

/** How long a tunnel that should have ended is watched. */
const patienceMs = 1_500

const plainly = ({ plain }: Place) => declared(plain.origin)

function request(wanted: string, name: string, asked: Asked): Case {
  return {
    wanted,
    name,
    async attempt(place) {
      const { egress = plainly, gateway, step } = asked
      const ask = createAsk(() => place.home)
      const reply = await ask(egress(place), asked.request, gateway, step)
      return reply.ok ? 'OK' : reply.code
    },
  }
}

interface Tunnelled {
  readonly egress?: (place: Place) => ResolvedEgress
  readonly host?: string
  readonly gateway?: Partial<GatewayDependencies>
  readonly step?: Partial<CommandInput>
  readonly say?: (socket: NodeJS.WritableStream) => void
  /** Right after it opened. */
  readonly afterwards?: () => void
}

/** Comes to the refusal, or to how the tunnel ended. */
function tunnel(wanted: string, name: string, asked: Tunnelled): Case {
  return {
    wanted,
    name,
    async attempt(place) {
      const { home, sink } = place
      const { egress = () => declared(`tls://127.0.0.1:${sink}`, { allow: [] }) } = asked
      const agent = home.agent([egress(place)])
      const door = await home.openDoor(agent, await home.gateway(asked.gateway))
      try {
        const command = await home.authority.command({ action: 'fetch', args: {}, ...asked.step })
        const { token, args, salt } = command
        const target = { egress: 'server', host: asked.host ?? '127.0.0.1', port: sink }
        const socket = await createTunnelClient(agent.socket)({ token, args, salt }, target)
        const closed = new Promise((resolve) => socket.once('close', resolve))
        socket.on('error', () => undefined).resume()
        asked.afterwards?.()
        asked.say?.(socket)
        const timer = new Promise((resolve) => setTimeout(resolve, patienceMs, 'open'))
        const ended = (await Promise.race([closed, timer])) !== 'open'
        socket.destroy()
        if (!ended) return 'open'
      } catch (error) {
        return codeOf(error)
      } finally {
        await door.close()
      }
      return String(home.events.at(-1)?.summary['code'])
    },
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error ? (error.message.split(':')[0] ?? '') : String(error)

const otherPin = createHash('sha256').update('another key').digest('base64')
const rule = { methods: ['GET', 'POST'], path: '/a' } as const
const allowing = (changes: object) => (place: Place) =>
  declared(place.plain.origin, { allow: [{ ...rule, ...changes }] })
const named = ({ plain }: Place) => declared(`http://server.example:${plain.port}`)
const inHouse = (changes: Partial<ResolvedEgress>) => (place: Place) =>
  declared(place.bridge.origin, { privateAddress: true, pin: place.bridgePin, ...changes })
const flood = (socket: NodeJS.WritableStream) => void socket.write('flood')
const pour = (socket: NodeJS.WritableStream) => {
  const more = () => socket.writable && socket.write(Buffer.alloc(65_536), more)
  more()
}

function cases(): readonly Case[] {
  let epoch = 'epoch-one-0001'
  const expires = Math.ceil(Date.now() / 1_000) + 5
  return [
    request('OK', 'what is allowed', {}),
    {
      wanted: 'MALFORMED',
      name: 'a member that nobody knows',
      async attempt({ home, plain }) {
        const gateway = await home.gateway()
        const body = { ...JSON.parse(await home.call({})), agent: 'other.1' }
        const reply = await gateway.handle(
          home.agent([declared(plain.origin)]),
          JSON.stringify(body),
        )
        return reply.ok ? 'OK' : reply.code
      },
    },
    {
      wanted: 'OVERLOADED',
      name: 'nine requests at once',
      async attempt({ home, plain }) {
        const gateway = await home.gateway()
        const agent = home.agent([declared(plain.origin)])
        const body = await home.call({ path: '/brief' })
        const all = Array.from({ length: 9 }, () => gateway.handle(agent, body))
        const refused = (await Promise.all(all)).find(({ ok }) => !ok)
        return refused === undefined || refused.ok ? 'OK' : refused.code
      },
    },
    {
      wanted: 'NOT_AUDITED',
      name: 'a request after one that is on no record',
      async attempt({ home, plain }) {
        const gateway = await home.gateway({ record: async () => 'FAILED' })
        const agent = home.agent([declared(plain.origin)])
        await gateway.handle(agent, await home.call({}))
        const reply = await gateway.handle(agent, await home.call({}))
        return reply.ok ? 'OK' : reply.code
      },
    },
    tunnel('NOT_AUDITED', 'a tunnel that is on no record', {
      gateway: { record: async () => 'FAILED' },
    }),
    request('NOT_RUNNING', 'while no sandbox runs', { gateway: { epochOf: () => undefined } }),
    request('NOT_RUNNING', 'while no key of the agent is known', {
      gateway: { nkeyOf: () => undefined },
    }),
    request('ARGS_HASH', 'with arguments of another step', {
      step: { args: { a: 1 }, sent: { a: 2 } },
    }),
    request('TOKEN_AUDIENCE', 'with a token of another agent', {
      step: { claims: { aud: 'agent:other.0:epoch-one-0001' } },
    }),
    request('TOKEN_EXPIRED', 'with a token that is over', {
      gateway: { now: () => Date.now() + 60_000 },
    }),
    request('EGRESS_UNDECLARED', 'to what is not declared', { request: { egress: 'news' } }),
    request('EGRESS_NOT_OF_ACTION', 'for an action that lists none', { step: { action: 'echo' } }),
    request('PROTOCOL_REFUSED', 'a request to a tunnel', {
      egress: ({ sink }) => declared(`tls://127.0.0.1:${sink}`),
    }),
    tunnel('PROTOCOL_REFUSED', 'a tunnel to a server of requests', { egress: plainly }),
    request('ORIGIN_INVALID', 'a host with a trailing dot', {
      request: { origin: 'http://127.0.0.1.' },
    }),
    request('ORIGIN_REFUSED', 'a host that is not set', {
      request: { origin: 'http://127.0.0.1:1' },
    }),
    tunnel('ORIGIN_REFUSED', 'a tunnel to a host that is not set', { host: 'localhost' }),
    request('NOT_CONFIGURED', 'a setting that is not set', {
      egress: ({ plain }) => declared(plain.origin, { origins: [] }),
    }),
    request('PATH_INVALID', 'a path with dots', { request: { path: '/open/../a' } }),
    request('PATH_REFUSED', 'another path', { egress: allowing({}), request: { path: '/b' } }),
    request('METHOD_REFUSED', 'another method', {
      egress: allowing({ methods: ['POST'] }),
      request: { path: '/a' },
    }),
    request('QUERY_INVALID', 'a query key that is none', { request: { query: { 'a b': '1' } } }),
    request('QUERY_REFUSED', 'a query key that is not listed', {
      egress: allowing({}),
      request: { path: '/a', query: { q: '1' } },
    }),
    request('BINDING_MISMATCH', 'a query that is not the argument', {
      egress: allowing({ bind: { q: '/q' } }),
      request: { path: '/a', query: { q: 'other' } },
      step: { args: { q: 'mine' } },
    }),
    {
      wanted: 'BINDING_MISMATCH',
      name: 'to another egress than the one that the step chose',
      async attempt({ home, plain }) {
        const both = [declared(plain.origin), declared(plain.origin, { id: 'house' })]
        const agent = { ...home.agent(both), choices: { fetch: '/where' } }
        const gateway = await home.gateway()
        const reply = await gateway.handle(agent, await home.call({}, { args: { where: 'house' } }))
        return reply.ok ? 'OK' : reply.code
      },
    },
    request('HEADER_REFUSED', 'a host header', { request: { headers: { host: 'evil.example' } } }),
    request('BODY_REFUSED', 'a body where there is none', { request: { body: 'x' } }),
    request('ADDRESS_REFUSED', 'a name that leads into the house', {
      egress: named,
      gateway: { resolve: async () => ['127.0.0.1'] },
    }),
    request('ADDRESS_REFUSED', 'a name that leads to metadata', {
      egress: named,
      gateway: { resolve: async () => ['169.254.169.254'] },
      step: { limits: { resultBytes: 1_000, timeoutMs: 200 } },
    }),
    request('ADDRESS_REFUSED', 'out of the house, where nothing but the house may be told', {
      egress: (place) => ({ ...named(place), privateAddress: true, onlyPrivate: true }),
      gateway: { resolve: async () => ['1.1.1.1'] },
      step: { limits: { resultBytes: 1_000, timeoutMs: 200 } },
    }),
    request('NAME_UNRESOLVED', 'a name that leads nowhere', {
      egress: named,
      gateway: { resolve: async () => [] },
    }),
    request('TLS_REFUSED', 'an authority that nobody trusts', {
      egress: ({ secure }) => declared(secure.origin),
      gateway: { trusted: undefined },
    }),
    request('TLS_REFUSED', 'a self-signed server that the manifest does not put in the house', {
      egress: inHouse({ privateAddress: false }),
    }),
    request('PIN_MISMATCH', 'another key than the pinned one', {
      egress: inHouse({ pin: otherPin }),
    }),
    request('CREDENTIAL_MISSING', 'a credential that cannot be read', {
      egress: ({ plain }) =>
        declared(plain.origin, { credential: { file: '/absent', as: 'bearer' } }),
    }),
    request('TIMEOUT', 'longer than its step', {
      request: { path: '/slow' },
      step: { limits: { resultBytes: 1_000, timeoutMs: 200 } },
    }),
    request('TIMEOUT', 'longer than its declaration', {
      egress: ({ plain }) => declared(plain.origin, { requestMs: 200 }),
      request: { path: '/slow' },
      step: { limits: { resultBytes: 1_000, timeoutMs: 60_000 } },
    }),
    request('RESPONSE_TOO_LARGE', 'more than it may be', { request: { path: '/large' } }),
    request('RESPONSE_INVALID', 'encoded', { request: { path: '/gzip' } }),
    tunnel('TOKEN_ENDED', 'a tunnel after its token', {
      gateway: { now: () => expires * 1_000 - 300 },
      step: {
        claims: { exp: expires },
        limits: { resultBytes: 1_000, timeoutMs: 1_000 },
      },
    }),
    tunnel('TIME_OVER', 'a tunnel after its step', {
      step: { limits: { resultBytes: 1_000, timeoutMs: 200 } },
    }),
    tunnel('EPOCH_ENDED', 'a tunnel after its sandbox', {
      gateway: { epochOf: () => epoch },
      afterwards: () => {
        epoch = 'epoch-two-0002'
      },
    }),
    tunnel('BYTES_OVER', 'a server that says too much', { say: flood }),
    tunnel('BYTES_OVER', 'an agent that says too much', { say: pour }),
    tunnel('TIME_OVER', 'a name that is resolved once, for the judge and the connection', {
      egress: ({ sink }) =>
        declared(`tls://server.example:${sink}`, { allow: [], privateAddress: true }),
      host: 'server.example',
      gateway: { resolve: async () => ['127.0.0.1'] },
      step: { limits: { resultBytes: 1_000, timeoutMs: 200 } },
    }),
  ]
}

/** All of them, or those that must come to `wanted`. */
export async function runCases(wanted?: string): Promise<readonly CaseResult[]> {
  const home = await openGatewayHome()
  const held: Socket[] = []
  const sink = createServer((socket) => {
    held.push(socket)
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      const more = () => socket.writable && socket.write(Buffer.alloc(65_536), more)
      if (chunk.includes('flood')) more()
    })
  })
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
  const { bridge, bridgePin } = await openBridge(home)
  try {
    const outside = await openOutside(home)
    const place = {
      home,
      ...outside,
      bridge,
      bridgePin,
      sink: (sink.address() as AddressInfo).port,
    }
    const results: CaseResult[] = []
    for (const { name, wanted: code, attempt } of cases()) {
      if (wanted !== undefined && code !== wanted) continue
      home.events.length = 0
      const got = await attempt(place).catch(codeOf)
      results.push({ name, wanted: code, got })
    }
    return results
  } finally {
    for (const socket of held) socket.destroy()
    sink.close()
    await bridge.close()
    await home.close()
  }
}

async function openBridge(home: GatewayHome) {
  const file = (name: string) => join(home.folder, name)
  const files = { certificate: file('bridge.pem'), key: file('bridge.key.pem') }
  await prepareAuthority(files, Date.now())
  const cert = readFileSync(files.certificate, 'utf8')
  const key = readFileSync(files.key, 'utf8')
  const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
  const bridge = await startOutside((_request, response) => response.end('lamps'), { cert, key })
  return { bridge, bridgePin: createHash('sha256').update(spki).digest('base64') }
}
