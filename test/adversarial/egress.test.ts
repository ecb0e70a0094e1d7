// A hostile agent in its real sandbox tries to reach the network: without a token, with tokens that are
// not live or not its own, and with a live one to everything that it does not name. What reached whom
// is read from the servers; why not, from the gateway's events.

import { mkdtempSync, rmSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { bundleProgram } from '../../agents/bundle.ts'
import { tunnelUser } from '../../egress/contract.ts'
import { createCaseTable } from '../support/case-table.ts'
import {
  type EgressDeployment,
  type Granted,
  startEgressDeployment,
} from '../support/egress-deployment.ts'
import { connectParty, type RawParty } from '../support/raw-party.ts'

const table = createCaseTable('the network, from inside the sandbox of a hostile agent')
const heardSchema = z.object({ text: z.string(), ended: z.boolean() })
const codesSchema = z.array(z.string())
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-hostile-egress-'))
let egress: EgressDeployment
let raw: RawParty

beforeAll(async () => {
  const bundle = join(folder, 'hostile.mjs')
  await bundleProgram(join(import.meta.dirname, '..', 'support', 'hostile-agent.ts'), bundle)
  egress = await startEgressDeployment({
    canary: 'canary-51ab9e03',
    bundles: { test: bundle },
    handler: (other) => (request, response) => {
      if (request.url === '/open/redirect') {
        response.writeHead(302, { location: `${other.origin}/stolen` }).end()
      } else response.end('hello')
    },
  })
  raw = await connectParty(join(egress.state, 'worker', 'bus'))
}, 240_000)
afterAll(async () => {
  table.print()
  await raw.close()
  await egress.stop()
  rmSync(folder, { recursive: true, force: true })
})
beforeEach(() => {
  egress.server.seen.length = 0
  egress.other.seen.length = 0
  egress.mail.arrived.length = 0
})

const order = (name: string, details: object) =>
  raw.ask('agent.test.0.exec', JSON.stringify({ order: name, ...details }), 20_000)
const knock = async (text: string) => heardSchema.parse(await order('knock', { text }))

function post(body: string): string {
  // One character a byte, as it is sent.
  const bytes = Buffer.from(body).toString('latin1')
  return `POST /fetch HTTP/1.1\r\nhost: x\r\ncontent-length: ${bytes.length}\r\n\r\n${bytes}`
}
const open = { egress: 'server', method: 'GET', path: '/open/x', maxBytes: 1_000 }
const fetchWith = (proof: Granted, request: object = {}) =>
  post(JSON.stringify({ ...proof, request: { ...open, ...request } }))

const mailAt = () => `127.0.0.1:${egress.mail.port}`
function connectWith(proof: Granted | undefined, target: string, headers = ''): string {
  const call = proof === undefined ? '' : JSON.stringify({ ...proof, egress: 'mail' })
  const basic = Buffer.from(`${tunnelUser}:${call}`).toString('base64')
  const credentials = proof === undefined ? '' : `proxy-authorization: Basic ${basic}\r\n`
  return `CONNECT ${target} HTTP/1.1\r\nhost: x\r\n${headers}${credentials}\r\n`
}
const codeIn = (text: string): string => /"code":"([A-Z_]+)"/.exec(text)?.[1] ?? 'none'

/** Connections that anybody outside saw. */
const reached = () => [...egress.server.seen, ...egress.other.seen, ...egress.mail.arrived].length

const soon = () => Math.floor(Date.now() / 1_000)
/** What is no live token of this agent's, and the code that says so. */
const dead: readonly (readonly [string, string, () => Promise<Granted>])[] = [
  ['no token', 'TOKEN_MALFORMED', async () => ({ token: '', args: {}, salt: 'x' })],
  [
    'one that has expired',
    'TOKEN_EXPIRED',
    () => grantBoth({ claims: { iat: soon() - 40, nbf: soon() - 40, exp: soon() - 10 } }),
  ],
  [
    'one of another agent',
    'TOKEN_AUDIENCE',
    () => grantBoth({ claims: { aud: 'agent:calendar.0:epoch-one-0001' } }),
  ],
  [
    'one of an earlier life',
    'TOKEN_AUDIENCE',
    () => grantBoth({ claims: { aud: 'agent:test.0:epoch-before-01' } }),
  ],
  [
    'one for other arguments',
    'ARGS_HASH',
    async () => ({ ...(await grantBoth({})), args: { path: '/other' } }),
  ],
  [
    'one that it made up',
    'TOKEN_SIGNATURE',
    async () => {
      const { token, ...rest } = await grantBoth({})
      return { ...rest, token: `${token.slice(0, token.lastIndexOf('.'))}.${'A'.repeat(86)}` }
    },
  ],
  ['one for an action without egress', 'EGRESS_NOT_OF_ACTION', () => grantBoth({ action: 'echo' })],
]
const grantBoth = (change: Partial<Parameters<EgressDeployment['grant']>[0]>) =>
  egress.grant({ action: 'tunnel', args: {}, ...change })

describe('a hostile agent', () => {
  it('C04 idle reaches nothing but its bus and a closed door', async () => {
    const host = Object.values(networkInterfaces())
      .flat()
      .find((one) => one?.family === 'IPv4' && !one.internal)?.address
    const ports = [egress.server.port, egress.other.port, egress.mail.port]
    const targets = ['127.0.0.1', '169.254.169.254', ...(host === undefined ? [] : [host])].flatMap(
      (one) => ports.map((port) => ({ host: one, port })),
    )
    const results = codesSchema.parse(await order('dial', { targets }))
    expect(results.filter((result) => result === 'connected')).toEqual([])
    for (const text of [
      `GET http://127.0.0.1:${egress.other.port}/ HTTP/1.1\r\nhost: x\r\n\r\n`,
      `GET / HTTP/1.1\r\nhost: 127.0.0.1:${egress.other.port}\r\n\r\n`,
      connectWith(undefined, mailAt()),
      post('{}'),
    ]) {
      expect(codeIn((await knock(text)).text)).toBe('MALFORMED')
    }
    expect(reached()).toBe(0)
    table.add(
      'C04',
      `${targets.length} addresses, four ways at the door`,
      'sandbox, gateway',
      'MALFORMED',
    )
  })

  it.each(dead)('C05 reaches nobody with %s', async (what, code, granted) => {
    const proof = await granted()
    expect(codeIn((await knock(fetchWith(proof))).text)).toBe(code)
    expect(codeIn((await knock(connectWith(proof, mailAt()))).text)).toBe(code)
    expect(reached()).toBe(0)
    table.add('C05', `request and tunnel: ${what}`, 'gateway', code)
  })
})

describe('with a live token of its own', () => {
  it('C05 it reaches what that names, so that the refusals below are not of something else', async () => {
    const { text } = await knock(fetchWith(await egress.grant({ args: {} })))
    expect(text).toContain('"ok":true')
    expect(egress.server.seen.map(({ url }) => url)).toEqual(['/open/x'])
    const tunnel = await knock(`${connectWith(await grantBoth({}), mailAt())}not TLS`)
    expect(tunnel.text).toMatch(/^HTTP\/1\.1 200 /)
    expect(egress.mail.arrived).toHaveLength(1)
  })

  /** Spellings of hosts, each as the host of an origin and of a tunnel. */
  const hosts: readonly (readonly [string, (port: number) => string])[] = [
    ['another address', (port) => `127.0.0.2:${port}`],
    ['metadata', () => '169.254.169.254:80'],
    ['a public address', () => '93.184.216.34:443'],
    ['another port', () => `127.0.0.1:${egress.other.port}`],
    ['a name of the same server', (port) => `localhost:${port}`],
    ['a trailing dot', (port) => `localhost.:${port}`],
    ['upper case', (port) => `LOCALHOST:${port}`],
    ['userinfo', (port) => `user@127.0.0.1:${port}`],
    ['the named host as userinfo', (port) => `127.0.0.1:${port}@evil.example:443`],
    ['one number', (port) => `2130706433:${port}`],
    ['hexadecimal', (port) => `0x7f.0.0.1:${port}`],
    ['octal', (port) => `0177.0.0.1:${port}`],
    ['a short address', (port) => `127.1:${port}`],
    ['IPv6 in disguise', (port) => `[::ffff:127.0.0.1]:${port}`],
    ['punycode', () => 'xn--exmple-cua.com:443'],
    ['no port', () => '127.0.0.1'],
  ]
  it.each(hosts)('C05 it reaches no other host: %s', async (what, host) => {
    const origin = `http://${host(egress.server.port)}`
    const request = await knock(fetchWith(await egress.grant({ args: {} }), { origin }))
    expect(codeIn(request.text)).toMatch(/^ORIGIN_(INVALID|REFUSED)$/)
    const tunnel = await knock(connectWith(await grantBoth({}), host(egress.mail.port)))
    expect(tunnel.text).not.toMatch(/^HTTP\/1\.1 200 /)
    expect(tunnel.text === '' || / 40[03] /.test(tunnel.text)).toBe(true)
    expect(reached()).toBe(0)
    table.add('C05', what, 'gateway', `${codeIn(request.text)}, ${codeIn(tunnel.text)}`)
  })

  it.each([
    ['NUL in the host', '\0.example.com'],
    ['a line end in the host', '\r\nhost: evil.example'],
    ['a byte beyond ASCII', '\u00e9.example'],
  ])('C05 it reaches no other host: %s', async (what, tail) => {
    const origin = `http://127.0.0.1:${egress.server.port}${tail}`
    const request = await knock(fetchWith(await egress.grant({ args: {} }), { origin }))
    expect(codeIn(request.text)).toBe('ORIGIN_INVALID')
    const tunnel = await knock(connectWith(await grantBoth({}), `127.0.0.1${tail}:1`))
    expect(tunnel.text).not.toMatch(/^HTTP\/1\.1 200 /)
    expect(reached()).toBe(0)
    table.add('C05', what, 'gateway', 'ORIGIN_INVALID, unread')
  })

  it.each<[string, object, string]>([
    ['another path', { path: '/elsewhere' }, 'PATH_REFUSED'],
    ['dots in the path', { path: '/open/../elsewhere' }, 'PATH_INVALID'],
    ['an encoded slash', { path: '/open/..%2felsewhere' }, 'PATH_INVALID'],
    ['another method', { method: 'DELETE' }, 'METHOD_REFUSED'],
    ['a query', { query: { q: 'secret' } }, 'QUERY_REFUSED'],
    ['a host header', { headers: { host: 'evil.example' } }, 'HEADER_REFUSED'],
    ['a credential of its own', { headers: { authorization: 'Bearer x' } }, 'HEADER_REFUSED'],
    ['another declaration', { egress: 'news' }, 'EGRESS_UNDECLARED'],
    ['a tunnel as if it were one', { egress: 'mail' }, 'EGRESS_NOT_OF_ACTION'],
  ])('C05 it sends nothing else: %s', async (what, request, code) => {
    const { text } = await knock(fetchWith(await egress.grant({ args: {} }), request))
    expect(codeIn(text)).toBe(code)
    expect(reached()).toBe(0)
    table.add('C05', what, 'gateway', code)
  })

  it('C05 it does not follow a redirect into the house', async () => {
    const { text } = await knock(
      fetchWith(await egress.grant({ args: {} }), { path: '/open/redirect' }),
    )
    expect(text).toContain('"status":302')
    expect(egress.other.seen).toEqual([])
    table.add('C05', 'a redirect to a private address', 'gateway', 'not followed')
  })

  it('C05 another Host than the target of a tunnel moves it nowhere', async () => {
    const headers = `host: 127.0.0.1:${egress.other.port}\r\n`
    const { text } = await knock(connectWith(await grantBoth({}), mailAt(), headers))
    expect(text === '' || /^HTTP\/1\.1 (200|400) /.test(text)).toBe(true)
    expect(egress.other.seen).toEqual([])
    table.add('C05', 'Host that differs from the target', 'gateway', 'the target counts')
  })

  it('C05 a second request behind the first is not read', async () => {
    const first = fetchWith(await egress.grant({ args: {} }))
    const second = `GET http://127.0.0.1:${egress.other.port}/ HTTP/1.1\r\nhost: x\r\n\r\n`
    const { text } = await knock(first + second)
    expect(text.match(/HTTP\/1\.1 200/g)).toHaveLength(1)
    expect(egress.other.seen).toEqual([])
    table.add('C05', 'a request smuggled behind another', 'gateway', 'unread')
  })

  it('C05 a tunnel ends with the time of its step, whoever holds it', async () => {
    const proof = await grantBoth({ timeoutMs: 500 })
    const { text, ended } = await knock(connectWith(proof, mailAt()))
    expect(text).toMatch(/^HTTP\/1\.1 200 /)
    expect(ended).toBe(true)
    const last = () => egress.events().at(-1)?.['summary']
    await expect.poll(last).toMatchObject({ code: 'TIME_OVER' })
    table.add('C05', 'a tunnel that is held on to', 'gateway', 'TIME_OVER')
  })
})
