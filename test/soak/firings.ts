// Schedules of the soak: enabled as `bulkhead schedule add` does, and at the end each time that was due
// is held against what became of it. The due times are counted here, not asked for.

import { setTimeout as delay } from 'node:timers/promises'
import { type FiringOutcome, type FiringReport, readFirings } from '../../cli/firing-outcomes.ts'
import type { Session } from '../../cli/session.ts'
import type { SchedulePolicy } from '../../plan/schedule.ts'
import { standingOf } from '../../temporal/artifact-calls.ts'
import type { Connection } from '../support/connection.ts'

export interface SoakSchedule {
  readonly id: string
  readonly everySeconds: number
  readonly policy: SchedulePolicy
}

export interface FiringSummary {
  readonly schedule: string
  readonly due: number
  readonly outcomes: Readonly<Partial<Record<FiringOutcome, number>>>
  /** Due, and nobody can say why nothing became of it: ISO times. */
  readonly missing: readonly string[]
  /** Every one that neither came to a good end nor was left out by its policy. */
  readonly others: readonly FiringReport[]
}

/** An effect that cannot be done twice unseen: a line with its own id. */
const source = `
version: 1
goal: Do one thing at each due time
steps:
  - { id: today, agent: calendar, action: list, args: { day: today, calendars: [work] } }
  - { id: act, agent: test, action: count, args: { text: { $from: "today#/day" } } }
answer: { from: [act] }
`

interface PlanDocument {
  readonly kind: 'plan'
  readonly name: string
  readonly source: string
  readonly inputs: Readonly<Record<string, never>>
}

const firedPlan: PlanDocument = { kind: 'plan', name: 'soak', source, inputs: {} }

/** Resolves when notary and server both have it. */
export async function enable(
  session: Session,
  schedule: SoakSchedule,
  plan: PlanDocument = firedPlan,
): Promise<void> {
  const { id, everySeconds, policy } = schedule
  const spec = { kind: 'every', seconds: everySeconds, zone: 'UTC' } as const
  const stored = await session.putRequest(standingOf(id), JSON.stringify(plan))
  if (stored.status !== 'STORED') throw new Error(JSON.stringify(stored))
  const priority = 'MEDIUM'
  const call = { op: 'add', id, ...plan, priority, spec, policy, note: '' } as const
  const reply = await session.schedule(call)
  if (reply.status !== 'REGISTERED') throw new Error(JSON.stringify(reply))
  const requestRef = stored.ref
  await session.runs.schedules.put({
    ...{ id, spec, policy, note: '', paused: false, requestRef, priority },
  })
}

/** No further times, with the server and with the notary. */
export async function pause(session: Session, { id }: SoakSchedule): Promise<void> {
  const reply = await session.schedule({ op: 'pause', id, note: 'the soak is over' })
  if (reply.status !== 'REGISTERED') throw new Error(JSON.stringify(reply))
  await session.runs.schedules.pause(id, 'the soak is over')
}

const unexplained: readonly FiringOutcome[] = ['unknown', 'missed']
const troubled: readonly FiringOutcome[] = [...unexplained, 'failed', 'held', 'running', 'waiting']
/** As many as the notary shows at once. */
export const mostShown = 500
const readMs = 60_000
const againMs = 500

/** What became of its latest due times so far. */
export function readOutcomes(
  connection: Pick<Connection, 'use'>,
  { id }: SoakSchedule,
): Promise<readonly FiringReport[]> {
  return connection.use(async (session) => {
    const shown = await session.schedule({ op: 'show', id, limit: mostShown })
    if (shown.status !== 'SHOWN') throw new Error(JSON.stringify(shown))
    return readFirings(shown, session.runs, { now: Date.now(), limit: mostShown })
  }, readMs)
}

/** Reads again until nothing that was due by `until` is in one of these states, or the signal. */
export async function readOutcomesAfter(
  connection: Pick<Connection, 'use'>,
  schedule: SoakSchedule,
  wait: {
    readonly until: number
    readonly on: readonly FiringOutcome[]
    readonly signal: AbortSignal
  },
): Promise<readonly FiringReport[]> {
  const { until, on, signal } = wait
  for (;;) {
    const reports = await readOutcomes(connection, schedule).catch((error: unknown) => {
      if (signal.aborted) throw error
      return undefined
    })
    const isOpen = reports?.some(({ at, outcome }) => at <= until && on.includes(outcome))
    if (reports !== undefined && (signal.aborted || isOpen === false)) return reports
    await delay(againMs)
  }
}

/** Pure. `reports` of any time; those from `from` to `until` count. */
export function summarise(
  { id, everySeconds }: Pick<SoakSchedule, 'id' | 'everySeconds'>,
  reports: readonly FiringReport[],
  { from, until }: { readonly from: number; readonly until: number },
): FiringSummary {
  const wanted = reports.filter(({ at }) => at >= from && at <= until)
  const known = new Map(wanted.map((report) => [report.at, report]))
  const due = dueTimes(everySeconds, from, until)
  const outcomes: Partial<Record<FiringOutcome, number>> = {}
  for (const { outcome } of known.values()) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  const missing = due.filter((at) => {
    const outcome = known.get(at)?.outcome
    return outcome === undefined || unexplained.includes(outcome)
  })
  return {
    schedule: id,
    due: due.length,
    outcomes,
    missing: missing.map((at) => new Date(at).toISOString()),
    others: [...known.values()].filter(({ outcome }) => troubled.includes(outcome)),
  }
}

/** `every` counts from the beginning of 1970, as the server does. */
function dueTimes(everySeconds: number, from: number, until: number): readonly number[] {
  const everyMs = everySeconds * 1_000
  const first = Math.ceil(from / everyMs) * everyMs
  const count = Math.max(0, Math.floor((until - first) / everyMs) + 1)
  return Array.from({ length: count }, (_, index) => first + index * everyMs)
}
