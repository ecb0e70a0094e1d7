// What became of each due time, from what the notary and Temporal know; pure.

import { describe, expect, it } from 'vitest'
import { type FiringRun, outcomesOf, readFirings } from '../../cli/firing-outcomes.ts'
import { readEnd, specLine } from '../../cli/schedule-words.ts'
import type { SchedulePolicy } from '../../plan/schedule.ts'
import { toScheduleSpec } from '../../plan/schedule-words.ts'

const minute = 60_000
const start = Date.parse('2026-05-01T00:00:00Z')
const at = (minutes: number) => start + minutes * minute

const schedule = (policy: Partial<SchedulePolicy> = {}, more: object = {}) => ({
  ...{
    id: 'poll',
    kind: 'plan',
    name: 'poll',
    note: '',
    pausedAt: null,
    pauses: [],
    approval: null,
  },
  priority: 'MEDIUM' as const,
  spec: toScheduleSpec({ every: '1m', zone: 'UTC' }),
  policy: { overlap: 'skip', catchUpSeconds: 120, jitterSeconds: 0, ...policy } as const,
  createdAt: at(0),
  activeSince: at(0),
  ...more,
})
/** A run that was due at `due`, from `from` to `to`, in minutes. */
const run = (due: number, from: number, to?: number, more: Partial<FiringRun> = {}): FiringRun => ({
  requestId: `run-${due}`,
  at: at(due),
  begunAt: at(from),
  startedAt: at(from),
  status: to === undefined ? 'running' : 'completed',
  closed: to !== undefined,
  ...(to === undefined ? {} : { closedAt: at(to) }),
  ...more,
})
const told = (
  policy: Partial<SchedulePolicy>,
  runs: readonly FiringRun[],
  now: number,
  more: object = {},
) =>
  outcomesOf(schedule(policy, more), runs, { now: at(now), limit: 50 })
    .toReversed()
    .map(({ outcome }) => outcome)

describe('a due time', () => {
  it('ran, or ran late, or failed, or runs', () => {
    const runs = [run(0, 0, 0.5), run(1, 1.5, 1.7), run(2, 2, 2.1, { status: 'failed' }), run(3, 3)]
    expect(told({ overlap: 'allow' }, runs, 3)).toEqual(['ran', 'late', 'failed', 'running'])
    // Jitter is not lateness.
    expect(told({ jitterSeconds: 30 }, [run(0, 0.5, 0.6)], 0.7)).toEqual(['ran'])
  })

  it('had nothing to report, also when it was late', () => {
    const runs = [run(0, 0, 0.5, { nothing: true }), run(1, 1.5, 1.7, { nothing: true })]
    expect(told({ overlap: 'allow' }, runs, 1.8)).toEqual([
      ...['nothing-to-report', 'nothing-to-report'],
    ])
  })

  it('was skipped while an earlier one was open', () => {
    expect(told({}, [run(0, 0, 2.5), run(3, 3, 3.1)], 3.5)).toEqual([
      ...['ran', 'skipped', 'skipped', 'ran'],
    ])
  })

  it('was missed when nothing began it in time, and waits until then', () => {
    expect(told({}, [run(0, 0, 0.1)], 4)).toEqual([
      ...['ran', 'missed', 'waiting', 'waiting', 'waiting'],
    ])
    expect(told({ overlap: 'allow' }, [run(0, 0, 9)], 4).slice(0, 2)).toEqual(['ran', 'missed'])
  })

  it('was skipped when an earlier one was caught up in its stead', () => {
    // Asleep from 0.5 to 5.5: those of 1 to 3 are too old, 4 is caught up, 5 comes while it runs.
    const runs = [run(0, 0, 0.1), run(4, 5.5, 5.6), run(6, 6, 6.1)]
    expect(told({}, runs, 6.5)).toEqual([
      'ran',
      'missed',
      'missed',
      'missed',
      'late',
      'skipped',
      'ran',
    ])
  })

  it('was skipped when the one in its stead was decided on in time and began a moment after', () => {
    // Two minutes after 5 began what was due at 4: as late as a busy server begins it, or later.
    expect(told({}, [run(4, 7.05, 7.1)], 8).slice(4, 6)).toEqual(['late', 'skipped'])
    expect(told({}, [run(4, 7.1, 7.2)], 8).slice(4, 6)).toEqual(['late', 'missed'])
  })

  it('is kept waiting, once, where one may be', () => {
    const one = { overlap: 'buffer-one' } as const
    expect(told(one, [run(0, 0)], 1)).toEqual(['running', 'waiting'])
    expect(told(one, [run(0, 0, 2.5), run(1, 2.5, 2.6)], 2.7)).toEqual(['ran', 'late', 'skipped'])
  })

  it('was not to fire while it was paused', () => {
    const paused = { pausedAt: at(1.5), pauses: [{ from: at(1.5), to: null }] }
    expect(told({}, [run(0, 0, 0.1), run(1, 1, 1.1)], 3, paused)).toEqual([
      ...['ran', 'ran', 'paused', 'paused'],
    ])
  })

  it('is what the notary said where it refused', () => {
    const refused = (code: string) => {
      const { begunAt: _, ...denied } = run(0, 0, 0.1, { status: 'denied', code })
      return told({}, [denied], 0.5)
    }
    expect(refused('FIRING_MISSED')).toEqual(['missed'])
    expect(refused('SCHEDULE_PAUSED')).toEqual(['paused'])
    expect(refused('PLAN_INVALID')).toEqual(['failed'])
  })

  it('is shown besides where a person asked for it', () => {
    const report = outcomesOf(schedule(), [run(-600, 0.2, 0.3), run(0.25, 0.25, 0.3)], {
      ...{ now: at(0.5), limit: 50 },
    })
    expect(report.map((one) => one.at)).toEqual([at(0.25), at(0), at(-600)])
  })
})

it('a run that Temporal has forgotten is unknown, and never called a success', async () => {
  const gone = () => Promise.reject(Object.assign(new Error('gone'), { code: 'NOT_FOUND' }))
  const firings = [{ requestId: 'sched:poll:2026-05-01t00:00:00z', at: at(0), begunAt: at(0) }]
  const shown = { schedule: schedule(), firings }
  const when = { now: at(0.5), limit: 10 }
  expect(await readFirings(shown, { describe: gone, result: gone }, when)).toMatchObject([
    { at: at(0), outcome: 'unknown' },
  ])
})

it('a schedule is shown as the line that it was written as', () => {
  const line = (words: object) => specLine(toScheduleSpec({ ...words, zone: 'UTC' }))
  expect(line({ cron: '0 7 * * mon-fri' })).toBe('0 7 * * 1,2,3,4,5')
  expect(line({ every: '15m' })).toBe('every 900s')
})

it('a day of a backfill is the day at the schedule, of 23 hours where it has so many', () => {
  const zone = 'Europe/Vienna'
  const length = readEnd('2026-03-29', zone, 'to') - readEnd('2026-03-29', zone, 'from')
  expect(length).toBe(23 * 3_600_000 - 1)
  expect(() => readEnd('yesterday', zone, 'from')).toThrow(/not a date/)
})
