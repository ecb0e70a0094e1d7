// The compliance report over the audit of a real deployment: a briefing that goes well, a plan that the
// notary refuses, and an agent that is shut out while a run needs it; while it runs, after its end, and
// as an export with the public key alone.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type ComplianceReport, reportSchema } from '../../cli/report-contract.ts'
import { openSession } from '../../cli/session.ts'
import { runCli } from '../support/cli.ts'
import { startDeployment, type TestDeployment } from '../support/deployment.ts'

const base = mkdtempSync(join(tmpdir(), 'bulkhead-report-'))
let deployment: TestDeployment
let good: string
let hindered: string

interface Reported {
  readonly code: number
  readonly report: ComplianceReport
}

async function report(...args: readonly string[]): Promise<Reported> {
  const { code, stdout, stderr } = await runCli(['audit', 'report', '--json', ...args])
  expect(stdout, stderr).not.toBe('')
  return { code, report: reportSchema.parse(JSON.parse(stdout)) }
}

/** Runs it under an id by which the report is asked for. */
async function brief(requestId: string): Promise<string> {
  const args = ['run', 'morning-briefing', '--request-id', requestId, '--json']
  const { stdout, stderr } = await runCli([...args, '--state', deployment.state])
  expect(stdout, stderr).not.toBe('')
  return z.object({ requestId: z.string() }).parse(JSON.parse(stdout)).requestId
}

beforeAll(async () => {
  deployment = await startDeployment({ home: 'sample', state: mkdtempSync(join(base, 'state-')) })
  const { state } = deployment
  good = await brief('good')
  const session = await openSession(state)
  const source = 'version: 1\ngoal: nothing\nsteps: []\nanswer: { from: [] }\n'
  const plan = { requestId: 'empty', kind: 'plan', name: 'empty', source, inputs: {} } as const
  const refused = await session.request({ ...plan, priority: 'MEDIUM' })
  await session.close()
  expect(refused).toMatchObject({ status: 'REFUSED', code: 'PLAN_INVALID' })
  await runCli(['agents', 'quarantine', 'calendar', '--reason', 'for a test', '--state', state])
  hindered = await brief('hindered')
}, 240_000)

afterAll(async () => {
  await deployment.stop()
  rmSync(base, { recursive: true, force: true })
})

describe('the report on a deployment that runs', () => {
  it('finds nothing wrong with a briefing, and says what was checked', async () => {
    const { code, report: found } = await report('--run', good, '--state', deployment.state)
    expect(found.violations).toEqual([])
    expect(code).toBe(0)
    expect(found.audit).toMatchObject({ verified: true, gaps: 0, unreached: [] })
    const { plans, tokens, effects, results } = found.checks
    expect(plans).toEqual({ registered: 1, admitted: 1, refused: 0 })
    expect(tokens.intents).toBeGreaterThanOrEqual(4)
    expect(tokens.unintended).toBe(0)
    expect(effects).toContainEqual(
      expect.objectContaining({ agent: 'notes', effect: 'write', settled: 1 }),
    )
    expect(results).toMatchObject({ refused: 0 })
    expect(results.accepted).toBeGreaterThanOrEqual(4)
  })

  it('names the refused plan, which its person was told, and what a shut agent hindered', async () => {
    const { code, report: found } = await report('--since', '1h', '--state', deployment.state)
    expect(found.violations).toContainEqual(
      expect.objectContaining({ code: 'PLAN_INVALID', runs: ['empty'], person: false }),
    )
    expect(found.violations).toContainEqual(
      expect.objectContaining({
        ...{ code: 'QUARANTINED', runs: [hindered], prevented: 'yes', person: true },
        next: 'npx bulkhead agents list',
      }),
    )
    expect(found.checks).toMatchObject({ plans: { refused: 1 }, quarantines: { imposed: 1 } })
    expect(code).toBe(1)
  })

  it('says the same of an export, with nothing but the public key', async () => {
    const { state } = deployment
    const file = join(base, 'audit.jsonl')
    writeFileSync(file, (await runCli(['audit', 'export', '--state', state])).stdout)
    const key = join(state, 'public', 'audit-key.json')
    const { code, report: found } = await report('--file', file, '--key', key)
    const { report: online } = await report('--state', state)
    expect(found.violations).toEqual(online.violations)
    expect(found.checks).toEqual(online.checks)
    expect(found.audit).toMatchObject({ verified: true, witnesses: 0 })
    expect(code).toBe(1)
  })

  it('is read by a person, who is told what to type', async () => {
    const args = ['audit', 'report', '--run', hindered, '--state', deployment.state]
    const { code, stdout } = await runCli(args)
    expect(code).toBe(1)
    expect(stdout).toContain('the audit verifies')
    expect(stdout).toMatch(/^! QUARANTINED/m)
    expect(stdout).toContain('next: npx bulkhead agents list')
  })
})
