// A bundled agent as a process of its own, on a real bus, under the flags it has in a sandbox: with
// nothing but Node, its bundle and SQLite's addon beside it. What the kernel must add is the sandbox
// tests' subject; here the agent runs as `insecure`, and must refuse to where that is not said.

import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { fromSeed } from '@nats-io/nkeys'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { bundleProgram } from '../../agents/bundle.ts'
import { replySchema } from '../../agents/protocol.ts'
import type { Bus } from '../../security/bus.ts'
import { sha256 } from '../../security/verify/hash.ts'
import { generateKeyPairJwk } from '../../security/verify/keys.ts'
import {
  type Authority,
  type CommandInput,
  createAuthority,
  identity,
} from '../support/agent-commands.ts'
import { createHome, ledgerId, type TestHome } from '../support/agent-home.ts'
import { startBus, type TestBus } from '../support/bus.ts'
import { answerAll, createBusClients } from '../support/bus-clients.ts'
import { createGate, type Gate } from '../support/crash-gate.ts'

const entry = fileURLToPath(new URL('../support/test-agent/serve.ts', import.meta.url))
const flags = ['--disallow-code-generation-from-strings', '--disable-proto=delete']
const addon = `${process.platform}-${process.arch}.node`
const sqlite = dirname(createRequire(import.meta.url).resolve('better-sqlite3/package.json'))

let bus: TestBus
let authority: Authority
let bundle: string
let home: TestHome
let gate: { close(): Promise<void> }
let agents: Pick<AgentProcess, 'child' | 'exited'>[]
/** Where an effect can be stopped on its way. */
let stop: Gate
let worker: Bus
const clients = createBusClients(() => bus)

beforeAll(async () => {
  bus = await startBus({ replicas: [{ agent: 'test', n: 1 }] })
  const nkey = fromSeed(readFileSync(join(bus.credentials('agent_test_1'), 'nkey.seed')))
  authority = await createAuthority({ ...identity, nkey: nkey.getPublicKey() })
  bundle = join(bus.state, 'agent.mjs')
  await bundleProgram(entry, bundle)
})
afterAll(() => bus.stop())

beforeEach(async () => {
  agents = []
  home = createHome()
  stop = createGate(home.folder)
  await writeSecrets({ insecure: true })
  gate = await openGate(join(home.folder, 'run/bus.sock'), bus)
  worker = await clients.enter('worker')
})
afterEach(async () => {
  for (const agent of agents) agent.child.kill('SIGKILL')
  await Promise.all(agents.map((agent) => agent.exited))
  await clients.closeAll()
  await gate.close()
  home.remove()
})

const states = () => home.rows().map((row) => row['state'])
/** Longer than a busy machine takes to come to a point; what is awaited there has ten seconds. */
const reachedWithinMs = 8_000

async function writeSecrets(change: { readonly insecure: boolean }): Promise<void> {
  const secrets = join(home.folder, 'secrets')
  const credentials = bus.credentials('agent_test_1')
  for (const folder of ['bus', '../run', '../agent']) {
    mkdirSync(join(secrets, folder), { recursive: true })
  }
  for (const name of ['bus.json', 'ca.pem', 'cert.pem', 'key.pem', 'nkey.seed']) {
    copyFileSync(join(credentials, name), join(secrets, 'bus', name))
  }
  copyFileSync(join(sqlite, 'prebuilds', addon), join(home.folder, 'agent/better_sqlite3.node'))
  const nkey = fromSeed(readFileSync(join(credentials, 'nkey.seed'))).getPublicKey()
  const { privateJwk } = await generateKeyPairJwk()
  const { issuer, n, bootEpoch } = identity
  const known = { deployment: 'testtest', issuer, agent: 'test', n, bootEpoch, nkey, ledgerId }
  const config = { ...known, ledgerBytes: 48 * 1024 * 1024, ...change }
  writeFileSync(join(secrets, 'config.json'), JSON.stringify(config))
  writeFileSync(join(secrets, 'receipt.jwk.json'), JSON.stringify(privateJwk))
  writeFileSync(join(secrets, 'token-keys.json'), JSON.stringify(authority.jwks))
  writeFileSync(join(secrets, 'ledger.key'), 'A'.repeat(43))
}

/** What the supervisor does outside the sandbox: a Unix socket whose bytes go to the bus. */
async function openGate(socket: string, { host, port }: TestBus) {
  const open = new Set<Socket>()
  const server: Server = createServer((inside) => {
    const outside = connect(port, host)
    inside.pipe(outside).pipe(inside)
    for (const each of [inside, outside]) {
      open.add(each)
      each
        .on('error', () => undefined)
        .on('close', () => {
          inside.destroy()
          outside.destroy()
        })
    }
  })
  server.listen(socket)
  await once(server, 'listening')
  return {
    async close() {
      for (const each of open) each.destroy()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface AgentProcess {
  readonly child: ChildProcess
  readonly ready: unknown
  readonly exited: Promise<readonly [number | null, NodeJS.Signals | null]>
  log(): string
}

async function startAgent(killAt = 'never'): Promise<AgentProcess> {
  const child = spawn(process.execPath, [...flags, bundle, home.folder, killAt], {
    cwd: home.folder,
    env: {},
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  let log = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    log += text
  })
  const exited = once(child, 'exit').then(([code, signal]) => [code, signal] as const)
  agents.push({ child, exited })
  let line = ''
  for await (const chunk of child.stdio[3] as Readable) {
    line += String(chunk)
    if (line.includes('\n')) break
  }
  return { child, ready: JSON.parse(line) as unknown, exited, log: () => log }
}

/** What its test reads of it: standard error and the ready line, which are sockets as well. */
const pipes = 2
function socketsOf({ pid }: ChildProcess): number {
  const open = `/proc/${pid}/fd`
  return readdirSync(open).filter((fd) => readlinkSync(join(open, fd)).startsWith('socket:')).length
}

const head = { receiver: 'test.1', type: 'TASK_REQUEST', correlationId: 'run-1' } as const
const ask = (payload: unknown) =>
  worker.call('agent.test.1.exec', head, payload, { reply: replySchema, timeoutMs: 10_000 })
const run = async (input: CommandInput) => ask(await authority.command(input))
const count = { action: 'count', args: { text: 'secret title' } } satisfies CommandInput

describe('an agent process', () => {
  it('says that it is ready, carries out a command and tells it again', async () => {
    const { ready } = await startAgent()
    expect(ready).toEqual({ ready: true, sandbox: { insecure: true, ledger: 'OPEN' } })
    expect(await run(count)).toMatchObject({ status: 'DONE', result: '{"count":1}' })
    expect(await run(count)).toMatchObject({ status: 'DONE', result: '{"count":1}' })
    expect(home.effects()).toHaveLength(1)
    expect(await ask({ op: 'health' })).toMatchObject({ status: 'HEALTHY', agent: 'test.1' })
    expect(await ask({ op: 'describe' })).toMatchObject({ status: 'DESCRIPTION', agent: 'test' })
  })

  it('reports a refusal to the notary, with a code and without content', async () => {
    const notary = await clients.enter('notary')
    const seen = await answerAll(notary, 'evt.*.*')
    const agent = await startAgent()
    await run({ ...count, sent: { text: 'another secret' } })
    const summary = { event: 'refused', code: 'ARGS_HASH' }
    await expect
      .poll(() => seen)
      .toEqual([
        { subject: 'evt.test.1', payload: { kind: 'security', subject: 'test.1', summary } },
      ])
    expect(agent.log()).toContain('ARGS_HASH')
    expect(agent.log()).not.toContain('secret')
  })

  it('logs where a handler broke, and nothing that the error quotes', async () => {
    const agent = await startAgent()
    expect(await run({ action: 'breakWrite' })).toMatchObject({ status: 'UNKNOWN' })
    expect(agent.log()).toMatch(/"handler-error".*"TypeError"/)
    expect(agent.log()).not.toContain('secret')
  })

  it('reads a secret that its manifest declares, and no other file of that folder', async () => {
    const agent = await startAgent()
    writeFileSync(join(home.folder, 'secrets', 'password'), 'open sesame')
    const prove = (name: string) =>
      run({ action: 'proveSecret', args: { name }, idem: sha256(name) })
    expect(await prove('password')).toMatchObject({
      status: 'DONE',
      result: JSON.stringify({
        sha256: createHash('sha256').update('open sesame').digest('hex'),
      }),
    })
    for (const name of ['receipt.jwk.json', '../secrets/password', '']) {
      expect(await prove(name), name).toMatchObject({ status: 'FAILED' })
    }
    expect(agent.log()).not.toContain('sesame')
  })

  it.each([
    ['after-reserve', 'RESERVED'],
    ['after-effect', 'EXECUTING'],
  ])(
    'leaves when its bus closes, with what was under way in its ledger: %s',
    async (point, state) => {
      const agent = await startAgent()
      stop.arm(point)
      const lost = run(count).catch(() => 'lost')
      await stop.reached(reachedWithinMs)
      expect(states()).toEqual([state])
      await gate.close()
      // It has seen that it is cut off, and stays until its work is done.
      await expect.poll(() => socketsOf(agent.child), { interval: 5 }).toBe(pipes)
      stop.release()
      expect(await agent.exited).toEqual([0, null])
      expect(states()).toEqual(['DONE'])
      expect(home.effects()).toHaveLength(1)
      await clients.closeAll()
      await lost
    },
  )

  it('answers what is under way before it leaves on SIGTERM', async () => {
    const agent = await startAgent()
    stop.arm('after-effect')
    const reply = run(count)
    // Awaited below; a point that is not reached is told first.
    reply.catch(() => undefined)
    await stop.reached(reachedWithinMs)
    expect(states()).toEqual(['EXECUTING'])
    agent.child.kill('SIGTERM')
    // Whoever still answers, and twice, has heard the signal and does not leave.
    for (const _ of [1, 2]) expect(await ask({ op: 'health' })).toMatchObject({ status: 'HEALTHY' })
    stop.release()
    expect(await reply).toMatchObject({ status: 'DONE' })
    expect(await agent.exited).toEqual([0, null])
  })

  it('does not serve outside a sandbox unless its configuration says so', async () => {
    await writeSecrets({ insecure: false })
    const agent = await startAgent()
    expect(agent.ready).toMatchObject({ ready: false, code: 'SANDBOX_WEAK' })
    expect(await agent.exited).toEqual([1, null])
  })

  it('refuses every command with a damaged ledger, and still says how it is', async () => {
    const first = await startAgent()
    await run(count)
    first.child.kill('SIGTERM')
    await first.exited
    truncateSync(join(home.ledger, 'ledger.db'), 5_000)
    const { ready } = await startAgent()
    expect(ready).toMatchObject({ ready: true, sandbox: { ledger: 'CORRUPT' } })
    const other = { ...count, idem: 'B'.repeat(43) }
    expect(await run(other)).toEqual({ status: 'REFUSED', code: 'LEDGER_UNAVAILABLE' })
    expect(await ask({ op: 'health' })).toMatchObject({ sandbox: { ledger: 'CORRUPT' } })
    expect(home.effects()).toHaveLength(1)
  })

  it('killed after its reply tells the same again in its next life', async () => {
    const agent = await startAgent('after-reply')
    const first = await run(count)
    expect(await agent.exited).toEqual([null, 'SIGKILL'])
    await startAgent()
    const second = await run(count)
    expect(first.status).toBe('DONE')
    expect('receipt' in first && 'receipt' in second && first.receipt === second.receipt).toBe(true)
    expect(home.effects()).toHaveLength(1)
  })
})
