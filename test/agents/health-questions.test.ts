// What is asked of imported health data: days, nights, trends and what is unlike them; in the person's own
// zone, in our units, and without a word about devices.

import { readdirSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { dateAfter, datesBetween } from '../../agents/health/days.ts'
import { missingNight, unlikeDay } from '../../examples/home/health.ts'
import { failureOf } from './action-context.ts'
import { exportOf, type HealthHome, openHealthHome, weeks } from './health-home.ts'

let home: HealthHome
beforeEach(() => {
  home = openHealthHome()
})
afterEach(() => home.end())

const file = { file: 'export.xml' }
const day = '2026-11-20'

describe('a question', () => {
  beforeEach(async () => {
    await home.put('export.xml', exportOf(weeks))
    await home.run('import', file)
  })

  it('is answered for the day of the person, of 24, 25 or 23 hours', async () => {
    expect(await home.run('summary', { date: day })).toMatchObject({ coverage: { of: 24 } })
    const back = await home.run('summary', { date: '2026-10-25' })
    expect(back).toMatchObject({ timeZone: 'Europe/Vienna', coverage: { hours: 25, of: 25 } })
    expect(await home.run('summary', { date: '2026-03-29' })).toMatchObject({
      steps: null,
      sleepMin: null,
      coverage: { hours: 0, of: 23 },
    })
    expect(await home.run('summary', { date: 'today' })).toMatchObject({ date: '2026-11-21' })
    const elsewhere = { date: 'today', timeZone: 'Pacific/Auckland' }
    expect(await home.run('summary', elsewhere)).toMatchObject({ date: '2026-11-21' })
  })

  it('tells a missing night from a sleepless one, and whose word counts of the others', async () => {
    const missing = dateAfter(weeks.to, -missingNight)
    expect(await home.run('sleep', { night: missing })).toMatchObject({
      coverage: 'missing',
      asleepMin: null,
    })
    const night = await home.run('sleep', { night: 'today' })
    const stages = (night.deepMin ?? 0) + (night.remMin ?? 0) + (night.coreMin ?? 0)
    // The application that knows no stages adds nothing, although it says twenty minutes more.
    expect(night).toMatchObject({ unspecifiedMin: 0, asleepMin: stages })
    expect(night.start).toMatch(/^2026-11-(20T2|21T00)\S+\+01:00$/)
    expect(night.inBedMin).toBeGreaterThan(stages)
  })

  it('shows a trend with a picture, and nothing where nothing is known', async () => {
    const { points, sparkline } = await home.run('trend', { metric: 'sleep', to: 'today', days: 7 })
    expect(points.map(({ t }) => t)).toEqual(datesBetween('2026-11-15', '2026-11-21'))
    expect(sparkline).toMatch(/^[▁-█] [▁-█]{5}$/)
    expect(points[1]).toEqual({ t: '2026-11-16', value: null, n: 0, days: 0 })
    const months = await home.run('trend', {
      metric: 'restingHeartRate',
      ...{ from: weeks.from, to: 'today', bucket: 'month' },
    })
    expect(months.points.map(({ t, days }) => [t, days])).toEqual([
      ['2026-10-01', 20],
      ['2026-11-01', 20],
    ])
    expect(months).toMatchObject({ unit: 'count/min' })
    const weekly = await home.run('trend', { metric: 'steps', to: day, days: 14, bucket: 'week' })
    expect(weekly.points.map(({ t }) => t)).toEqual(['2026-11-02', '2026-11-09', '2026-11-16'])
  })

  it('finds the day that is unlike the others, and says what is usual', async () => {
    const { anomalies, checked, sparse } = await home.run('anomalies', { to: 'today' })
    expect(anomalies.map(({ date, metric }) => [date, metric])).toEqual([
      [dateAfter(weeks.to, -unlikeDay), 'restingHeartRate'],
    ])
    expect(anomalies[0]?.z).toBeGreaterThan(3)
    expect(anomalies[0]?.baseline.median).toBeLessThan(60)
    expect(checked).toContain('sleep')
    expect(sparse).toEqual(['weight'])
  })

  it('is answered in our units, whatever the devices write', async () => {
    const { points } = await home.run('trend', { metric: 'weight', from: weeks.from, to: day })
    const known = points.flatMap(({ value }) => value ?? [])
    expect(known.length).toBeGreaterThan(3)
    // They were written in pounds.
    for (const kilograms of known) expect(kilograms).toBeCloseTo(69, -1)
  })

  it('tells nothing of devices, applications or single samples', async () => {
    const answers = await Promise.all([
      home.run('summary', { date: day }),
      home.run('sleep', { night: day }),
      home.run('trend', { metric: 'heartRate', to: day }),
      home.run('workouts', { to: day, days: 30 }),
      home.run('anomalies', { to: day }),
      home.run('import', file),
    ])
    expect(JSON.stringify(answers)).not.toMatch(/anna|iphone|watch|friends|scale/i)
  })

  it.each([
    ['a date of no calendar', 'summary', { date: '2026-02-30' }, 'INVALID_INPUT'],
    ['a zone of nowhere', 'summary', { date: day, timeZone: 'Europe/Nowhere' }, 'INVALID_INPUT'],
    [
      'an end before its beginning',
      'trend',
      { metric: 'steps', from: day, to: '2026-11-01' },
      'INVALID_INPUT',
    ],
    ['too many points', 'trend', { metric: 'steps', days: 500, to: day }, 'LIMIT_EXCEEDED'],
    ['too many years', 'trend', { metric: 'steps', from: '0001-01-01', to: day }, 'INVALID_INPUT'],
  ] as const)('is refused with %s', async (_, action, args, code) => {
    expect(await failureOf(home.run(action, args))).toMatchObject({ code })
  })
})

describe('an agent without data', () => {
  it('answers that nothing is known, and writes nothing', async () => {
    expect(await home.run('summary', { date: day })).toMatchObject({ steps: null, workouts: 0 })
    expect(await home.run('sleep', { night: day })).toMatchObject({ coverage: 'missing' })
    expect(await home.run('anomalies', { to: day })).toMatchObject({ checked: [], sparse: [] })
    expect(readdirSync(home.data)).toEqual(['timezone'])
  })
})
