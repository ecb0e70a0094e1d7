// Which rows of the audit somebody asks for: what was typed, checked and turned into a predicate.
// Pure. A filter that can match nothing is refused, because an empty list reads as "nothing happened".

import type { AuditRow } from '../notary/contract.ts'
import { auditKinds } from '../security/audit/format.ts'
import { CommandError, exitCodes } from './exit-codes.ts'
import { suggest } from './suggest.ts'

export interface AuditFilter {
  readonly run?: string
  readonly kind?: string
  /** A name, or one replica of it: `notes` or `notes.0`. */
  readonly agent?: string
  /** `2026-01-31`, `2026-01-31T08:00Z`, or how long ago: `90s`, `15m`, `2h`, `7d`. */
  readonly since?: string
}

/** @throws CommandError for a kind, an agent or a time that there cannot be */
export function toPredicate(
  { run, kind, agent, since }: AuditFilter,
  now: number,
): (row: AuditRow) => boolean {
  assertKind(kind)
  const isOf = agent === undefined ? undefined : toAgentPredicate(agent)
  const from = since === undefined ? 0 : toTime(since, now)
  return (row) =>
    (run === undefined || row.correlation === run) &&
    (kind === undefined || row.kind === kind) &&
    (isOf === undefined || isOf(row)) &&
    row.at >= from
}

function assertKind(kind: string | undefined): void {
  const kinds: readonly string[] = auditKinds
  if (kind === undefined || kinds.includes(kind)) return
  throw new CommandError(`there is no kind of row ${kind}${suggest(kind, kinds)}`, {
    exitCode: exitCodes.usage,
    next: `npx bulkhead audit query --kind ${kinds.join('|')}`,
  })
}

const agentName = /^[a-z][a-z0-9-]{0,39}(\.\d+)?$/

/** What an agent did, was given, or is told of: actor, subject, or the body's own `agent`. */
function toAgentPredicate(agent: string): (row: AuditRow) => boolean {
  if (!agentName.test(agent)) {
    throw new CommandError(`${agent} is not the name of an agent`, {
      exitCode: exitCodes.usage,
      next: 'npx bulkhead agents list',
    })
  }
  const isIt = (name: unknown) =>
    typeof name === 'string' && (name === agent || name.startsWith(`${agent}.`))
  return ({ actor, subject, body }) =>
    [actor, subject].some((name) => isIt(name.replace(/^agent:/, ''))) || isIt(agentOf(body))
}

function agentOf(body: string): unknown {
  try {
    const parsed: unknown = JSON.parse(body)
    return parsed !== null && typeof parsed === 'object' && 'agent' in parsed
      ? parsed.agent
      : undefined
  } catch {
    // An altered row: for verification to say.
    return undefined
  }
}

const units: ReadonlyMap<string, number> = new Map([
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

/** Milliseconds since the epoch. @throws CommandError */
export function toTime(since: string, now: number): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(since) ?? []
  const ago = units.get(unit)
  if (count !== undefined && ago !== undefined) return now - Number(count) * ago
  const time = /^\d{4}-\d{2}-\d{2}/.test(since) ? Date.parse(since) : Number.NaN
  if (!Number.isNaN(time)) return time
  throw new CommandError(`${since} is neither a date nor a span of time`, {
    exitCode: exitCodes.usage,
    next: 'npx bulkhead audit query --since 2h   or   --since 2026-01-31T08:00Z',
  })
}
