// A request in words on a whole deployment, with a planner of the test's in the worker: what is proposed is
// done, asked about or refused; what the planner has to say reaches the person; and what agents said
// reaches no planner.

import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { catalogue } from '../../agents/catalogue.ts'
import { openApprovals } from '../../cli/inline-questions.ts'
import { describeActions } from '../../planner/catalogue.ts'
import { plannerInputSchema } from '../../planner/propose.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { beginRequest } from '../support/begin-request.ts'
import { runCli } from '../support/cli.ts'
import { Connection } from '../support/connection.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'
import { injected } from '../support/planner-cases.ts'
import { whenRun } from '../support/run-states.ts'
import { givenFile, sentences, thinkingFile } from '../support/scripted-planner.ts'

let deployment: TestDeployment
let connection: Connection
beforeAll(async () => {
  deployment = await startDeployment({
    home: 'sample',
    workerEntry: join(import.meta.dirname, '..', 'support', 'planning-worker-main.ts'),
  })
  connection = new Connection(deployment.state)
}, 240_000)
afterAll(async () => {
  await connection?.close()
  await deployment?.stop()
})

const cli = (...args: readonly string[]) => runCli([...args, '--state', deployment.state])
const result = (requestId: string) => connection.use(({ runs }) => runs.result(requestId), 120_000)

const begin = (requestId: string, kind: 'text' | 'plan', source: string) =>
  beginRequest(connection, { requestId, kind, source })
async function ask(requestId: string, words: string) {
  await begin(requestId, 'text', words)
  return result(requestId)
}
const shown = async (requestId: string) => {
  const { stdout, stderr, code } = await cli('runs', 'show', requestId, '--json')
  return { run: JSON.parse(stdout), stderr, code }
}
/** What the planner was given, as text, the last one last. */
const given = () =>
  readFileSync(join(deployment.state, 'worker', givenFile), 'utf8')
    .trimEnd()
    .split('\n')

/** How often the note says hello. */
async function once(note: string): Promise<number> {
  const source = `
version: 1
goal: read it
steps: [{ id: read, agent: notes, action: read, args: { note: ${note} } }]
answer: { from: [read] }
`
  await begin(`look-at-${note}`, 'plan', source)
  expect(await result(`look-at-${note}`)).toMatchObject({ status: 'completed' })
  return (await shown(`look-at-${note}`)).run.answer.split('hello').length - 1
}

describe('a request in words', () => {
  it('is done as it is proposed, where the person said what decides', async () => {
    expect(await ask('said', sentences.said)).toMatchObject({
      status: 'completed',
      steps: [{ id: 's0', type: 'notes.append', outcome: 'settled' }],
    })
    expect((await shown('said')).code).toBe(0)
  })

  it('is proposed once more, by codes and places, where the first is wrong', async () => {
    expect(await ask('mended', sentences.mended)).toMatchObject({ status: 'completed' })
    const [first = '', second = ''] = given().slice(-2)
    const { previous } = plannerInputSchema.parse(JSON.parse(second))
    expect(plannerInputSchema.parse(JSON.parse(first)).previous).toBeUndefined()
    expect(previous?.issues).toEqual([{ code: 'UNKNOWN_ACTION', path: '/steps/0/action' }])
    expect(await ask('hopeless', sentences.hopeless)).toMatchObject({
      ...{ status: 'failed', code: 'UNKNOWN_ACTION', steps: [] },
    })
  })

  it('has the person asked, with what the planner made up in view, before it is done', async () => {
    await begin('made-up', 'text', sentences.madeUp)
    const isAsking = ({ status }: { status: string }) => status === 'waiting-approval'
    const state = await connection.use(
      ({ runs }) => whenRun({ client: runs }, 'made-up', isAsking),
      120_000,
    )
    const [asked, ...others] = openApprovals(state)
    expect(others).toEqual([])
    const card = (await cli('approvals', 'show', asked?.id ?? '')).stdout
    expect(card).toContain(`"${sentences.madeUp}"`)
    expect(card).toContain('note: "planners-own"   <- PROPOSED by a planner, not said by you')
    expect(card).toContain('asked because of FLOW_R9')
    expect(card).not.toContain('nothing to see here')
    expect((await cli('approve', asked?.id ?? '')).code).toBe(0)
    expect(await result('made-up')).toMatchObject({ status: 'completed' })
  })

  it.each([
    ['a question', sentences.unclear, 'QUESTION', 'Keep what?\n- Keep hello in my note greetings.'],
    ['a refusal', sentences.impossible, 'NO_ACTION', 'No agent here flies.'],
    ['mumbling', sentences.mumbled, 'UNREADABLE', 'the planner gave no answer'],
  ])('ends with %s of the planner, which the person reads, and did nothing', async (...row) => {
    const [what, words, code, text] = row
    const requestId = what.replaceAll(' ', '-')
    expect(await ask(requestId, words)).toMatchObject({ status: 'failed', code, steps: [] })
    const { run, code: exit } = await shown(requestId)
    expect(run.answer).toContain(text)
    expect(run.answer).toContain('npx bulkhead')
    expect(exit).toBe(1)
  })
})

describe('a worker that is killed while the planner thinks', () => {
  it('costs nobody a word: the run goes on, and what was asked is done once', async () => {
    const gate = join(deployment.state, 'worker', thinkingFile)
    const asked = () => given().filter((line) => line.includes(sentences.slow)).length
    writeFileSync(gate, '')
    await begin('slow', 'text', sentences.slow)
    while (asked() === 0) await delay(50)
    const { body } = await deployment.control('GET', '/status')
    const { processes } = body as { processes: readonly { name: string; pid: number }[] }
    process.kill(processes.find(({ name }) => name === 'worker')?.pid ?? 0, 'SIGKILL')
    rmSync(gate)
    expect(await result('slow')).toMatchObject({ status: 'completed', steps: [{ id: 's0' }] })
    expect(asked()).toBeGreaterThan(1)
    const rows = (await cli('audit', 'query', '--run', 'slow', '--json')).stdout
    expect(rows.match(/"event\\*":\\*"proposed/g)).toHaveLength(1)
    expect(await once('slowly')).toBe(1)
  })
})

describe('what agents said', () => {
  it('reaches no planner: it is given the same bytes as before', async () => {
    const source = `
version: 1
goal: keep and read what a stranger wrote
steps:
  - { id: keep, agent: notes, action: append, args: { note: hostile, text: ${injected} } }
  - { id: read, agent: notes, action: read, args: { note: hostile }, needs: [keep] }
answer: { from: [read] }
`
    await ask('before', sentences.unclear)
    await begin('hostile', 'plan', source)
    expect(await result('hostile')).toMatchObject({ status: 'completed' })
    expect((await shown('hostile')).run.answer).toContain(injected)
    await ask('after', sentences.unclear)
    const [before = '', after = ''] = given().slice(-2)
    const { today } = plannerInputSchema.parse(JSON.parse(after))
    const actions = describeActions(catalogue)
    const wanted = { words: sentences.unclear, today, zone: 'UTC', actions }
    expect(after).toBe(canonicalJson(wanted))
    expect(before.replace(/"today":"[^"]*"/, `"today":"${today}"`)).toBe(after)
    expect(given().join('')).not.toContain(injected)
  })
})

describe('the audit', () => {
  it('verifies over proposals, and says none of the words', async () => {
    const verified = await cli('audit', 'verify', '--json')
    expect(JSON.parse(verified.stdout)).toMatchObject({ ok: true, mismatches: [] })
    const rows = (await cli('audit', 'query', '--run', 'made-up', '--json')).stdout
    expect(rows).toContain('proposed')
    expect(rows).not.toMatch(/hello|planners-own|somewhere/)
  })
})
