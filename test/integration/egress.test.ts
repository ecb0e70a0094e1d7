// An agent in a real sandbox asks a server that bulkhead.yaml names, through a real gateway, with
// tokens of the deployment's own key. Then everything that a compromised agent could try at the same
// door: it holds the socket, so the tests hold it too.

import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createEgressClient } from '../../agents/egress-client.ts'
import { ensureReplySchema, type Reply, replySchema } from '../../agents/protocol.ts'
import { type Bus, connectBus } from '../../security/bus.ts'
import { createMinter } from '../../security/mint/token.ts'
import type { CapabilityClaims } from '../../security/verify/claims.ts'
import { drawSalt, hashArgs, sha256 } from '../../security/verify/hash.ts'
import {
  processesOf,
  startDeployment,
  stubParty,
  type TestDeployment,
} from '../support/deployment.ts'
import { type Outside, startOutside } from '../support/gateway.ts'
import { manifest, testEgress } from '../support/test-agent/manifest.ts'

const canary = 'canary-2f0b7c1d9e'
const salt = drawSalt()
const head = { receiver: 'test', type: 'TASK_REQUEST', correlationId: 'egress' } as const
const callsSchema = z.array(
  z.object({ call: z.string(), payload: z.record(z.string(), z.unknown()) }),
)

let state: string
let server: Outside
let other: Outside
let deployment: TestDeployment
let worker: Bus

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-egress-'))
  other = await startOutside((_request, response) => response.end('other'))
  server = await startOutside((request, response) => {
    if (request.url === '/open/redirect') {
      response.writeHead(302, { location: `${other.origin}/stolen` }).end()
    } else {
      response.end(`hello ${request.url}`)
    }
  })
  const settings = `folder: counts, server: "${server.origin}", secret: "env://EGRESS_CANARY"`
  // A folder of its own, so that the file of the configuration is written into it.
  deployment = await startDeployment({
    agents: ['test'],
    home: { yaml: `agents:\n  test: { ${settings} }\n` },
    overrides: { test: { egress: testEgress } },
    notaryEntry: stubParty,
    workerEntry: stubParty,
    env: { EGRESS_CANARY: canary },
    state,
  })
  worker = await connectBus({ credentials: join(state, 'worker', 'bus'), reconnect: false })
  await ensure()
})
afterAll(async () => {
  await worker?.close()
  await deployment?.stop()
  await Promise.all([server.close(), other.close()])
  rmSync(state, { recursive: true, force: true })
})
beforeEach(() => {
  server.seen.length = 0
})

const ensure = () =>
  worker.call(
    'supervisor.ensure',
    head,
    { agent: 'test', n: 0 },
    {
      reply: ensureReplySchema,
      timeoutMs: 30_000,
    },
  )

/** What the stub in the notary's place was told. */
function told(call: 'boot' | 'event') {
  const lines = readFileSync(join(state, 'notary', 'calls.ndjson'), 'utf8')
    .trim()
    .split('\n')
  return callsSchema
    .parse(lines.map((line) => JSON.parse(line)))
    .filter((one) => one.call === call)
    .map(({ payload }) => payload)
}

interface Grant {
  readonly action?: 'fetch' | 'echo'
  readonly args: Readonly<Record<string, unknown>>
  readonly claims?: Partial<CapabilityClaims>
}

async function grant({ action = 'fetch', args, claims }: Grant) {
  const boot = told('boot').findLast((one) => one['running'] === true)
  const minter = await createMinter(
    JSON.parse(readFileSync(join(state, 'notary', 'signing.jwk.json'), 'utf8')),
  )
  const now = Math.floor(Date.now() / 1_000)
  const token = await minter.mint({
    iss: `notary:${deployment.deployment.deployment}`,
    aud: `agent:test.0:${String(boot?.['bootEpoch'])}`,
    sub: 'user:owner',
    act: { sub: 'wf:one' },
    jti: drawSalt(),
    idem: sha256(drawSalt()),
    op: 'run',
    iat: now,
    nbf: now,
    exp: now + 30,
    authorization_details: [
      {
        type: 'agent_action',
        agent: 'test.0',
        action,
        kind: 'do',
        effect: manifest.actions[action].effect,
        args_s256: hashArgs(salt, args),
        salt,
        limits: { resultBytes: 64 * 1024, timeoutMs: 5_000 },
      },
    ],
    cnf: { nk_s256: sha256(String(boot?.['nkey'])) },
    plan: sha256('plan'),
    step: 'look',
    pol: 'policy',
    lbl: 'label',
    ...claims,
  })
  return { token, args, salt }
}

/** A step of the agent, as the dispatcher would send it. */
async function step(args: Grant['args']): Promise<Reply> {
  const command = { op: 'run', ...(await grant({ args })) }
  return worker.call('agent.test.0.exec', head, command, { reply: replySchema, timeoutMs: 20_000 })
}

const socketOf = () => join(dirname(deployment.deployment.controlSocket), 'test.0.egress.sock')
const open = { egress: 'server', method: 'GET', path: '/open/x', maxBytes: 1_000 } as const

/** Why the gateway says no to one who holds the agent's socket. */
async function refusalAtTheDoor(
  proof: Awaited<ReturnType<typeof grant>>,
  request: Parameters<ReturnType<typeof createEgressClient>>[1] = open,
): Promise<string> {
  try {
    await createEgressClient(socketOf())(proof, request)
  } catch (error) {
    return error instanceof Error ? (error.message.split(':')[0] ?? '') : ''
  }
  return 'allowed'
}

const events = () => told('event').filter(({ subject }) => subject === 'egress:test.0')

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
    expect(files).toEqual([join(state, 'gateway', 'secrets', 'test.server')])
    expect(statSync(files[0] ?? '').mode & 0o777).toBe(0o400)
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
    const door = async () => (existsSync(socketOf()) ? refusalAtTheDoor(old) : 'away')
    // Until the supervisor has started another one, which no sandbox has mounted yet.
    await expect.poll(door, { timeout: 20_000, interval: 100 }).toBe('NOT_RUNNING')
    await ensure()
    expect(await refusalAtTheDoor(old)).toBe('TOKEN_AUDIENCE')
    await delay(100)
    expect(await step({ path: '/open/again' })).toMatchObject({ status: 'DONE' })
  })
})

describe('a deployment whose agents ask nobody', () => {
  it('has no gateway, neither as a process nor as a user of the bus', async () => {
    const quiet = await startDeployment({
      agents: ['test'],
      notaryEntry: stubParty,
      workerEntry: stubParty,
    })
    try {
      const { body } = await quiet.control('GET', '/status')
      expect(JSON.stringify(body)).not.toContain('gateway')
      expect(existsSync(join(quiet.state, 'gateway'))).toBe(false)
      const bus = await connectBus({
        credentials: join(quiet.state, 'worker', 'bus'),
        reconnect: false,
      })
      await bus.call(
        'supervisor.ensure',
        head,
        { agent: 'test', n: 0 },
        {
          reply: ensureReplySchema,
          timeoutMs: 30_000,
        },
      )
      await bus.close()
      expect(
        readdirSync(join(quiet.state, 'run')).filter((name) => name.includes('egress')),
      ).toEqual([])
    } finally {
      await quiet.stop()
    }
  })
})
