// Schedules on a real Temporal server with a real notary: that both mean the same times, over the
// changes of daylight saving too, and that each firing has the outcome that its job's policy says when
// the server was killed and away for several of them.

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { firingId } from '../../plan/firing.ts'
import type { SchedulePolicy, ScheduleSpec } from '../../plan/schedule.ts'
import { dueTimes } from '../../plan/schedule-times.ts'
import { toScheduleSpec } from '../../plan/schedule-words.ts'
import { type ScheduleBench, startScheduleBench } from '../support/schedule-bench.ts'

const policy: SchedulePolicy = { overlap: 'skip', catchUpSeconds: 60, jitterSeconds: 0 }
const range = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at)
const iso = (times: readonly number[]) => times.map((at) => new Date(at).toISOString())

async function eventually<T>(look: () => Promise<T | undefined>, withinMs = 60_000): Promise<T> {
  for (const until = Date.now() + withinMs; ; ) {
    const found = await look()
    if (found !== undefined) return found
    if (Date.now() > until) throw new Error('it did not come about')
    await delay(500)
  }
}

describe('the times of a schedule', () => {
  let bench: ScheduleBench
  beforeAll(async () => {
    bench = await startScheduleBench()
  })
  afterAll(() => bench?.stop())

  /** Half past each hour of the night in which clocks change. */
  const night = (
    zone: string,
    months: number[],
    days: readonly number[],
    hours: readonly number[],
  ): ScheduleSpec => ({
    ...{ kind: 'calendar', zone, months, minutes: [30], hours: [...hours] },
    ...{ daysOfMonth: [...days], daysOfWeek: [0] },
  })

  it.each<[string, ScheduleSpec]>([
    ['vienna-spring', night('Europe/Vienna', [3], range(25, 31), range(0, 4))],
    ['vienna-autumn', night('Europe/Vienna', [10], range(25, 31), [0, 2, 3, 4])],
    ['new-york-spring', night('America/New_York', [3], range(8, 14), range(0, 4))],
    ['sydney-spring', night('Australia/Sydney', [10], range(1, 7), range(0, 4))],
    ['sydney-autumn', night('Australia/Sydney', [4], range(1, 7), [0, 2, 3])],
    ['hourly', toScheduleSpec({ cron: '*/20 * * * *', zone: 'Europe/Vienna' })],
    ['weekdays', toScheduleSpec({ at: '07:00', days: 'mon-fri', zone: 'Europe/Vienna' })],
    ['leap-days', toScheduleSpec({ cron: '59 23 29 2 *', zone: 'America/New_York' })],
    ['odd', toScheduleSpec({ cron: '*/7 8-10/2 1,15 jan,jul *', zone: 'UTC' })],
    ['interval', toScheduleSpec({ every: '7h', zone: 'Europe/Vienna' })],
  ])('are the same for Temporal and for the notary: %s', async (id, spec) => {
    const before = Date.now()
    await bench.add({ id, spec, policy })
    const next = (await bench.bench.client.schedules.describe(id))?.next ?? []
    expect(next.length).toBeGreaterThan(5)
    const max = next.length
    expect(iso(dueTimes(spec, { after: before, until: Number.MAX_SAFE_INTEGER, max }))).toEqual(
      iso(next),
    )
    await bench.ask({ op: 'remove', id })
    await bench.bench.client.schedules.remove(id)
  })

  it.each<[string, ScheduleSpec, string, string]>([
    // The server fires both of New York's half past one; a job of once a day must run once.
    [
      'twice-for-the-server',
      night('America/New_York', [11], range(1, 7), [1]),
      ...(['2027-11-07T05:30:00.000Z', '2027-11-07T06:30:00.000Z'] as const),
    ],
    // East of Greenwich it takes the first half past two for a second half past one.
    [
      'wrong-for-the-server',
      night('Europe/Vienna', [10], range(25, 31), [1, 2]),
      ...(['2027-10-31T00:30:00.000Z', '2027-10-31T01:30:00.000Z'] as const),
    ],
  ])(
    "are the server's where it errs at the end of summer, and then not due: %s",
    async (id, spec, first, second) => {
      const before = Date.now()
      await bench.add({ id, spec, policy })
      const next = iso((await bench.bench.client.schedules.describe(id))?.next ?? [])
      const due = iso(dueTimes(spec, { after: before, until: Date.parse('2027-12-01'), max: 99 }))
      expect(next).toContain(first)
      expect(due).not.toContain(first)
      expect(due).toContain(second)
      // What it leaves out is told as missed: see docs/adr/0015.
      expect(next.includes(second)).toBe(id === 'twice-for-the-server')
      await bench.ask({ op: 'remove', id })
      await bench.bench.client.schedules.remove(id)
    },
  )

  it.each<{
    zone: string
    at: string
    from: string
    to: string
    times: readonly string[]
    /** Made up by the server. */
    refused?: readonly string[]
  }>([
    {
      ...{ zone: 'Europe/Vienna', at: '02:30', from: '2026-03-28T00:00Z', to: '2026-03-30T12:00Z' },
      times: ['2026-03-28T01:30:00.000Z', '2026-03-30T00:30:00.000Z'],
    },
    {
      ...{ zone: 'Europe/Vienna', at: '02:30', from: '2026-10-24T12:00Z', to: '2026-10-25T12:00Z' },
      times: ['2026-10-25T01:30:00.000Z'],
    },
    {
      ...{ zone: 'America/New_York', at: '02:30', from: '2026-03-08T00:00Z' },
      to: '2026-03-09T12:00Z',
      times: ['2026-03-09T06:30:00.000Z'],
    },
    {
      ...{ zone: 'America/New_York', at: '01:30', from: '2026-11-01T00:00Z' },
      to: '2026-11-01T12:00Z',
      times: ['2026-11-01T06:30:00.000Z'],
      refused: ['2026-11-01T05:30:00.000Z'],
    },
  ])('are backfilled over a change of clocks: $zone $at from $from', async (job) => {
    const { zone, at, from, to, times, refused = [] } = job
    const id = `filled-${from.slice(5, 10)}-${zone.slice(0, 1).toLowerCase()}`
    const { client } = bench.bench
    await bench.add({ id, spec: toScheduleSpec({ at, zone }), policy })
    const span = { from: Date.parse(from), to: Date.parse(to) }
    const reply = await bench.ask({ op: 'backfill', id, ...span })
    expect(reply).toEqual({ status: 'BACKFILL', times: times.map((time) => Date.parse(time)) })
    await client.schedules.backfill(id, span.from, span.to)
    const over = times.length + refused.length
    await eventually(async () => {
      const { taken = 0 } = (await client.schedules.describe(id))?.counts ?? {}
      const reports = await bench.outcomes(id)
      const open = reports.some(({ outcome }) => outcome === 'running')
      return (taken >= over && reports.length >= times.length && !open) || undefined
    })
    const reports = (await bench.outcomes(id)).filter(({ at: due }) => due <= span.to)
    expect(reports.map(({ outcome }) => outcome)).toEqual(times.map(() => 'late'))
    expect(iso(reports.map(({ at: due }) => due).toReversed())).toEqual(times)
    for (const due of refused) {
      const requestId = firingId({ schedule: id, at: Date.parse(due) })
      expect(await client.result(requestId)).toMatchObject({
        status: 'denied',
        code: 'NOT_NOMINAL',
      })
    }
    // The day is the one on which it was due, not the one on which it ran.
    for (const due of times) {
      const { inputs } = JSON.parse(bench.planOf(firingId({ schedule: id, at: Date.parse(due) })))
      expect(inputs).toEqual({ day: due.slice(0, 10) })
    }
  })
})

describe('a schedule of seconds whose server was killed and away', () => {
  const everyMs = 5_000
  const awayMs = 26_000
  const jobs = (['skip', 'buffer-one', 'allow'] as const).flatMap((overlap) =>
    [
      { name: 'brief', catchUpSeconds: 10, runMs: 100 },
      { name: 'brief', catchUpSeconds: 600, runMs: 100 },
      { name: 'long', catchUpSeconds: 600, runMs: 7_000 },
    ].map(({ name, catchUpSeconds, runMs }) => ({
      id: `${name}-${overlap}-${catchUpSeconds}`,
      policy: { overlap, catchUpSeconds, jitterSeconds: 0 },
      runMs,
    })),
  )
  let bench: ScheduleBench
  let goneAt: number
  let backAt: number

  beforeAll(async () => {
    bench = await startScheduleBench((id) => jobs.find((job) => job.id === id)?.runMs ?? 0)
    const spec = toScheduleSpec({ every: '5s', zone: 'UTC' })
    for (const job of jobs) await bench.add({ ...job, spec })
    await eventually(async () => {
      const first = await Promise.all(jobs.map(({ id }) => bench.outcomes(id)))
      return first.every((some) => some.some(({ outcome }) => outcome === 'ran')) || undefined
    })
    await bench.bench.temporal.kill()
    goneAt = Date.now()
    await delay(awayMs)
    await bench.bench.temporal.restart()
    backAt = Date.now()
    // Each goes on by itself; then no more is to come, and what is under way comes to its end.
    await eventually(async () => {
      const all = await Promise.all(jobs.map(({ id }) => bench.outcomes(id)))
      return (
        all.every((some) =>
          some.some(({ at, outcome }) => at > backAt && (outcome === 'ran' || outcome === 'late')),
        ) || undefined
      )
    }, 90_000)
    for (const { id } of jobs) {
      await bench.bench.client.schedules.pause(id, 'the test has seen enough')
      await bench.ask({ op: 'pause', id, note: 'the test has seen enough' })
    }
  }, 240_000)
  afterAll(() => bench?.stop())

  /** Once nothing of it is under way any more; what was due while it is paused does not count. */
  const settled = (id: string) =>
    eventually(async () => {
      const reports = (await bench.outcomes(id)).filter(
        ({ outcome, code }) => outcome !== 'paused' || code !== undefined,
      )
      const open = reports.some(({ outcome }) => outcome === 'running')
      return open ? undefined : reports.toReversed()
    }, 90_000)
  const countOf = (reports: readonly { outcome: string }[], ...outcomes: string[]) =>
    reports.filter(({ outcome }) => outcomes.includes(outcome)).length

  it.each(jobs)(
    '$id: each firing has the outcome of its policy',
    async ({ id, policy: { overlap, catchUpSeconds } }) => {
      const reports = await settled(id)
      const away = reports.filter(({ at }) => at > goneAt && at < backAt)
      expect(away.length).toBeGreaterThanOrEqual(Math.floor(awayMs / everyMs))
      // None began later than its job allows.
      const begun = reports.map(({ lateMs = 0 }) => lateMs)
      expect(Math.max(...begun)).toBeLessThanOrEqual(catchUpSeconds * 1_000)
      // Nothing failed, and nothing is left open.
      expect(countOf(reports, 'failed', 'unknown', 'held')).toBe(0)
      // Temporal's own counters are another source. What it began too late for the notary, whose word
      // is the last, is missed with a code; one kept waiting when the
      // test paused it is paused with one.
      const counts = (await bench.bench.client.schedules.describe(id))?.counts
      const refused = reports.filter(({ code }) => code === 'FIRING_MISSED').length
      const paused = countOf(reports, 'paused')
      // One that the server still kept when the test paused it is in none of its counters.
      const skipped = countOf(reports, 'skipped')
      const kept = overlap === 'buffer-one' ? skipped - (counts?.skipped ?? 0) : 0
      expect([0, 1]).toContain(kept)
      expect({
        skipped: skipped - kept,
        missed: countOf(reports, 'missed') - refused,
        taken: countOf(reports, 'ran', 'late') + refused + paused,
      }).toEqual(counts)
      const tooOld = away.filter(({ at }) => backAt - at > catchUpSeconds * 1_000)
      expect(tooOld.every(({ outcome }) => outcome === 'missed')).toBe(true)
      expect(tooOld.length > 0).toBe(catchUpSeconds === 10)
      if (catchUpSeconds === 600) {
        expect(countOf(away, 'late', 'ran', 'skipped')).toBe(away.length)
        if (overlap === 'allow') expect(countOf(away, 'skipped')).toBe(0)
        else expect(countOf(away, 'skipped')).toBeGreaterThan(0)
        // One that was open when the server went, or was kept then, may hold back all that came meanwhile.
        const before = reports.findLast((one) => one.at <= goneAt && one.requestId !== undefined)
        const { closedAt = 0 } = await bench.bench.client.describe(before?.requestId ?? '')
        const mayHoldBack = overlap !== 'allow' && closedAt > goneAt
        if (!mayHoldBack) expect(countOf(away, 'late')).toBeGreaterThan(0)
      }
    },
  )

  it('had each firing once, and each as one admitted request', async () => {
    for (const { id } of jobs) {
      const begun = bench.harness.store.state.firingsOf(id, 500)
      const reports = await settled(id)
      expect(begun.length).toBe(countOf(reports, 'ran', 'late'))
      expect(new Set(begun.map((one) => one.id)).size).toBe(begun.length)
    }
  })
})
