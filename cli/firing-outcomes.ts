// What became of each time at which a schedule was due. Derived, so that nothing stays silently
// unknown: the due times come from the spec, the runs from the notary and from Temporal, and a due
// time without a run has a reason. "Skipped" means that an earlier firing was open when it was due, or
// was begun in its stead when a machine that slept caught up; "missed" that nothing began it in time.

import type { ScheduleReply, ScheduleSummary } from '../notary/standing-contract.ts'
import { firingId } from '../plan/firing.ts'
import { latestDueTimes } from '../plan/schedule-times.ts'
import type { RunClient, RunDescription } from '../temporal/client.ts'

export const firingOutcomes = [
  'ran',
  'late',
  'nothing-to-report',
  'failed',
  'running',
  'held',
  'waiting',
  'skipped',
  'missed',
  'paused',
  'unknown',
] as const
export type FiringOutcome = (typeof firingOutcomes)[number]

export interface FiringReport {
  /** When it was due: milliseconds since the epoch. */
  readonly at: number
  readonly outcome: FiringOutcome
  /** How long after it was due it began. */
  readonly lateMs?: number
  readonly code?: string
  readonly requestId?: string
}

/** A run of the schedule, or of one that the notary refused: then `begunAt` is missing. */
export interface FiringRun extends Pick<RunDescription, 'status' | 'closed' | 'startedAt'> {
  readonly requestId: string
  readonly at: number
  readonly begunAt?: number
  readonly closedAt?: number
  readonly code?: string
  /** It went well, and there was nothing to do or to say. */
  readonly nothing?: boolean
  /** The notary let it begin, and Temporal does not know it (any more). */
  readonly forgotten?: boolean
}

/** A platform that is up begins within it: workflow, child and admission, on a busy machine. */
const punctualMs = 5_000

/** Newest first. Pure. */
export function outcomesOf(
  schedule: ScheduleSummary,
  runs: readonly FiringRun[],
  { now, limit }: { readonly now: number; readonly limit: number },
): readonly FiringReport[] {
  const { spec, createdAt } = schedule
  const due = latestDueTimes(spec, { after: createdAt - 1, until: now, max: limit })
  const times = new Set([...due, ...runs.map(({ at }) => at)])
  return [...times]
    .toSorted((a, b) => b - a)
    .slice(0, limit)
    .map((at) => {
      const run = runs.find((one) => one.at === at)
      return run === undefined ? withoutRun(schedule, runs, at, now) : ofRun(schedule, run)
    })
}

function ofRun({ policy }: ScheduleSummary, run: FiringRun): FiringReport {
  const { at, requestId, begunAt, code } = run
  const coded = code === undefined ? {} : { code }
  // The notary let it begin nothing.
  if (begunAt === undefined && run.closed) {
    if (code === 'FIRING_MISSED') return { at, outcome: 'missed', ...coded }
    if (code === 'SCHEDULE_PAUSED') return { at, outcome: 'paused', ...coded }
    return { at, outcome: 'failed', requestId, ...coded }
  }
  const lateMs = (begunAt ?? run.startedAt) - at
  const report = { at, lateMs, requestId, ...coded }
  if (run.forgotten === true) return { ...report, outcome: 'unknown' }
  if (run.status === 'held') return { ...report, outcome: 'held' }
  if (!run.closed) return { ...report, outcome: 'running' }
  if (run.status !== 'completed') return { ...report, outcome: 'failed' }
  if (run.nothing === true) return { ...report, outcome: 'nothing-to-report' }
  const late = lateMs > punctualMs + policy.jitterSeconds * 1_000
  return { ...report, outcome: late ? 'late' : 'ran' }
}

function withoutRun(
  { policy, pauses }: ScheduleSummary,
  runs: readonly FiringRun[],
  at: number,
  now: number,
): FiringReport {
  const isPause = pauses.some(({ from, to }) => at >= from && at <= (to ?? now))
  if (isPause) return { at, outcome: 'paused' }
  const until = at + (policy.catchUpSeconds + policy.jitterSeconds) * 1_000
  // What Temporal decides to begin in time can begin a little later.
  const earlier = runs.filter(
    (run) => run.at < at && run.startedAt <= until + punctualMs && (run.closedAt ?? now) >= at,
  )
  const mayCome = now <= until
  if (earlier.length > 0 && policy.overlap !== 'allow') {
    const isKept = policy.overlap === 'buffer-one' && earlier.some((run) => !run.closed)
    return { at, outcome: isKept && mayCome ? 'waiting' : 'skipped' }
  }
  return { at, outcome: mayCome ? 'waiting' : 'missed' }
}

type Shown = Extract<ScheduleReply, { status: 'SHOWN' }>

/** Asks Temporal for each run that may be there, also for those that the notary never admitted. */
export async function readFirings(
  { schedule, firings }: Pick<Shown, 'schedule' | 'firings'>,
  runs: Pick<RunClient, 'describe' | 'result'>,
  when: { readonly now: number; readonly limit: number },
): Promise<readonly FiringReport[]> {
  const { spec, createdAt, id } = schedule
  const due = latestDueTimes(spec, { after: createdAt - 1, until: when.now, max: when.limit })
  const begun = new Map(firings.map(({ requestId, at, begunAt }) => [requestId, { at, begunAt }]))
  const asked = new Map<string, { readonly at: number; readonly begunAt?: number }>([
    ...due.map((at) => [firingId({ schedule: id, at }), { at }] as const),
    ...begun,
  ])
  const found = await Promise.all(
    [...asked].map(([requestId, known]) => readRun(runs, { requestId, ...known })),
  )
  return outcomesOf(
    schedule,
    found.filter((run) => run !== undefined),
    when,
  )
}

async function readRun(
  runs: Pick<RunClient, 'describe' | 'result'>,
  known: { readonly requestId: string; readonly at: number; readonly begunAt?: number },
): Promise<FiringRun | undefined> {
  const { requestId, begunAt } = known
  try {
    const { status, closed, startedAt, closedAt } = await runs.describe(requestId)
    const result = closed ? await runs.result(requestId) : undefined
    const { code, nothingToReport } = result ?? {}
    return {
      ...{ ...known, status, closed, startedAt },
      ...(closedAt === undefined ? {} : { closedAt }),
      ...(code === undefined ? {} : { code }),
      ...(nothingToReport === undefined ? {} : { nothing: true }),
    }
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'NOT_FOUND')) throw cause
    if (begunAt === undefined) return undefined
    const closed = {
      status: 'failed',
      closed: true,
      startedAt: begunAt,
      closedAt: begunAt,
    } as const
    return { ...known, ...closed, forgotten: true }
  }
}
