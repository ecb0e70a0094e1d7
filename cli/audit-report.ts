// The compliance report: what was checked, what was found wrong, and what to do about it, of one run or of
// a period. Rows are read once, in the order of `seq`, and none is kept, so that a long audit needs no more
// memory than a short one. It reports what the audit says; whether the audit is whole is verification's
// part, and stands in the report beside it. Pure.

import type { AuditRow } from '../notary/contract.ts'
import type { ReconciledVerification } from './audit-reconciliation.ts'
import { faultWords, gapWordsOf } from './audit-words.ts'
import type { ComplianceReport, Violation } from './report-contract.ts'
import { createOpenFindings, type Finding, findingOf } from './report-findings.ts'
import { ofAudit, ofOthers } from './report-remedies.ts'
import { readRow } from './report-rows.ts'
import { type ClassOf, createTally } from './report-tally.ts'

export interface ReportScope {
  /** Absent: all runs. */
  readonly run?: string | undefined
  /** Milliseconds since the epoch, the first included, the last not. */
  readonly since?: number | undefined
  readonly until?: number | undefined
}

export interface AuditReporter {
  /** In the order of `seq`, every row: those out of scope say how those in it went on. */
  row(row: AuditRow): void
  finish(verification: ReconciledVerification): ComplianceReport
}

/** Rows named by one violation, and runs. */
const maxRows = 20
/** Violations that are told apart; what is beyond is told by its code alone. */
const maxViolations = 300

export function createReporter(scope: ReportScope, classOf: ClassOf): AuditReporter {
  const tally = createTally(classOf)
  const open = createOpenFindings()
  const groups = createGroups()
  const seen = { rows: 0, first: null as number | null, last: null as number | null }
  return {
    row(row) {
      const read = readRow(row)
      const counts = isInScope(row, scope)
      tally.add(read, counts)
      open.add(read)
      if (!counts) return
      seen.rows += 1
      seen.first ??= row.seq
      seen.last = row.seq
      const finding = findingOf(read)
      if (finding !== undefined) groups.add(finding)
    },
    finish(verification) {
      const left = open.all().filter((finding) => isInScope(asRow(finding), scope))
      for (const finding of left) groups.add(finding)
      const checks = tally.checks(left.filter(({ place }) => place === 'outcome').length)
      const violations = [...groups.all(), ...faultsOf(verification, scope)].toSorted(byUrgency)
      const { ok, rows, checkpoints, witnesses, gaps, unreached } = verification
      return {
        version: 1,
        scope: {
          run: scope.run ?? '',
          since: scope.since ?? null,
          until: scope.until ?? null,
          ...{ rows: seen.rows, firstRow: seen.first, lastRow: seen.last },
        },
        checks,
        audit: {
          ...{ verified: ok, rows, checkpoints, witnesses, gaps: gaps.length },
          unreached: [...unreached],
        },
        violations,
        forPerson: violations.filter(({ person }) => person).length,
      }
    },
  }
}

const asRow = ({ run, at }: Finding) => ({ correlation: run, at })

function isInScope(
  { correlation, at }: Pick<AuditRow, 'correlation' | 'at'>,
  { run, since = 0, until = Number.POSITIVE_INFINITY }: ReportScope,
): boolean {
  return (run === undefined || correlation === run) && at >= since && at < until
}

interface Group {
  readonly first: Finding
  readonly rows: number[]
  readonly runs: Set<string>
  count: number
  lastAt: number
}

function createGroups() {
  const groups = new Map<string, Group>()
  return {
    add(finding: Finding): void {
      const isNew = !groups.has(keyOf(finding))
      const first = isNew && groups.size >= maxViolations ? folded(finding) : finding
      const key = keyOf(first)
      const group = groups.get(key) ?? { first, rows: [], runs: new Set(), count: 0, lastAt: 0 }
      groups.set(key, group)
      group.count += finding.times
      group.lastAt = finding.at
      if (group.rows.length < maxRows) group.rows.push(finding.seq)
      if (group.runs.size < maxRows && first.run !== '') group.runs.add(first.run)
    },
    all: () => [...groups.values()].map(toViolation),
  }
}

/** The same in several runs is one violation, unless something has to be done in each of them. */
function keyOf(finding: Finding): string {
  const { place, code, rules, subject, detail } = finding
  const run = place === 'outcome' ? finding.run : ''
  return JSON.stringify([place, code, rules, run, subject, detail, isForPerson(finding)])
}

/** One of too many: a code that is known stays, and all goes that anybody could vary without end. */
function folded(finding: Finding): Finding {
  const code = finding.remedy === ofOthers ? 'OTHER' : finding.code
  return { ...finding, code, rules: [], run: '', subject: '(more)', detail: '' }
}

function isForPerson({ remedy, told }: Finding): boolean {
  return remedy.person === 'always' || (remedy.person === 'unless-told' && !told)
}

function toViolation({ first, rows, runs, count, lastAt }: Group): Violation {
  const { place, code, rules, subject, missing, detail, at, remedy } = first
  const { what, prevented, next } = remedy
  const [only = '', ...others] = runs
  const run = others.length === 0 ? only : ''
  return {
    ...{ place, code, rules: [...rules], runs: [...runs], subject, count, rows },
    ...{ firstAt: at, lastAt, prevented, person: isForPerson(first) },
    what: detail === '' ? what : `${what}: ${detail}`,
    next: next({ run: typable(run, 'run'), subject: typable(subject, 'subject'), missing }),
  }
}

/** An altered row can name anything, and a person types what stands here. */
function typable(name: string, what: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9:._-]{0,119}$|^$/.test(name) ? name : `<${what}>`
}

function faultsOf(
  { mismatches, gaps }: ReconciledVerification,
  { run }: ReportScope,
): readonly Violation[] {
  const { prevented, next } = ofAudit
  const common = {
    rules: [],
    prevented,
    person: true,
    next: next({ run: '', subject: '', missing: '' }),
  }
  const never = { firstAt: null, lastAt: null }
  const faults = mismatches.map(
    ({ seq, what }): Violation => ({
      ...{ place: 'audit', code: what, runs: [], subject: `row ${seq}`, count: 1, rows: [seq] },
      ...{ ...common, ...never, what: faultWords(what) },
    }),
  )
  const lacking = gaps
    .filter((gap) => run === undefined || gap.run === run)
    .map(
      (gap): Violation => ({
        ...{ place: 'gap', code: gap.what, runs: [gap.run], subject: gap.step, count: 1, rows: [] },
        ...{ ...common, ...never, what: `${gapWordsOf(gap.what)} (${gap.where})` },
      }),
    )
  return [...faults, ...lacking]
}

function byUrgency(a: Violation, b: Violation): number {
  if (a.person !== b.person) return a.person ? -1 : 1
  return (a.rows[0] ?? 0) - (b.rows[0] ?? 0)
}
