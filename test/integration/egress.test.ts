// An agent in a real sandbox asks a server that bulkhead.yaml names, through a real gateway, with
// tokens of the deployment's own key. Then everything that a compromised agent could try at the same
// door: it holds the socket, so the tests hold it too.

import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createEgressClient } from '../../agents/egress-client.ts'
import { processesOf, type TestDeployment } from '../support/deployment.ts'
import {
  type EgressDeployment,
  type Granted,
  startEgressDeployment,
} from '../support/egress-deployment.ts'
import type { Outside } from '../support/gateway.ts'

const canary = 'canary-2f0b7c1d9e'

let egress: EgressDeployment
let deployment: TestDeployment
let state: string
let server: Outside
let other: Outside

beforeAll(async () => {
  egress = await startEgressDeployment({
    canary,
    handler: (elsewhere) => (request, response) => {
      if (request.url === '/open/redirect') {
        response.writeHead(302, { location: `${elsewhere.origin}/stolen` }).end()
      } else {
        response.end(`hello ${request.url}`)
      }
    },
  })
  ;({ deployment, state, server, other } = egress)
})
afterAll(() => egress.stop())
beforeEach(() => {
  server.seen.length = 0
  egress.mail.arrived.length = 0
})

type Args = Granted['args']
const step = (args: Args) => egress.step({ args })
const grant: EgressDeployment['grant'] = (wanted) => egress.grant(wanted)
const events = () => egress.events()
const open = { egress: 'server', method: 'GET', path: '/open/x', maxBytes: 1_000 } as const

/** Why the gateway says no to one who holds the agent's socket. */
async function refusalAtTheDoor(
  proof: Granted,
  request: Parameters<ReturnType<typeof createEgressClient>>[1] = open,
): Promise<string> {
  try {
    await createEgressClient(egress.socket())(proof, request)
  } catch (error) {
    return error instanceof Error ? (error.message.split(':')[0] ?? '') : ''
  }
  return 'allowed'
}

describe('an agent in its sandbox', () => {
  it('gets from the named server what its step allows', async () => {
    const reply = await step({ path: '/open/x' })
    expect(reply).toMatchObject({ status: 'DONE', result: '{"body":"hello /open/x","status":200}' })
    expect(server.seen[0]?.headers['authorization']).toBe(`Bearer ${canary}`)
  })

  it('sends an argument where the rule binds it, and nothing in its place', async () => {
    expect((await step({ path: '/bound', bound: 'a b' })).status).toBe('DONE')
    expect(server.seen[0]?.url).toBe('/bound?key=a+b')
    const cheating = await step({ path: '/bound', bound: 'a', key: 'stolen' })
    expect(cheating).toMatchObject({ status: 'FAILED', code: 'UNAVAILABLE', retry: 'final' })
    expect(server.seen.length).toBe(1)
  })

  it.each<[string, () => Record<string, unknown>]>([
    ['another host', () => ({ path: '/open/x', origin: other.origin })],
    [
      'a name of the same server',
      () => ({ path: '/open/x', origin: server.origin.replace('127.0.0.1', 'localhost') }),
    ],
    ['another path', () => ({ path: '/elsewhere' })],
    ['a path with dots', () => ({ path: '/open/../elsewhere' })],
    ['another method', () => ({ path: '/bound', bound: 'a', method: 'POST' })],
    ['another declaration', () => ({ path: '/open/x', egress: 'news' })],
  ])('reaches nothing else: %s', async (_what, args) => {
    expect(await step(args())).toMatchObject({
      status: 'FAILED',
      code: 'UNAVAILABLE',
      retry: 'final',
    })
    expect([server.seen, other.seen]).toEqual([[], []])
  })

  it('leaves an event under its step for every request, allowed or not', async () => {
    await step({ path: '/open/y' })
    await step({ path: '/elsewhere' })
    const under = { kind: 'message', correlation: { requestId: 'wf:one', step: 'look' } }
    expect(events().slice(-2)).toMatchObject([
      { ...under, summary: { host: '127.0.0.1', status: 200, code: 'OK' } },
      { ...under, summary: { status: 0, code: 'PATH_REFUSED' } },
    ])
  })
})

describe('a tunnel of an agent in its sandbox', () => {
  const args = (changes: object = {}): Args => ({
    ...{ host: '127.0.0.1', port: egress.mail.port, ca: egress.mail.ca, say: 'a private word' },
    ...changes,
  })

  it('leads to the named host and port, under TLS of its own, and is recorded', async () => {
    const reply = await egress.step({ action: 'tunnel', args: args() })
    expect(reply).toMatchObject({ status: 'DONE', result: '{"heard":"a private word"}' })
    const codes = () =>
      events()
        .slice(-2)
        .map(({ summary }) => summary)
    await expect
      .poll(codes)
      .toMatchObject([{ code: 'OPENED' }, { code: 'CLOSED', sent: expect.any(Number) }])
    expect(events().at(-1)).toMatchObject({ correlation: { requestId: 'wf:one', step: 'look' } })
    expect(JSON.stringify(events())).not.toContain('private word')
  })

  it.each<[string, () => object]>([
    ['another port', () => ({ port: other.port })],
    ['another host', () => ({ host: '127.0.0.2' })],
    ['a declaration of requests', () => ({ egress: 'server', port: server.port })],
  ])('leads nowhere else: %s', async (_what, changes) => {
    const reply = await egress.step({ action: 'tunnel', args: args(changes()) })
    expect(reply).toMatchObject({ status: 'FAILED', code: 'UNAVAILABLE', retry: 'final' })
    expect([egress.mail.arrived, server.seen, other.seen]).toEqual([[], [], []])
  })
})

describe('the door, to one who holds it', () => {
  it('opens with a live token of this agent', async () => {
    expect(await refusalAtTheDoor(await grant({ args: { path: '/open/x' } }))).toBe('allowed')
  })

  it('stays closed without a token', async () => {
    const proof = await grant({ args: {} })
    expect(await refusalAtTheDoor({ ...proof, token: '' })).toBe('TOKEN_MALFORMED')
    expect(server.seen).toEqual([])
  })

  it("stays closed with another step's arguments", async () => {
    const proof = await grant({ args: { path: '/open/x' } })
    expect(await refusalAtTheDoor({ ...proof, args: { path: '/open/y' } })).toBe('ARGS_HASH')
  })

  it('stays closed after expiry', async () => {
    const now = Math.floor(Date.now() / 1_000)
    const claims = { iat: now - 40, nbf: now - 40, exp: now - 10 }
    expect(await refusalAtTheDoor(await grant({ args: {}, claims }))).toBe('TOKEN_EXPIRED')
  })

  it('stays closed for an action that lists no egress', async () => {
    const proof = await grant({ action: 'echo', args: { text: 'x' } })
    expect(await refusalAtTheDoor(proof)).toBe('EGRESS_NOT_OF_ACTION')
  })

  it('stays closed for a token of another agent', async () => {
    const claims = { aud: 'agent:other.0:epoch-one-0001' }
    expect(await refusalAtTheDoor(await grant({ args: {}, claims }))).toBe('TOKEN_AUDIENCE')
    expect(server.seen).toEqual([])
  })
})

describe('C05: a host that is not the named one', () => {
  it.each([
    ['an address', () => 'https://93.184.216.34'],
    ['the address of metadata', () => 'http://169.254.169.254'],
    ['a name with NUL', () => `${server.origin}\0.example.com`],
    ['a trailing dot', () => 'https://api.example.com.'],
    ['upper case', () => server.origin.replace('http', 'HTTP')],
    ['userinfo', () => server.origin.replace('://', '://user@')],
    ['the server behind userinfo', () => `${server.origin}@evil.example`],
    ['a number for the address', () => `http://2130706433:${server.port}`],
    ['hexadecimal', () => `http://0x7f.0.0.1:${server.port}`],
    ['octal', () => `http://0177.0.0.1:${server.port}`],
    ['a short address', () => `http://127.1:${server.port}`],
    ['IPv6 in disguise', () => `http://[::ffff:127.0.0.1]:${server.port}`],
    ['a name in other letters', () => 'https://exаmple.com'],
    ['a path after it', () => `${server.origin}/elsewhere`],
    ['another port', () => other.origin],
  ])('is refused before anything leaves: %s', async (_what, origin) => {
    const reply = await step({ path: '/open/x', origin: origin() })
    expect(reply).toMatchObject({ status: 'FAILED', code: 'UNAVAILABLE', retry: 'final' })
    expect([server.seen, other.seen]).toEqual([[], []])
    expect(events().at(-1)?.['summary']).toMatchObject({
      code: expect.stringMatching(/^ORIGIN_(?:INVALID|REFUSED)$/),
    })
  })

  it('is not reached by a header that names it', async () => {
    const proof = await grant({ args: {} })
    const headers = { host: `127.0.0.1:${other.port}` }
    expect(await refusalAtTheDoor(proof, { ...open, headers })).toBe('HEADER_REFUSED')
  })

  it('is not reached by a redirect', async () => {
    const reply = await step({ path: '/open/redirect' })
    expect(reply).toMatchObject({ status: 'DONE', result: '{"body":"","status":302}' })
    expect(await step({ path: '/open/x', origin: other.origin })).toMatchObject({ retry: 'final' })
    expect(other.seen).toEqual([])
  })
})

describe('the credential', () => {
  it('is in the file of the gateway and nowhere else', async () => {
    await step({ path: '/open/x' })
    const files = readdirSync(state, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => readFileSync(file).includes(canary))
    expect(files).toEqual([join(state, 'gateway', 'secrets', 'test.0.server')])
    expect(statSync(files[0] ?? '').mode & 0o777).toBe(process.getuid?.() === 0 ? 0o440 : 0o400)
    // Every process of the host sees a ledger's volume; a sandbox has mounts of its own.
    const mountsAt = (pid: number | 'self') => {
      try {
        return readlinkSync(`/proc/${pid}/ns/mnt`)
      } catch {
        return readlinkSync('/proc/self/ns/mnt')
      }
    }
    const children = processesOf(state).filter(
      ({ pid, command }) =>
        pid !== deployment.process.pid &&
        (command.includes(state) || mountsAt(pid) !== mountsAt('self')),
    )
    expect(children.length).toBeGreaterThan(3)
    for (const { pid, command } of children) {
      const environment = existsSync(`/proc/${pid}/environ`)
        ? readFileSync(`/proc/${pid}/environ`, 'utf8')
        : ''
      expect(command + environment).not.toContain(canary)
    }
  })
})

describe('a life that is over', () => {
  it('takes its tokens with it, and a new gateway finds its agent again', async () => {
    const old = await grant({ args: {} })
    const gateway = processesOf(state).find(({ command }) => command.includes('egress/main.ts'))
    process.kill(gateway?.pid ?? 0, 'SIGKILL')
    const door = async () => (existsSync(egress.socket()) ? refusalAtTheDoor(old) : 'away')
    // Until the supervisor has started another one, which no sandbox has mounted yet.
    await expect.poll(door, { timeout: 20_000, interval: 100 }).toBe('NOT_RUNNING')
    await egress.ensure()
    expect(await refusalAtTheDoor(old)).toBe('TOKEN_AUDIENCE')
    await delay(100)
    expect(await step({ path: '/open/again' })).toMatchObject({ status: 'DONE' })
  })
})
