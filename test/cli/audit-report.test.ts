// The compliance report over audits that tell of one thing each: found, with what was prevented, whether
// it needs a person, and what to do. A good run has nothing.

import { describe, expect, it } from 'vitest'
import type { ReconciledVerification } from '../../cli/audit-reconciliation.ts'
import { createReporter } from '../../cli/audit-report.ts'
import { createProgress } from '../../cli/commands/audit-report.ts'
import { CommandError } from '../../cli/exit-codes.ts'
import {
  ofAgent,
  ofApprovals,
  ofEgress,
  ofNotary,
  ofOutcomes,
  ofSignals,
} from '../../cli/report-remedies.ts'
import { egressCodes, tunnelEnds } from '../../egress/codes.ts'
import { notaryCodes } from '../../notary/codes.ts'
import { signals } from '../../notary/quarantine-contract.ts'
import { capabilityCodes } from '../../security/capability-codes.ts'
import { cases, egress, refused, security } from './report-cases.ts'
import { admitted, begin, effect, goodRun, reportOn, sealAll, type Told } from './report-log.ts'

describe('the report', () => {
  it('has nothing to say of a good run, and counts what was checked', async () => {
    const { code, report, lines } = await reportOn(sealAll(goodRun))
    expect(report).toMatchObject({ violations: [], forPerson: 0, audit: { verified: true } })
    expect(report.checks).toMatchObject({
      plans: { registered: 1, admitted: 1, refused: 0 },
      decisions: { allowed: 1, asked: 0, refused: 0, rules: { 'write.undoable': 1 }, policies: {} },
      tokens: { intents: 1, minted: 1, unintended: 0 },
      effects: [{ agent: 'notes', effect: 'write', settled: 1, failed: 0, unknown: 0 }],
      results: { accepted: 1, refused: 0 },
      unknown: { open: 0 },
    })
    expect(code).toBe(0)
    expect(lines).toContain('no violation')
    expect(lines).toContain('the audit verifies')
  })

  it.each(cases)('finds %s', async (_, told, expected, next) => {
    const { code, report, lines } = await reportOn(sealAll([...goodRun, ...told]))
    expect(report.violations).toHaveLength(1)
    const [violation] = report.violations
    expect(violation).toMatchObject({ ...expected, count: 1 })
    expect(violation?.next).toMatch(next)
    expect(violation?.what).not.toBe('')
    expect(code).toBe(expected.person ? 1 : 0)
    expect(lines.join('\n')).toContain(expected.code)
    expect(lines.join('\n')).toContain(`next: ${violation?.next}`)
  })

  it('names the rows of a violation, and the fault of a result', async () => {
    const told = [refused('POLICY'), refused('POLICY'), refused('TOKENS_ALIVE'), refused('POLICY')]
    const { report } = await reportOn(sealAll([...goodRun, ...told]))
    expect(report.violations).toMatchObject([{ code: 'POLICY', count: 3, rows: [6, 7, 9] }])
    const unfit = effect({ outcome: 'failed', code: 'INVALID_RESULT', fault: 'OFF_SCHEMA' })
    const { report: other } = await reportOn(sealAll([...admitted(), ...unfit]))
    expect(other.violations[0]?.what).toContain('OFF_SCHEMA')
    expect(other.checks.results).toMatchObject({ refused: 1, faults: { OFF_SCHEMA: 1 } })
  })

  it('tells of the same in several runs once, and of what has to be done in each of them each time', async () => {
    const there = { correlation: 'r-2' }
    const told = [refused('POLICY'), { ...refused('POLICY'), ...there }]
    const { report } = await reportOn(sealAll(told))
    expect(report.violations).toMatchObject([{ code: 'POLICY', count: 2, runs: ['r-1', 'r-2'] }])
    const made = [refused('ARGS_MISMATCH'), { ...refused('ARGS_MISMATCH'), ...there }]
    const { report: other } = await reportOn(sealAll(made))
    expect(other.violations[0]?.next).toBe('npx bulkhead audit query --kind decision')
    const unknown = ['r-1', 'r-2'].flatMap((run, at) => [
      ...admitted(run),
      ...effect({ outcome: 'unknown' }, { run, idem: `${at}`.repeat(43) }),
    ])
    const { report: last } = await reportOn(sealAll(unknown))
    expect(last.violations.map(({ runs }) => runs)).toEqual([['r-1'], ['r-2']])
  })

  it('counts a token that nothing was intended with, which is a gap too', async () => {
    const [, mint, outcome] = effect()
    if (mint === undefined || outcome === undefined) throw new Error('no effect')
    const { report } = await reportOn(sealAll([...admitted(), mint, outcome]))
    expect(report.checks.tokens).toMatchObject({ intents: 0, minted: 1, unintended: 1 })
    expect(report.violations).toMatchObject([{ place: 'gap', code: 'NO_INTENT', person: true }])
  })

  it('forgets what was put right later', async () => {
    const idem = 'i'.repeat(43)
    const resolved = { body: { decision: 'resolved', idem, outcome: 'settled' } }
    const unknown = [...admitted(), ...effect({ outcome: 'unknown' })]
    const { report } = await reportOn(sealAll([...unknown, resolved]))
    expect(report.violations).toEqual([])
    expect(report.checks.unknown).toEqual({ told: 1, resolved: 1, open: 0 })
    const reach = (grown: number) => ({
      ...security('supervisor', { event: 'reach', digest: 'd', grown }),
    })
    expect((await reportOn(sealAll([reach(2), reach(0)]))).report.violations).toEqual([])
    const rules = ['policy-refused', 'policy-changed'].map(
      (event): Told => ({ kind: 'life-cycle', actor: 'notary', body: { event } }),
    )
    const { report: mended } = await reportOn(sealAll(rules))
    expect(mended.violations).toEqual([])
    expect(mended.checks.policies).toEqual({ changed: 1, refused: 1 })
  })

  it('counts questions, keys, quarantines, requests and tokens that only follow', async () => {
    const asked = { event: 'asked', asks: [{ step: 'write', rules: ['ask.irreversible'] }] }
    const told: Told[] = [
      ...goodRun,
      ...['approved', 'denied', 'used', 'granted', 'grant-used', 'revoked', 'voided'].map(
        (event): Told => ({ kind: 'approval', actor: 'notary', body: { event } }),
      ),
      { kind: 'approval', actor: 'notary', body: asked },
      { kind: 'life-cycle', actor: 'notary', subject: 'token-key', body: { event: 'token-key' } },
      ...['drawn', 'in-use'].map(
        (phase): Told => ({ kind: 'life-cycle', subject: 'keys:nkeys', body: { phase } }),
      ),
      security('user:owner', { event: 'quarantined', code: 'OWNER' }),
      security('user:owner', { event: 'restored', code: 'OWNER' }),
      egress({ code: 'OK' }),
      egress({ code: 'CONNECT_FAILED' }),
      { kind: 'mint', body: { op: 'attach', idem: 'i'.repeat(43), attempt: 1 } },
    ]
    // The last one follows an effect that has ended, and that is a gap of its own.
    const { report } = await reportOn(sealAll(told))
    expect(report.violations.map(({ code }) => code)).toEqual(['AFTER_OUTCOME'])
    expect(report.checks).toMatchObject({
      approvals: {
        ...{ asked: 1, approved: 1, denied: 1, expired: 0, used: 1 },
        ...{ granted: 1, grantsUsed: 1, revoked: 1 },
      },
      decisions: { rules: { 'ask.irreversible': 1 } },
      keys: { replaced: 2 },
      quarantines: { imposed: 1, lifted: 1 },
      egress: { requests: 1, refused: 0, failed: 1 },
      tokens: { minted: 1, following: 1 },
    })
  })
})

describe('a report on a part', () => {
  const second = effect({}, { run: 'r-2', idem: 'k'.repeat(43) })
  const rows = sealAll([...goodRun, refused('POLICY'), ...admitted('r-2'), ...second])

  it('tells of one run', async () => {
    const { code, report } = await reportOn(rows, { run: 'r-2' })
    expect(report.scope).toMatchObject({ run: 'r-2', rows: 5, firstRow: 7, lastRow: 11 })
    expect(report).toMatchObject({ violations: [], checks: { plans: { registered: 1 } } })
    expect(code).toBe(0)
    expect((await reportOn(rows, { run: 'r-1' })).report.forPerson).toBe(1)
  })

  it('tells of a period, and of what began before it', async () => {
    const iso = (index: number) => new Date(begin + index * 60_000).toISOString()
    const last = await reportOn(rows, { since: iso(10) })
    expect(last.report.scope).toMatchObject({ rows: 1, since: begin + 600_000, until: null })
    expect(last.report.checks).toMatchObject({
      effects: [{ agent: 'notes', effect: 'write', settled: 1 }],
      tokens: { intents: 0 },
    })
    const first = await reportOn(rows, { until: iso(5) })
    expect(first.report).toMatchObject({ scope: { rows: 5 }, violations: [] })
  })

  it('says when the audit itself is not whole, whatever the part', async () => {
    const altered = rows.map((row) => (row.seq === 3 ? { ...row, actor: 'nobody' } : row))
    const { code, report, lines } = await reportOn(altered, { run: 'r-2' })
    expect(report.audit.verified).toBe(false)
    expect(report.violations).toContainEqual(
      expect.objectContaining({ place: 'audit', code: 'LEAF', rows: [3], person: true }),
    )
    expect(code).toBe(1)
    expect(lines).toContain('THE AUDIT DOES NOT VERIFY')
  })

  it.each([
    [{ run: 'r-9' }, /no row of a run r-9/, 'npx bulkhead runs list'],
    [{ since: '1d', until: '2d' }, /nothing lies from 1d until 2d/, /audit report --since 7d/],
    [{ since: '2999-01-01' }, /2999-01-01 has not come yet/, /audit report --since 7d/],
    [{ since: 'soon' }, /neither a date nor a span/, /--since 2h/],
    [{ until: 'soon' }, /neither a date nor a span/, /--since 2h/],
  ])('is refused where it can have nothing: %j', async (choice, message, next) => {
    const error = await reportOn(rows, choice).catch((cause: unknown) => cause)
    expect(error).toBeInstanceOf(CommandError)
    expect(error).toMatchObject({ exitCode: 2, message: expect.stringMatching(message) })
    expect(error).toMatchObject({ next: expect.stringMatching(next) })
  })
})

describe('whoever waits', () => {
  it('is told how far it is once a second, and not within the first', () => {
    let now = 5_000
    const said: string[] = []
    const progress = createProgress({ talk: (line) => said.push(line) }, () => now)
    for (const [seq, at] of [5_500, 5_999, 6_000, 6_400, 7_001].entries()) {
      now = at
      progress(seq)
    }
    expect(said).toEqual(['reading the audit: row 2', 'reading the audit: row 4'])
  })
})

describe('a hostile audit', () => {
  it('puts nothing into a command that a shell would obey', async () => {
    const about = { correlation: 'x; rm -rf ~', subject: '$(id)' }
    const told = [{ ...refused('ARGS_MISMATCH'), ...about }]
    const { report } = await reportOn(sealAll(told))
    expect(report.violations[0]?.next).toBe('npx bulkhead audit query --run <run>')
  })

  it('is reported on in bounded memory: rows, names and violations without end', () => {
    const reporter = createReporter({}, () => undefined)
    const [row] = sealAll([refused('POLICY')])
    if (row === undefined) throw new Error('no row')
    const size = 100_000
    for (let seq = 1; seq <= size; seq += 1) {
      const code = `C${seq.toString(2).replaceAll('0', 'O').replaceAll('1', 'I')}`
      const body = { call: 'x', decision: 'refused', code, rules: [`r${seq}`] }
      reporter.row({ ...row, seq, subject: `s${seq}`, body: JSON.stringify(body) })
    }
    const report = reporter.finish(nothingWrong)
    expect(report.checks.decisions.refused).toBe(size)
    expect(Object.keys(report.checks.decisions.rules).length).toBeLessThan(1_000)
    expect(report.violations.length).toBeLessThan(1_000)
    expect(report.violations.reduce((sum, { count }) => sum + count, 0)).toBe(size)
    expect(Math.max(...report.violations.map(({ rows }) => rows.length))).toBeLessThan(30)
  })

  const nothingWrong: ReconciledVerification = {
    ...{ ok: true, rows: 0, head: null, checkpoints: 0, witnesses: 0, gaps: [], mismatches: [] },
    ...{ reconciled: { runs: 0, effects: 0 }, unreached: [] },
  }
})

describe('the tables of remedies', () => {
  it.each([
    ['the notary', ofNotary, notaryCodes],
    ['agents', ofAgent, capabilityCodes],
    ['the gateway', ofEgress, [...egressCodes, ...tunnelEnds]],
    ['signals', ofSignals, signals],
  ])('have a row for every code of %s', (_, remedies, codes) => {
    expect(codes.filter((code) => !Object.hasOwn(remedies, code))).toEqual([])
  })

  it('say of every code what it means and what to do', () => {
    const tables = [ofNotary, ofAgent, ofEgress, ofSignals, ofOutcomes, ofApprovals]
    const remedies = tables.flatMap((table) => Object.values(table)).filter((one) => one)
    expect(remedies.length).toBeGreaterThan(60)
    for (const remedy of remedies) {
      expect(remedy?.what).toMatch(/^[a-z]/)
      expect(remedy?.next({ run: 'r-1', subject: 'agent:notes.0', missing: '' })).toMatch(
        /npx bulkhead|bulkhead\.yaml/,
      )
    }
  })
})
