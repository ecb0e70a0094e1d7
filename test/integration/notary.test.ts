// The notary's own process on a real bus: who called is what the server says, it leaves when its
// parent does, and nothing that it acknowledged is lost when it is killed.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import {
  type AuditRow,
  authorizeReply,
  bootReply,
  type Checkpoint,
  headReply,
  queryReply,
  requestReply,
} from '../../notary/contract.ts'
import { verifyTree } from '../../security/audit/verification.ts'
import { type Bus, connectBus } from '../../security/bus.ts'
import { generateKeyPairJwk, type PublicJwk } from '../../security/verify/keys.ts'
import { startBus, type TestBus } from '../support/bus.ts'

const entry = fileURLToPath(new URL('../../notary/main.ts', import.meta.url))
/** Short, because a caller of a notary that was killed waits for all of it. */
const timeoutMs = 500
const replicas = [
  { agent: 'calendar', n: 0 },
  { agent: 'notes', n: 0 },
]

let server: TestBus
let auditKey: PublicJwk
let receiptKey: PublicJwk
let folder: string
let child: ChildProcess
const clients: Bus[] = []

beforeAll(async () => {
  server = await startBus({ replicas })
  folder = join(server.state, 'notary')
  await mkdir(folder, { recursive: true })
  const [signing, audit] = [await generateKeyPairJwk(), await generateKeyPairJwk()]
  auditKey = audit.publicJwk
  receiptKey = signing.publicJwk
  await writeFile(join(folder, 'signing.jwk.json'), JSON.stringify(signing.privateJwk))
  await writeFile(join(folder, 'audit.jwk.json'), JSON.stringify(audit.privateJwk))
  const bus = server.credentials('notary')
  const config = { deployment: 'testtest', issuer: 'notary:testtest', folder, bus, owner: 'owner' }
  await writeFile(join(folder, 'config.json'), JSON.stringify(config))
})
afterAll(() => server.stop())

beforeEach(async () => {
  child = await start()
})
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()))
  await end('SIGKILL')
})

/** Its standard input is our pipe, so it leaves with us, however we end. */
async function start(): Promise<ChildProcess> {
  const started = spawn(process.execPath, [entry, '--config', join(folder, 'config.json')], {
    stdio: ['pipe', 'ignore', 'inherit', 'pipe'],
    env: {},
  })
  const [line] = await once(started.stdio[3] as Readable, 'data')
  expect(JSON.parse(String(line))).toEqual({ ready: true })
  return started
}

async function end(signal: NodeJS.Signals): Promise<unknown> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
  const exited = once(child, 'exit')
  child.kill(signal)
  const [code] = await exited
  return code
}

async function enter(account: string): Promise<Bus> {
  const client = await connectBus({ credentials: server.credentials(account), reconnect: true })
  clients.push(client)
  return client
}

function ask<T>(client: Bus, call: string, payload: unknown, reply: z.ZodType<T>): Promise<T> {
  const head = { receiver: 'notary', type: 'TASK_REQUEST', correlationId: 'c-1' } as const
  return client.call(`notary.${call}`, head, payload, { reply, timeoutMs })
}

const registration = {
  requestId: 'r-1',
  kind: 'plan',
  name: 'test',
  source: `
version: 1
goal: look at today
steps:
  - { id: look, agent: calendar, action: list, args: { day: today } }
answer: { from: [look] }
`,
  inputs: {},
  priority: 'MEDIUM',
}

const bootOf = (bootEpoch: string) => ({
  agent: 'calendar',
  n: 0,
  bootEpoch,
  running: true,
  nkey: 'UTEST',
  receiptKey,
})

describe('the process', () => {
  it('answers each account on the calls it may make, and others cannot even ask', async () => {
    const [cli, worker] = [await enter('cli'), await enter('worker')]
    expect(await ask(cli, 'request', registration, requestReply)).toMatchObject({
      status: 'REGISTERED',
      user: 'user:owner',
    })
    await expect(ask(worker, 'request', registration, requestReply)).rejects.toMatchObject({
      code: expect.stringMatching(/PERMISSION|NOT_DELIVERED|TIMEOUT/),
    })
    expect(await ask(worker, 'authorize', { op: 'run' }, authorizeReply)).toMatchObject({
      status: 'DENIED',
      code: 'MALFORMED',
    })
    expect(await ask(cli, 'query', { what: 'requests', limit: 5 }, queryReply)).toMatchObject({
      status: 'REQUESTS',
      requests: [{ requestId: 'r-1', steps: [{ id: 'look', outcome: 'pending' }] }],
    })
  })

  it('records an event of an agent under the name of its connection', async () => {
    const [cli, agent] = [await enter('cli'), await enter('agent_notes_0')]
    const head = { receiver: 'notary', type: 'STATUS_UPDATE', correlationId: '' } as const
    const claim = { kind: 'life-cycle', subject: 'calendar.0', summary: { code: 'HELLO' } }
    agent.publish('evt', head, claim)
    const events = async () => {
      const reply = await ask(cli, 'query', { what: 'rows', from: 1, limit: 500 }, queryReply)
      const rows = reply.status === 'ROWS' ? reply.rows : []
      return rows.filter(({ body }) => body.includes('HELLO')).map(({ actor }) => actor)
    }
    await expect.poll(events).toEqual(['agent:notes.0'])
  })

  it('leaves on SIGTERM, with a checkpoint over its last row', async () => {
    const supervisor = await enter('supervisor')
    await ask(supervisor, 'boot', bootOf('epoch-of-the-end'), bootReply)
    expect(await end('SIGTERM')).toBe(0)
    const { rows, checkpoints } = read()
    expect(checkpoints.at(-1)?.size).toBe(rows.length)
  })

  it('leaves when its parent has gone', async () => {
    const exited = once(child, 'exit')
    child.stdin?.end()
    expect(await exited).toEqual([0, null])
  })

  it('says why it cannot start', async () => {
    await end('SIGTERM')
    const config = join(folder, 'broken.json')
    await writeFile(config, '{"deployment":"testtest"}')
    const broken = spawn(process.execPath, [entry, '--config', config], {
      stdio: ['pipe', 'ignore', 'ignore', 'pipe'],
      env: {},
    })
    const exited = once(broken, 'exit')
    const [line] = await once(broken.stdio[3] as Readable, 'data')
    expect(JSON.parse(String(line))).toMatchObject({ ready: false, code: 'CONFIG' })
    expect((await exited)[0]).toBe(1)
  })
})

describe('killed at any point', () => {
  const kills = 50

  it(`has every acknowledged row and an unbroken chain, ${kills} times`, async () => {
    const supervisor = await enter('supervisor')
    const acknowledged: string[] = []
    let next = 0
    const run: { over: boolean } = { over: false }
    const producer = async () => {
      while (!run.over) {
        next += 1
        const bootEpoch = `epoch-${next}`
        const reply = await ask(supervisor, 'boot', bootOf(bootEpoch), bootReply).catch(
          () => undefined,
        )
        if (reply?.status === 'RECORDED') acknowledged.push(bootEpoch)
        else await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    const producers = Array.from({ length: 8 }, producer)
    for (let kill = 0; kill < kills; kill += 1) {
      const before = acknowledged.length
      await expect
        .poll(() => acknowledged.length, { interval: 1, timeout: 20_000 })
        .toBeGreaterThan(before)
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 100))
      await end('SIGKILL')
      // As it lies there, before any notary mends anything.
      const { rows, checkpoints } = read()
      const atOnce = await verifyTree({ rows, checkpoints, auditKey })
      expect(atOnce).toMatchObject({ ok: true, mismatches: [], rows: rows.length })
      child = await start()
    }
    run.over = true
    await Promise.all(producers)
    const head = await ask(await enter('cli'), 'head', {}, headReply)
    await end('SIGTERM')

    const { rows, checkpoints } = read()
    const booted = new Set(rows.map(({ body }) => /"bootEpoch":"(epoch-\d+)"/.exec(body)?.[1]))
    expect(acknowledged.filter((bootEpoch) => !booted.has(bootEpoch))).toEqual([])
    expect(acknowledged.length).toBeGreaterThan(kills)
    const kept = head.status === 'HEAD' ? { head: head.checkpoint } : {}
    const verified = await verifyTree({ rows, checkpoints, auditKey, ...kept })
    expect(verified).toMatchObject({ ok: true, mismatches: [], rows: rows.length })
  }, 300_000)
})

/** As an offline verifier reads it. */
function read(): {
  readonly rows: readonly AuditRow[]
  readonly checkpoints: readonly Checkpoint[]
} {
  const db = new Database(join(folder, 'audit.db'), { readonly: true })
  const rows = db.prepare<[], AuditRow>('SELECT * FROM audit ORDER BY seq').all()
  const checkpoints = db
    .prepare<[], Checkpoint>(
      'SELECT * FROM checkpoint UNION SELECT size, root, at, jws FROM tip ORDER BY size',
    )
    .all()
  db.close()
  return { rows, checkpoints }
}
