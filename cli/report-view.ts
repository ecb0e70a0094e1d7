// The compliance report for a person: the scope, what was checked, and each violation with its remedy.
// Pure; control characters are dropped by whoever prints it.

import { table } from './output.ts'
import type { Checks, ComplianceReport, Violation } from './report-contract.ts'

const prevented: Readonly<Record<Violation['prevented'], string>> = {
  yes: 'prevented',
  no: 'not prevented',
  unknown: 'not known whether it happened',
}

export function reportLines(report: ComplianceReport): string[] {
  const { violations, forPerson, audit } = report
  return [
    scopeLine(report),
    audit.verified ? 'the audit verifies' : 'THE AUDIT DOES NOT VERIFY',
    `${audit.rows} rows, ${audit.checkpoints} checkpoints, ${audit.witnesses} witnesses, ${audit.gaps} gaps`,
    ...audit.unreached.map((what) => `not compared: ${what}`),
    '',
    ...table(checkRows(report.checks)),
    '',
    violations.length === 0
      ? 'no violation'
      : `violations: ${violations.length}, for a person: ${forPerson}`,
    ...violations.flatMap(violationLines),
  ]
}

function scopeLine({ scope }: ComplianceReport): string {
  const { run, since, until, rows, firstRow, lastRow } = scope
  const times = [
    since === null ? '' : ` from ${iso(since)}`,
    until === null ? '' : ` until ${iso(until)}`,
  ].join('')
  const which = firstRow === null ? 'no row' : `${rows} rows, ${firstRow} to ${lastRow}`
  return `${run === '' ? 'all runs' : `run ${run}`}${times}: ${which}`
}

const iso = (time: number) => new Date(time).toISOString()

function checkRows(checks: Checks): string[][] {
  const { decisions, results, effects } = checks
  const line = (name: string, counts: Readonly<Record<string, number>>) => [
    name,
    Object.entries(counts)
      .map(([what, count]) => `${what} ${count}`)
      .join(', '),
  ]
  const { allowed, asked, refused, flow, policy } = decisions
  return [
    line('plans', checks.plans),
    line('decisions', { allowed, asked, refused, 'by flow': flow, 'by policy': policy }),
    ...named('policies', decisions.policies),
    ...named('rules', decisions.rules),
    line('approvals', checks.approvals),
    line('tokens', checks.tokens),
    ...effects.map(({ agent, effect, ...ended }) => line(`${agent} ${effect}`, ended)),
    line('steps', checks.steps),
    line('results', { accepted: results.accepted, refused: results.refused }),
    ...named('faults', results.faults),
    line('unknown', checks.unknown),
    line('undos', checks.undos),
    line('quarantines', checks.quarantines),
    line('egress', checks.egress),
    line('keys', checks.keys),
    line('policy', checks.policies),
  ]
}

function named(name: string, counts: Readonly<Record<string, number>>): string[][] {
  return Object.entries(counts).map(([what, count]) => [name, `${what} ${count}`])
}

function violationLines(violation: Violation): string[] {
  const { code, rules, runs, subject, count, rows, person, what, next } = violation
  const about = [
    `${person ? '!' : '-'} ${code}`,
    count === 1 ? '' : `${count} times`,
    prevented[violation.prevented],
    listed('run', runs),
    subject,
    rules.length === 0 ? '' : `rules ${rules.join(', ')}`,
    listed('row', rows),
  ]
  return ['', about.filter((part) => part !== '').join('  '), `  ${what}`, `  next: ${next}`]
}

/** What a line has room for; the rest is in the JSON. */
const maxListed = 5

function listed(name: string, all: readonly (string | number)[]): string {
  const [first, ...others] = all
  if (first === undefined) return ''
  if (others.length === 0) return `${name} ${first}`
  return `${name}s ${all.slice(0, maxListed).join(', ')}${all.length > maxListed ? ', …' : ''}`
}
