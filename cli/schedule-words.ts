// A schedule in words: what a person typed, as proven data, and what is kept, as a person reads it.

import { Temporal } from 'temporal-polyfill'
import type { ScheduleSummary } from '../notary/standing-contract.ts'
import { type SchedulePolicy, type ScheduleSpec, schedulePolicySchema } from '../plan/schedule.ts'
import { ScheduleWordsError, toScheduleSpec, toSeconds } from '../plan/schedule-words.ts'
import { CommandError, exitCodes } from './exit-codes.ts'
import type { FiringReport } from './firing-outcomes.ts'

export interface Timing {
  readonly cron?: string | undefined
  readonly every?: string | undefined
  readonly at?: string | undefined
  readonly days?: string | undefined
  readonly zone: string
  readonly overlap: string
  readonly catchUp: string
  readonly jitter: string
}

const example =
  'npx bulkhead schedule add morning-briefing --id briefing --at 07:00 --zone Europe/Vienna'

/** @throws CommandError */
export function readTiming(timing: Timing): { spec: ScheduleSpec; policy: SchedulePolicy } {
  const { overlap, catchUp, jitter, ...words } = timing
  try {
    const spec = toScheduleSpec(words)
    const catchUpSeconds = toSeconds(catchUp)
    const jitterSeconds = toSeconds(jitter)
    const policy = schedulePolicySchema.safeParse({ overlap, catchUpSeconds, jitterSeconds })
    if (policy.success) return { spec, policy: policy.data }
    const message = '--catch-up is from 10s to 30d, --jitter at most 1h'
    throw new CommandError(message, { exitCode: exitCodes.usage, next: example })
  } catch (cause) {
    if (!(cause instanceof ScheduleWordsError)) throw cause
    throw new CommandError(cause.message, { exitCode: exitCodes.usage, next: example, cause })
  }
}

/**
 * One end of a backfill: a date at the schedule's place, meant from its start or to its end, or an
 * instant with its offset. @throws CommandError
 */
export function readEnd(text: string, zone: string, end: 'from' | 'to'): number {
  try {
    if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return Temporal.Instant.from(text).epochMilliseconds
    const date = Temporal.PlainDate.from(text)
    if (end === 'from') return date.toZonedDateTime(zone).epochMilliseconds
    return date.add({ days: 1 }).toZonedDateTime(zone).epochMilliseconds - 1
  } catch (cause) {
    throw new CommandError(`--${end} ${text} is not a date, nor an instant with its offset`, {
      exitCode: exitCodes.usage,
      next: 'npx bulkhead schedule backfill briefing --from 2026-03-28 --to 2026-03-30',
      cause,
    })
  }
}

/** As one line of cron, or as an interval. */
export function specLine(spec: ScheduleSpec): string {
  if (spec.kind === 'every') return `every ${spec.seconds}s`
  const field = (list: readonly number[], count: number) =>
    list.length === count ? '*' : list.join(',')
  return [
    field(spec.minutes, 60),
    field(spec.hours, 24),
    field(spec.daysOfMonth, 31),
    field(spec.months, 12),
    field(spec.daysOfWeek, 7),
  ].join(' ')
}

const iso = (at: number) => new Date(at).toISOString().replace('.000Z', 'Z')

/** What `schedule list` says of one (interfaces.md). */
export function toScheduleDocument(
  schedule: ScheduleSummary,
  next: readonly number[],
  recent: readonly FiringReport[],
) {
  const { id, kind, name, spec, policy, note, pausedAt, approval } = schedule
  return {
    id,
    ...(kind === 'recipe' ? { recipe: name } : { plan: name }),
    spec: specLine(spec),
    timezone: spec.zone,
    overlap: policy.overlap,
    catchUp: `${policy.catchUpSeconds}s`,
    jitter: `${policy.jitterSeconds}s`,
    paused: pausedAt !== null,
    approval,
    note,
    next: next[0] === undefined || pausedAt !== null ? null : iso(next[0]),
    recent: recent.map(({ at, requestId, ...rest }) => ({
      at: iso(at),
      ...rest,
      ...(requestId === undefined ? {} : { runId: requestId }),
    })),
  }
}
export type ScheduleDocument = ReturnType<typeof toScheduleDocument>

export function firingLine({
  at,
  outcome,
  lateMs,
  code,
  runId,
}: ScheduleDocument['recent'][number]) {
  const late = lateMs === undefined ? '' : `${(lateMs / 1_000).toFixed(1)}s after it was due`
  return [at, outcome, late, code ?? '', runId ?? '']
}
