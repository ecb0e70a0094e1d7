// A household of three on one running deployment: the owner, Anna, and Ben, whom the configuration lets
// look at what Anna asks. Each works with a folder of their own, over the real bus. None sees, stops
// or schedules for another; who is removed is out at once.

import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { hasSaidYes } from '../../cli/said-yes.ts'
import { openSession, type Session } from '../../cli/session.ts'
import { readTurn, storeTurn } from '../../cli/turn-documents.ts'
import { runCli, startCli } from '../support/cli.ts'
import { runSchema } from '../support/cli-shapes.ts'
import { prepareDeployment, startDeployment, type TestDeployment } from '../support/deployment.ts'
import { enrol } from '../support/enrolment.ts'

const base = mkdtempSync(join(tmpdir(), 'bulkhead-users-'))
const state = join(base, 'state')
const overlapMs = 1_000
const home = { state, home: 'sample', leastOverlapMs: overlapMs } as const
const planFile = join(base, 'mine.yaml')
const plan = `version: 1
goal: See what today brings
steps:
  - { id: today, agent: calendar, action: list, args: { day: today, days: 1 } }
answer: { from: [today] }
`
const askedFile = join(base, 'asked.yaml')
const askedPlan = `version: 1
goal: Keep a line
steps:
  - { id: keep, agent: notes, action: append, args: { note: daily, text: kept } }
answer: { from: [keep] }
`
let deployment: TestDeployment
let anna: string
let ben: string
const sessions: Session[] = []

const open = async (state: string) => {
  const session = await openSession(state)
  sessions.push(session)
  return session
}
/** Used from a copy, as the person does it. */
async function copyOf(id: string): Promise<string> {
  const folder = join(base, id)
  cpSync(await enrol(deployment.state, id), folder, { recursive: true })
  return folder
}

beforeAll(async () => {
  mkdirSync(state, { mode: 0o700 })
  writeFileSync(planFile, plan)
  writeFileSync(askedFile, askedPlan)
  const { configFile } = await prepareDeployment(home)
  const rights = 'users: { anna: { approvesFor: [owner] }, ben: { sees: [anna] } }\n'
  appendFileSync(configFile, `${rights}policy: { ask: [notes.append] }\n`)
  deployment = await startDeployment(home)
  anna = await copyOf('anna')
  ben = await copyOf('ben')
}, 240_000)

afterAll(async () => {
  await Promise.all(sessions.map((session) => session.close()))
  await deployment.stop()
  rmSync(base, { recursive: true })
})

describe('a run of one of them', () => {
  const requestId = 'annas-run'
  let answerRef: string

  it('is made with nothing but the folder', async () => {
    const asked = ['run', planFile, '--request-id', requestId, '--state', anna, '--json']
    const { code, stdout, stderr } = await runCli(asked)
    expect(code, stderr).toBe(0)
    const run = runSchema.parse(JSON.parse(stdout))
    expect(run).toMatchObject({ status: 'completed', audit: { verified: true, scope: 'head' } })
    const session = await open(anna)
    answerRef = (await session.runs.result(requestId)).answerRef ?? ''
    expect(await session.getArtifact(answerRef)).toMatchObject({ status: 'FOUND' })
  })

  it('is nothing to the owner, but for rows of the audit', async () => {
    const session = await open(deployment.state)
    const one = await session.query({ what: 'request', requestId })
    expect(one).toMatchObject({ status: 'REFUSED', code: 'UNKNOWN_REQUEST' })
    expect(await session.query({ what: 'requests', limit: 10 })).toMatchObject({ requests: [] })
    expect(await session.getArtifact(answerRef)).toMatchObject({ code: 'NOT_PERMITTED' })
    expect(await session.cancel(requestId)).toMatchObject({ code: 'UNKNOWN_REQUEST' })
    const rows = await session.query({ what: 'rows', from: 1, limit: 500, requestId })
    expect(rows.status === 'ROWS' ? rows.rows.map(({ actor }) => actor) : []).toContain('user:anna')
  })

  it('may be looked at by who is let, and not touched', async () => {
    const session = await open(ben)
    const one = await session.query({ what: 'request', requestId })
    expect(one).toMatchObject({ requests: [{ requestId, user: 'user:anna' }] })
    expect(await session.getArtifact(answerRef)).toMatchObject({ status: 'FOUND' })
    expect(await session.cancel(requestId)).toMatchObject({ code: 'UNKNOWN_REQUEST' })
    const decided = await session.recover({ decision: 'give-up', requestId })
    expect(decided).toMatchObject({ code: 'UNKNOWN_REQUEST' })
    const all = await session.query({ what: 'rows', from: 1, limit: 1 })
    expect(all).toMatchObject({ code: 'NOT_PERMITTED' })
  })

  it('cannot be asked for again in another name', async () => {
    const asked = ['run', planFile, '--request-id', requestId, '--state', ben, '--json']
    const { code, stderr } = await runCli(asked)
    expect(code).not.toBe(0)
    expect(stderr).toContain('registered with other content')
  })
})

describe('a conversation of one of them', () => {
  const turnId = 'annas-turn'
  const said = { is: 'said', words: 'what is on', at: '2026-03-01T09:30', zone: 'UTC' } as const
  const document = { kind: 'plan', name: 'mine', source: plan, inputs: {} } as const
  const shown = { is: 'plan', request: { ...document, priority: 'MEDIUM' } } as const
  let saidRef: string

  it('is hers, and nobody else comes across it with their own folder', async () => {
    const hers = await open(anna)
    saidRef = await storeTurn(hers, turnId, said)
    expect(await hers.assistant.say({ turnId, saidRef })).toMatchObject({ status: 'TAKEN' })
    expect((await hers.assistant.conversation()).turns).toMatchObject([{ turnId, saidRef }])
    for (const other of [deployment.state, ben]) {
      const session = await open(other)
      expect((await session.assistant.conversation()).turns).toEqual([])
      expect(await session.assistant.accept({ turnId })).toMatchObject({ code: 'UNKNOWN_TURN' })
      await expect(readTurn(session, turnId, saidRef)).rejects.toThrow('NOT_PERMITTED')
    }
  })

  it('is not led by who writes into Temporal himself, as everybody who is enrolled can', async () => {
    const [hers, his] = await Promise.all([open(anna), open(ben)])
    const forged = his.runs.assistant('cli-anna')
    const answerRef = await storeTurn(his, turnId, shown)
    await forged.answer({ turnId, status: 'planned', answerRef })
    expect(await forged.accept({ turnId })).toMatchObject({ turn: { status: 'accepted' } })
    // What he had shown to her he can store for himself alone, and her yes lies in her folder.
    await expect(readTurn(hers, turnId, answerRef)).rejects.toThrow('NOT_PERMITTED')
    expect(hasSaidYes(anna, turnId, shown)).toBe(false)
    // A run that is begun so asks the notary for a request that nobody has registered.
    const stored = await his.putRequest(turnId, JSON.stringify(document))
    if (stored.status !== 'STORED') throw new Error(stored.code)
    const request = { requestId: turnId, requestRef: stored.ref }
    expect(await forged.begin({ request, priority: 'LOW' })).toMatchObject({ status: 'TAKEN' })
    const { status, code, steps } = await his.runs.result(turnId)
    expect([status, code, steps]).toEqual(['denied', 'UNKNOWN_REQUEST', []])
  })
})

describe('a schedule of one of them', () => {
  it('is seen, paused and removed by nobody else', async () => {
    const asked = ['schedule', 'add', planFile, '--id', 'annas', '--at', '07:00', '--state', anna]
    const { code, stderr } = await runCli(asked)
    expect(code, stderr).toBe(0)
    for (const other of [await open(deployment.state), await open(ben)]) {
      expect(await other.schedule({ op: 'list' })).toMatchObject({ schedules: [] })
      for (const call of [
        { op: 'remove', id: 'annas' },
        { op: 'trigger', id: 'annas' },
      ] as const) {
        expect(await other.schedule(call)).toMatchObject({ code: 'UNKNOWN_SCHEDULE' })
      }
    }
    const own = await (await open(anna)).schedule({ op: 'list' })
    expect(own).toMatchObject({ schedules: [{ id: 'annas' }] })
  })
})

describe('a question', () => {
  it('to the owner is none to who may only look at others, and may be answered by who is let', async () => {
    const asked = ['run', askedFile, '--request-id', 'asked', '--state', state, '--json']
    const running = startCli(asked)
    await running.says('npx bulkhead approve')
    const owner = await open(state)
    const list = { op: 'list', all: true, limit: 10 } as const
    const own = await owner.approve(list)
    const id = own.status === 'APPROVALS' ? (own.approvals[0]?.id ?? '') : ''
    const looking = await open(ben)
    expect(await looking.approve(list)).toMatchObject({ approvals: [] })
    expect(await looking.approve({ op: 'show', id })).toMatchObject({ code: 'UNKNOWN_APPROVAL' })
    expect((await runCli(['approve', id, '--state', ben])).code).toBe(2)
    const approved = await runCli(['approve', id, '--state', anna])
    expect(approved.code, approved.stderr).toBe(0)
    expect((await running.ended).code).toBe(0)
    const rows = await owner.query({ what: 'rows', from: 1, limit: 500, requestId: 'asked' })
    const bodies = rows.status === 'ROWS' ? rows.rows.map(({ body }) => body) : []
    expect(bodies.some((body) => body.includes('"by":"user:anna"'))).toBe(true)
  })
})

describe('keys that are replaced', () => {
  const viewSchema = z.object({ running: z.boolean(), failure: z.unknown().optional() })
  const rotate = async (kind: string) => {
    const asked = `/keys/rotate?kind=${kind}&overlapMs=${overlapMs}`
    expect(await deployment.control('POST', asked)).toMatchObject({ status: 202 })
    await vi.waitFor(
      async () => {
        const { body } = await deployment.control('GET', '/keys/rotation')
        expect(viewSchema.parse(body)).toEqual({ running: false, failure: undefined })
      },
      { timeout: 60_000, interval: 200 },
    )
  }

  it('are replaced in the folder of each, and end what was copied before', async () => {
    const place = join(state, 'users', 'anna')
    await rotate('nkeys')
    await expect(openSession(anna)).rejects.toThrow('not running')
    expect(await (await open(place)).head()).toMatchObject({ status: 'HEAD' })
    await rotate('payload')
    const ring = (folder: string) => readFileSync(join(folder, 'payload.key'), 'utf8')
    expect(ring(join(place, 'cli'))).toBe(ring(join(state, 'worker')))
    for (const [id, folder] of Object.entries({ anna, ben })) {
      cpSync(join(state, 'users', id), folder, { recursive: true })
    }
  })
})

describe('who is enrolled', () => {
  it('has folders that nobody else opens', () => {
    for (const folder of ['', 'cli', 'cli/bus']) {
      const path = join(deployment.state, 'users', 'anna', folder)
      expect(statSync(path).mode & 0o077, path).toBe(0)
    }
    const key = join(deployment.state, 'users', 'anna', 'cli', 'approver.jwk.json')
    expect(statSync(key).mode & 0o777).toBe(0o600)
  })

  it('looks after nothing that is the owner’s', async () => {
    const { code, stderr } = await runCli(['users', 'list', '--state', anna])
    expect(code).toBe(1)
    expect(stderr).toContain("its owner's to look after")
  })

  it('is enrolled once, under a name that fits', async () => {
    for (const id of ['anna', 'owner', 'Anna', '../anna', 'a_b']) {
      const { status } = await deployment.control('POST', `/users/add?id=${encodeURIComponent(id)}`)
      expect(status, id).toBe(400)
    }
  })

  it('is out at once when removed, with the connections that were open', async () => {
    const before = await open(ben)
    expect(await before.head()).toMatchObject({ status: 'HEAD' })
    const removing = ['users', 'remove', 'ben', '--state', deployment.state]
    const { code, stderr } = await runCli(removing)
    expect(code, stderr).toBe(0)
    await expect(before.head()).rejects.toThrow()
    await expect(openSession(ben)).rejects.toThrow('not running')
    // The others go on.
    expect(await (await open(anna)).head()).toMatchObject({ status: 'HEAD' })
    expect(await (await open(deployment.state)).head()).toMatchObject({ status: 'HEAD' })
  })

  it('is the same after a restart', async () => {
    await Promise.all(sessions.splice(0).map((session) => session.close()))
    await deployment.stop()
    const place = join(state, 'users', 'anna')
    expect(existsSync(join(place, 'run', 'deployment.json'))).toBe(false)
    deployment = await startDeployment(home)
    expect(deployment.said()).toContain('users.ben of the configuration is nobody yet')
    const listed = await (await open(place)).query({ what: 'requests', limit: 10 })
    expect(listed).toMatchObject({ requests: [{ user: 'user:anna' }] })
    expect(existsSync(join(state, 'users', 'ben'))).toBe(false)
    await expect(openSession(ben)).rejects.toThrow('not running')
  })
})
