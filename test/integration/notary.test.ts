// The notary's own process on a real bus: who called is what the server says, it leaves when its
// parent does, and nothing that it acknowledged is lost when it is killed.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { authorizeReply, bootReply, queryReply, requestReply } from '../../notary/contract.ts'
import { killUnderLoad } from '../support/notary-kills.ts'
import {
  askNotary as ask,
  createNotaryProcess,
  type NotaryProcess,
  notaryEntry,
  readAudit,
} from '../support/notary-process.ts'

let notary: NotaryProcess
const enter = (account: string) => notary.enter(account)

beforeAll(async () => {
  notary = await createNotaryProcess([
    { agent: 'calendar', n: 0 },
    { agent: 'notes', n: 0 },
  ])
})
afterAll(() => notary.stop())

beforeEach(async () => {
  expect(await notary.start()).toEqual({ ready: true })
})
afterEach(async () => {
  await notary.leave()
  await notary.end('SIGKILL')
})

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
  receiptKey: notary.receiptKey,
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

  it('takes up who is of the household when it is told to, without a restart', async () => {
    const cli = await enter('cli')
    const file = join(notary.folder, 'users.json')
    const before = await readFile(file, 'utf8')
    const call = { what: 'request', requestId: 'r-1' }
    await ask(cli, 'request', registration, requestReply)
    expect(await ask(cli, 'query', call, queryReply)).toMatchObject({ status: 'REQUESTS' })
    await writeFile(file, before.replace('"owner"', '"anna"'))
    notary.hangUp()
    const answer = () => ask(cli, 'query', call, queryReply)
    await expect.poll(answer).toMatchObject({ code: 'UNKNOWN_REQUEST' })
    await writeFile(file, before)
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
    expect(await notary.end('SIGTERM')).toBe(0)
    const { rows, checkpoints } = readAudit(notary.folder)
    expect(checkpoints.at(-1)?.size).toBe(rows.length)
  })

  it('leaves when its parent has gone', async () => {
    expect(await notary.orphan()).toEqual([0, null])
  })

  it('says why it cannot start', async () => {
    await notary.end('SIGTERM')
    const config = join(notary.folder, 'broken.json')
    await writeFile(config, '{"deployment":"testtest"}')
    const broken = spawn(process.execPath, [notaryEntry, '--config', config], {
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
  // More of it in test/full.
  it('has every acknowledged row and an unbroken chain, 25 times', async () => {
    const report = await killUnderLoad(notary, 25)
    expect(report).toMatchObject({ lost: [], broken: [], verified: true })
    expect(report.acknowledged).toBeGreaterThan(25)
  }, 300_000)
})
