// A result that is genuine and unfit, through a whole deployment: the agent signs it, the worker does not
// keep it, the notary records why, nothing is built on it, and the report says so.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { reportSchema } from '../../cli/report-contract.ts'
import type { RunResult } from '../../workflows/contract.ts'
import { runCli } from '../support/cli.ts'
import { Connection } from '../support/connection.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'

/** With the test agent in their catalogues. */
const nemesis = join(import.meta.dirname, '..', 'nemesis')

let state: string
let deployment: TestDeployment
let connection: Connection

// No part of it looks like a secret; what the agent is sent and gives back does.
const plan = `
version: 1
goal: have a secret given back
steps:
  - id: tell
    agent: test
    action: echo
    args:
      text: { $text: "-----BEGIN {{word}} KEY-----", with: { word: PRIVATE } }
  - id: pass-on
    agent: test
    action: echo
    args: { text: { $from: "tell#/text" } }
answer: { from: [pass-on] }
`

beforeAll(async () => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-refused-'))
  mkdirSync(join(state, 'counts'), { mode: 0o700 })
  deployment = await startDeployment({
    ...{ state, agents: ['test'] },
    notaryEntry: join(nemesis, 'notary-main.ts'),
    workerEntry: join(nemesis, 'worker-main.ts'),
  })
  connection = new Connection(state)
}, 240_000)

afterAll(async () => {
  await connection.close()
  await deployment.stop().finally(() => rmSync(state, { recursive: true, force: true }))
})

/** The command knows the real agents only, so the plan is registered and started as it would. */
function run(requestId: string): Promise<RunResult> {
  const asked = { kind: 'plan', name: 'tell', source: plan, inputs: {} } as const
  return connection.use(async (session) => {
    const stored = await session.putRequest(requestId, JSON.stringify(asked))
    if (stored.status !== 'STORED') throw new Error(JSON.stringify(stored))
    const registered = await session.request({ requestId, ...asked, priority: 'MEDIUM' })
    if (registered.status !== 'REGISTERED') throw new Error(JSON.stringify(registered))
    await session.runs.submit({ requestId, requestRef: stored.ref })
    return session.runs.result(requestId)
  })
}

describe('a result that holds a secret', () => {
  it('fails its step, is passed on to nobody, and is named in the report with its fault', async () => {
    const { steps } = await run('told')
    expect(steps).toMatchObject([
      { id: 'tell', outcome: 'failed', code: 'INVALID_RESULT' },
      { id: 'pass-on', outcome: 'pending' },
    ])
    const told = await runCli(['audit', 'report', '--run', 'told', '--state', state, '--json'])
    const report = reportSchema.parse(JSON.parse(told.stdout))
    expect(report.checks.results).toMatchObject({ accepted: 0, refused: 1, faults: { SECRET: 1 } })
    expect(report.checks.tokens.intents).toBe(1)
    expect(report.violations).toMatchObject([
      { place: 'result', code: 'INVALID_RESULT', runs: ['told'], prevented: 'yes' },
    ])
    expect(report.violations[0]?.next).toBe('npx bulkhead agents show test')
    expect(told.code).toBe(1)
    const rows = await runCli(['audit', 'query', '--run', 'told', '--state', state])
    expect(rows.stdout).toContain('INVALID_RESULT')
    expect(rows.stdout).not.toContain('BEGIN')
  })
})
