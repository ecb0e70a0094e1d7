// When a schedule is due: from what a person writes to the very instants, over the changes of daylight
// saving too. test/integration/schedules.test.ts asks Temporal the same.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { firingId, inputsOfFiring, parseFiringId } from '../../plan/firing.ts'
import { dueTimes, isDue, latestDueTimes, zoneForServer } from '../../plan/schedule-times.ts'
import { ScheduleWordsError, toScheduleSpec } from '../../plan/schedule-words.ts'
import { requestIdPattern } from '../../plan/schema.ts'

const vienna = 'Europe/Vienna'
const newYork = 'America/New_York'
const iso = (times: readonly number[]) => times.map((at) => new Date(at).toISOString())
const due = (words: object, zone: string, from: string, until: string) =>
  iso(
    dueTimes(toScheduleSpec({ ...words, zone }), {
      after: Date.parse(from),
      until: Date.parse(until),
      max: 100,
    }),
  )

describe('what a person writes', () => {
  const calendar = (words: object) => {
    const spec = toScheduleSpec({ ...words, zone: vienna })
    if (spec.kind !== 'calendar') throw new Error('not a calendar')
    return spec
  }

  it.each([
    ['0 7 * * mon-fri', { hours: [7], minutes: [0], daysOfWeek: [1, 2, 3, 4, 5] }],
    ['*/20 8-10 * * *', { hours: [8, 9, 10], minutes: [0, 20, 40] }],
    ['5,10/25 0 1,15 jan-mar *', { minutes: [5, 10, 35], daysOfMonth: [1, 15], months: [1, 2, 3] }],
    ['0 0 * * sat-sun', { daysOfWeek: [0, 6] }],
    ['0 0 * * 5-7', { daysOfWeek: [0, 5, 6] }],
  ])('%s is read as cron reads it', (cron, expected) => {
    expect(calendar({ cron })).toMatchObject(expected)
  })

  it('may be a time of day with days, or an interval', () => {
    expect(calendar({ at: '07:30', days: 'mon,wed' })).toMatchObject({
      hours: [7],
      minutes: [30],
      daysOfWeek: [1, 3],
    })
    expect(toScheduleSpec({ every: '2h', zone: vienna })).toMatchObject({ seconds: 7_200 })
  })

  it.each<[RegExp, object]>([
    [/one of --cron, --every and --at/, {}],
    [/one of --cron, --every and --at/, { cron: '* * * * *', every: '1d' }],
    [/--days goes with --at/, { every: '1d', days: 'mon' }],
    [/five fields/, { cron: '0 7 * *' }],
    [/five fields/, { cron: '0 0 7 * * *' }],
    [/add two schedules/, { cron: '0 7 13 * fri' }],
    [/60 is not a minute/, { cron: '60 * * * *' }],
    [/is not a hour/, { cron: '0 9-7 * * *' }],
    [/is not a day of the month/, { cron: '0 7 l * *' }],
    [/is not a day of the week/, { cron: '0 7 * * mo' }],
    [/is not a minute/, { cron: '*/0 * * * *' }],
    [/is not a time such as 07:00/, { at: '7 am' }],
    [/is not a time such as 90s/, { every: 'daily' }],
    [/seconds/, { every: '0s' }],
    [/seconds/, { every: '31d' }],
    [/not an IANA time zone/, { at: '07:00', zone: 'Mars/Base' }],
  ])('is refused, saying %s: %j', (message, words) => {
    const read = () => toScheduleSpec({ zone: vienna, ...words })
    expect(read).toThrow(ScheduleWordsError)
    expect(read).toThrow(message)
  })
})

describe('a schedule', () => {
  it('leaves out a time of day that its zone leaves out', () => {
    const at = { at: '02:30' }
    expect(due(at, vienna, '2026-03-28T00:00:00Z', '2026-03-31T00:00:00Z')).toEqual([
      '2026-03-28T01:30:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ])
    expect(due(at, newYork, '2026-03-07T00:00:00Z', '2026-03-10T00:00:00Z')).toEqual([
      '2026-03-07T07:30:00.000Z',
      '2026-03-09T06:30:00.000Z',
    ])
  })

  it('is due once, the second time, at a time of day that its zone has twice', () => {
    expect(due({ at: '02:30' }, vienna, '2026-10-24T12:00:00Z', '2026-10-26T00:00:00Z')).toEqual([
      '2026-10-25T01:30:00.000Z',
    ])
    expect(due({ at: '01:30' }, newYork, '2026-10-31T12:00:00Z', '2026-11-02T00:00:00Z')).toEqual([
      '2026-11-01T06:30:00.000Z',
    ])
  })

  it('of every hour is due as hours pass', () => {
    const hourly = { cron: '30 * * * *' }
    expect(due(hourly, vienna, '2026-10-24T23:00:00Z', '2026-10-25T02:00:00Z')).toEqual([
      '2026-10-24T23:30:00.000Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T01:30:00.000Z',
    ])
    const inServer = (cron: string, zone: string) => {
      const spec = toScheduleSpec({ cron, zone })
      return spec.kind === 'calendar' ? zoneForServer(spec, Date.parse('2026-05-01')) : ''
    }
    expect(inServer('30 * * * *', vienna)).toBe('UTC')
    // Elsewhere the minute, or the day, is another one in UTC.
    expect(inServer('30 * * * *', 'Asia/Kolkata')).toBe('Asia/Kolkata')
    expect(inServer('30 * * * *', 'Australia/Lord_Howe')).toBe('Australia/Lord_Howe')
    expect(inServer('30 * * * sun', vienna)).toBe(vienna)
    expect(inServer('30 2 * * *', vienna)).toBe(vienna)
  })

  it('keeps its time of day over a change, and an interval its length', () => {
    expect(due({ at: '07:00' }, vienna, '2026-03-27T12:00:00Z', '2026-03-29T12:00:00Z')).toEqual([
      '2026-03-28T06:00:00.000Z',
      '2026-03-29T05:00:00.000Z',
    ])
    expect(due({ every: '1d' }, vienna, '2026-03-27T12:00:00Z', '2026-03-29T12:00:00Z')).toEqual([
      '2026-03-28T00:00:00.000Z',
      '2026-03-29T00:00:00.000Z',
    ])
  })

  it('finds what is rare, and gives up on what never comes', () => {
    const leap = { cron: '0 0 29 2 *' }
    expect(due(leap, vienna, '2026-01-01T00:00:00Z', '2030-01-01T00:00:00Z')).toEqual([
      '2028-02-28T23:00:00.000Z',
    ])
    expect(
      due({ cron: '0 0 30 2 *' }, vienna, '2026-01-01T00:00:00Z', '2090-01-01T00:00:00Z'),
    ).toEqual([])
  })

  it('says of exactly its own times that it is due, forwards and backwards', () => {
    const field = (most: number) =>
      fc.array(fc.integer({ min: 0, max: most }), { minLength: 1, maxLength: 3 })
    const minutes = field(59).map((list) => list.join(','))
    const hours = field(23).map((list) => list.join(','))
    const start = fc.constantFrom('2026-03-28', '2026-10-24', '2026-10-31', '2026-03-07')
    fc.assert(
      fc.property(minutes, hours, fc.constantFrom(vienna, newYork), start, (m, h, zone, day) => {
        const spec = toScheduleSpec({ cron: `${m} ${h} * * *`, zone })
        const after = Date.parse(`${day}T00:00:00Z`)
        const until = after + 3 * 86_400_000
        const times: number[] = []
        for (let at = after + 60_000; at <= until; at += 60_000) if (isDue(spec, at)) times.push(at)
        const span = { after, until, max: 10_000 }
        expect(dueTimes(spec, span)).toEqual(times)
        expect(latestDueTimes(spec, span)).toEqual(times.toReversed())
      }),
      { numRuns: 20 },
    )
  })

  it('is due on whole seconds only, and never before 1970', () => {
    const every = toScheduleSpec({ every: '5s', zone: vienna })
    expect([5_000, 5_001, 6_000, -5_000, 2.5].map((at) => isDue(every, at))).toEqual([
      ...[true, false, false, false, false],
    ])
    const daily = toScheduleSpec({ at: '07:00', zone: 'UTC' })
    const seven = Date.parse('2026-05-01T07:00:00Z')
    expect([seven, seven + 1, seven + 1_000].map((at) => isDue(daily, at))).toEqual([
      ...[true, false, false],
    ])
  })
})

describe('a firing', () => {
  it('has one name that is a request id, and is read back from it', () => {
    const firing = { schedule: 'briefing', at: Date.parse('2026-03-29T05:00:00Z') }
    expect(firingId(firing)).toBe('sched:briefing:2026-03-29t05:00:00z')
    expect(firingId(firing)).toMatch(requestIdPattern)
    expect(parseFiringId(firingId(firing))).toEqual(firing)
  })

  it.each([
    'sched:briefing:2026-03-29t5:00:00z',
    'sched:briefing:2026-03-29t05:00:00',
    'sched:briefing:2026-02-30t05:00:00z',
    'sched:a:b:2026-03-29t05:00:00z',
    'sched::2026-03-29t05:00:00z',
    'briefing-2026',
  ])('is not named by %s', (id) => {
    expect(parseFiringId(id)).toBeUndefined()
  })

  it('means by today the day on which it was due, at the place of its schedule', () => {
    const source = [
      'version: 1',
      'goal: x',
      'inputs: { day: { type: date, default: today }, other: { type: date }, word: { type: string } }',
      'steps: [{ id: a, agent: b, action: c }]',
      'answer: { from: [a] }',
    ].join('\n')
    const inputs = { other: '2026-01-01', word: 'today' }
    const at = Date.parse('2026-05-01T22:30:00Z')
    const of = (zone: string) => inputsOfFiring({ kind: 'plan', source, inputs }, { zone, at })
    expect(of(vienna)).toEqual({ ...inputs, day: '2026-05-02' })
    expect(of(newYork)).toEqual({ ...inputs, day: '2026-05-01' })
  })
})
