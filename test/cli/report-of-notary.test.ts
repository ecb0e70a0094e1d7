// The report over rows that a notary wrote, not ones that a test made up: both sides mean the same.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ReconciledVerification } from '../../cli/audit-reconciliation.ts'
import { createReporter } from '../../cli/audit-report.ts'
import type { ComplianceReport } from '../../cli/report-contract.ts'
import { askingHarness, onlyQuestion, say, strangersKey } from '../notary/approvals.ts'
import { execute, type Harness } from '../notary/harness.ts'
import { append, briefing, erasing, items, list } from '../notary/plans.ts'

let harness: Harness
beforeEach(async () => {
  harness = await askingHarness()
})
afterEach(() => harness.close())

const verified: ReconciledVerification = {
  ...{ ok: true, rows: 0, head: null, checkpoints: 0, witnesses: 0, gaps: [], mismatches: [] },
  ...{ reconciled: { runs: 0, effects: 0 }, unreached: [] },
}

function report(): ComplianceReport {
  // The rows say of which class an action was.
  const reporter = createReporter({}, () => undefined)
  for (const row of harness.rows()) reporter.row(row)
  return reporter.finish(verified)
}

async function ask(): Promise<string> {
  const run = await harness.run(erasing, { admitted: false })
  await harness.notary.admit('worker', { requestId: run.requestId, plan: run.plan })
  return onlyQuestion(harness)
}

describe('of questions to a person', () => {
  it('counts what was asked and approved, by which rule, and finds nothing wrong with it', async () => {
    await say(harness, await ask())
    const { checks, violations } = report()
    expect(checks.approvals).toMatchObject({ asked: 1, approved: 1, denied: 0 })
    expect(checks.decisions.rules).toMatchObject({ 'ask.irreversible': 1 })
    expect(violations).toEqual([])
  })

  it('counts an effect that a person had decided on, by the policy that asked', async () => {
    const run = await harness.run(erasing, { admitted: false })
    const call = { requestId: run.requestId, plan: run.plan }
    await harness.notary.admit('worker', call)
    await say(harness, await onlyQuestion(harness))
    await harness.notary.admit('worker', call)
    await run.token('erase', { note: 'daily', dryRun: false })
    const { decisions, approvals } = report().checks
    expect(decisions).toMatchObject({ allowed: 0, asked: 1 })
    expect(Object.values(decisions.policies)).toEqual([1])
    expect(approvals.used).toBe(1)
  })

  it('counts what was denied', async () => {
    await say(harness, await ask(), { decision: 'deny' })
    expect(report()).toMatchObject({ checks: { approvals: { denied: 1 } }, forPerson: 0 })
  })

  it('names a decision by a key that nobody knows', async () => {
    await say(harness, await ask(), { key: strangersKey })
    expect(report().violations).toMatchObject([
      { place: 'notary', code: 'NOT_APPROVER', prevented: 'yes', person: true },
    ])
  })

  it('names what nobody answered in time', async () => {
    const run = await harness.run(erasing, { admitted: false })
    const call = { requestId: run.requestId, plan: run.plan }
    await harness.notary.admit('worker', call)
    harness.clock.time += 8 * 24 * 3_600_000
    await harness.notary.admit('worker', call)
    expect(report()).toMatchObject({
      checks: { approvals: { asked: 1, expired: 1 } },
      violations: [{ place: 'approval', code: 'EXPIRED', person: false }],
    })
  })
})

describe('of steps', () => {
  const done = { status: 'DONE', value: items(['one']) } as const

  it('counts tokens, effects and results', async () => {
    const run = await harness.run(briefing, { inputs: { note: 'daily' } })
    await run.perform('gather', list, done.value)
    const { checks, violations } = report()
    expect(checks).toMatchObject({
      plans: { registered: 1, admitted: 1 },
      decisions: { allowed: 1, asked: 0, rules: { 'read.owner': 1 } },
      tokens: { intents: 1, minted: 1, unintended: 0 },
      effects: [{ agent: 'desk', effect: 'read', settled: 1 }],
      results: { accepted: 1, refused: 0 },
    })
    expect(violations).toEqual([])
  })

  it('names a result that was refused, with its fault', async () => {
    const run = await harness.run(briefing, { inputs: { note: 'daily' } })
    const documents = await execute(await run.token('gather', list), done, harness.keys.receipt)
    await run.settle('gather', documents, { invalidResult: true, fault: 'SECRET' })
    const { checks, violations } = report()
    expect(violations).toMatchObject([
      { place: 'result', code: 'INVALID_RESULT', subject: 'gather', prevented: 'yes' },
    ])
    expect(violations[0]?.what).toContain('SECRET')
    expect(checks.results.faults).toEqual({ SECRET: 1 })
  })

  it('names arguments that were made up, and an outcome that nobody knows', async () => {
    const run = await harness.run(briefing, { inputs: { note: 'daily' } })
    const source = await run.perform('gather', list, done.value)
    await run.authorize('write', append('evil'), { sources: [source] })
    const token = await run.token('write', append('one '), { sources: [source] })
    const documents = await execute(token, { status: 'UNKNOWN' }, harness.keys.receipt)
    await run.settle('write', documents)
    const { checks, violations } = report()
    expect(violations.map(({ code }) => code)).toEqual(['ARGS_MISMATCH', 'UNKNOWN_OUTCOME'])
    expect(checks.unknown).toEqual({ told: 1, resolved: 0, open: 1 })
    await harness.notary.recover('cli', {
      ...{ requestId: run.requestId, step: 'write', kind: 'do', decision: 'happened' },
    })
    expect(report().checks.unknown).toEqual({ told: 1, resolved: 1, open: 0 })
    expect(report().violations.map(({ code }) => code)).toEqual(['ARGS_MISMATCH'])
  })
})
