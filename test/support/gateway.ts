// A gateway in this process, as its main wires it, with doors in a temporary folder; servers of the
// outside on loopback, one of them with TLS under an authority of its own; and real tokens.

import { createHash, X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttps } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createEgressClient, type EgressClient } from '../../agents/egress-client.ts'
import { readEpoch, readNkey, readSecret } from '../../egress/config.ts'
import type { FetchCall, FetchReply, GatewayAgent, ResolvedEgress } from '../../egress/contract.ts'
import { createGateway, type Gateway, type GatewayDependencies } from '../../egress/gateway.ts'
import type { EgressEvent } from '../../egress/journal.ts'
import { type Door, openDoor } from '../../egress/server.ts'
import { prepareAuthority, prepareCertificate } from '../../security/pki/certificates.ts'
import { createTokenKeys } from '../../security/verify/token.ts'
import { type Authority, createAuthority, identity } from './agent-commands.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface Outside {
  readonly port: number
  readonly origin: string
  /** Requests that arrived, as the server saw them. */
  readonly seen: { readonly url: string; readonly headers: IncomingMessage['headers'] }[]
  close(): Promise<void>
}

/** The base64 SPKI hash of the TLS server's key, and its authority. */
export interface Trust {
  readonly ca: string
  readonly pin: string
}

export interface GatewayHome {
  readonly folder: string
  readonly authority: Authority
  readonly agent: (egress: readonly ResolvedEgress[]) => GatewayAgent
  readonly events: EgressEvent[]
  readonly trust: Trust
  gateway(overrides?: Partial<GatewayDependencies>): Promise<Gateway>
  serve(handler: Handler, protocol?: 'http' | 'https'): Promise<Outside>
  /** Opens the agent's door, until the home is closed. */
  openDoor(agent: GatewayAgent, gateway: Gateway): Promise<Door>
  /** Opens it, and returns how to ask at it. */
  door(agent: GatewayAgent, gateway: Gateway): Promise<EgressClient>
  /** The bytes that an agent sends for a step. */
  call(request: Partial<FetchCall['request']>, step?: Partial<Step>): Promise<string>
  close(): Promise<void>
}

type Step = Parameters<Authority['command']>[0]

export const server: ResolvedEgress = {
  id: 'server',
  origins: [],
  setting: 'test.server',
  allow: [{ methods: ['GET', 'POST', 'REPORT'], path: '/*', query: '*' }],
  privateAddress: false,
}

export async function openGatewayHome(): Promise<GatewayHome> {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-egress-'))
  const tls = await makeCertificate(folder)
  const authority = await createAuthority()
  const events: EgressEvent[] = []
  const open: { close(): Promise<void> }[] = []
  writeFileSync(join(folder, 'epoch'), identity.bootEpoch)
  writeFileSync(join(folder, 'nkey'), identity.nkey)
  const home: GatewayHome = {
    folder,
    authority,
    events,
    trust: tls.trust,
    agent: (egress) => ({
      agent: 'test',
      n: 1,
      socket: join(folder, 'egress.sock'),
      epochFile: join(folder, 'epoch'),
      nkeyFile: join(folder, 'nkey'),
      egress,
      actions: { fetch: egress.map(({ id }) => id), echo: [] },
    }),
    async gateway(overrides = {}) {
      return createGateway({
        issuer: identity.issuer,
        tokenKeys: await createTokenKeys(authority.jwks),
        now: Date.now,
        resolve: () => Promise.reject(new Error('this test resolves nothing')),
        epochOf: readEpoch,
        nkeyOf: readNkey,
        secretOf: readSecret,
        trusted: tls.trust.ca,
        record: async (event) => {
          events.push(event)
          return 'RECORDED'
        },
        pause: async () => undefined,
        ...overrides,
      })
    },
    async serve(handler, protocol = 'http') {
      const outside = await startOutside(handler, protocol === 'https' ? tls : undefined)
      open.push(outside)
      return outside
    },
    async openDoor(agent, gateway) {
      const door = await openDoor(agent, gateway)
      open.push(door)
      return door
    },
    async door(agent, gateway) {
      await home.openDoor(agent, gateway)
      return createEgressClient(agent.socket)
    },
    async call(request, step = {}) {
      const command = await authority.command({ action: 'fetch', args: { path: '/' }, ...step })
      const { token, args, salt } = command
      const whole = { egress: 'server', method: 'GET', path: '/', maxBytes: 10_000, ...request }
      return JSON.stringify({ token, args, salt, request: whole })
    },
    async close() {
      await Promise.all(open.map((one) => one.close()))
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return home
}

async function makeCertificate(folder: string) {
  const file = (name: string) => join(folder, name)
  const authority = await prepareAuthority(
    { certificate: file('ca.pem'), key: file('ca.key.pem') },
    Date.now(),
  )
  const files = { certificate: file('server.pem'), key: file('server.key.pem') }
  await prepareCertificate(files, { name: 'outside', purpose: 'server' }, authority, Date.now())
  const cert = readFileSync(files.certificate, 'utf8')
  const key = readFileSync(files.key, 'utf8')
  const spki = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
  const pin = createHash('sha256').update(spki).digest('base64')
  return { cert, key, trust: { ca: authority.certificatePem, pin } }
}

export async function startOutside(
  handler: Handler,
  tls?: { readonly cert: string; readonly key: string },
): Promise<Outside> {
  const seen: { url: string; headers: IncomingMessage['headers'] }[] = []
  const note: Handler = (request, response) => {
    seen.push({ url: request.url ?? '', headers: request.headers })
    handler(request, response)
  }
  const listener = tls === undefined ? createHttp(note) : createHttps(tls, note)
  await new Promise<void>((resolve) => {
    ;(listener as Server).listen(0, '127.0.0.1', resolve)
  })
  const { port } = listener.address() as AddressInfo
  return {
    port,
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve())
        listener.closeAllConnections()
      }),
  }
}

/** The code of a refusal; throws when there was none. */
export function codeOf(reply: FetchReply): string {
  if (reply.ok) throw new Error(`it was allowed: ${reply.status}`)
  return reply.code
}

/** What lies outside: a server with every awkward answer, and one that speaks TLS. */
export async function openOutside(
  home: GatewayHome,
): Promise<{ readonly plain: Outside; readonly secure: Outside }> {
  const secure = await home.serve((_request, response) => response.end('secure'), 'https')
  const plain = await home.serve((request, response) => {
    const url = request.url ?? ''
    if (url.startsWith('/redirect')) {
      response.writeHead(302, { location: `http://127.0.0.1:${secure.port}/stolen` }).end()
    } else if (url.startsWith('/slow')) {
      setTimeout(() => response.end('late'), 3_000).unref()
    } else if (url.startsWith('/brief')) {
      setTimeout(() => response.end(), 100).unref()
    } else if (url.startsWith('/large')) {
      response.end('x'.repeat(200_000))
    } else if (url.startsWith('/endless')) {
      const more = () => response.write('x'.repeat(60_000), () => setTimeout(more, 5).unref())
      more()
    } else if (url.startsWith('/gzip')) {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end('x')
    } else if (url.startsWith('/broken')) {
      response.writeHead(200, { 'content-length': '100' })
      response.write('half')
      setTimeout(() => response.destroy(), 50).unref()
    } else {
      response.writeHead(200, {
        'content-type': 'text/plain; charset=utf-8',
        etag: '"one"',
        'set-cookie': 'a=b',
        server: 'secret-version',
      })
      response.end(`hello ${url}`)
    }
  })
  return { plain, secure }
}

/** The declaration that lets an agent ask `origin`. */
export const declared = (
  origin: string,
  changes: Partial<ResolvedEgress> = {},
): ResolvedEgress => ({ ...server, origins: [origin], ...changes })

type Request = Parameters<GatewayHome['call']>[0]
type Overrides = Parameters<GatewayHome['gateway']>[0]

/** One request of an agent with that declaration, in the home of the moment. */
export const createAsk =
  (home: () => GatewayHome) =>
  async (
    egress: ResolvedEgress,
    request: Request = {},
    overrides: Overrides = {},
    step: Parameters<GatewayHome['call']>[1] = {},
  ): Promise<FetchReply> => {
    const gateway = await home().gateway(overrides)
    return gateway.handle(home().agent([egress]), await home().call(request, step))
  }
