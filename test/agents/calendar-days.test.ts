// What list, find and find_free make of days: where they begin and end, their order, and what of them is
// free.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { failureOf } from './action-context.ts'
import { CalendarFolder, calendarOf, vienna } from './calendar-folder.ts'

let folder: CalendarFolder
beforeEach(() => {
  folder = new CalendarFolder()
})
afterEach(() => folder.remove())

const list = (args: object) => folder.run('list', args)
const find = (args: object) => folder.run('search', args)

describe('days', () => {
  test('an all-day event ends before its end date, and a day of 23 or 25 hours is one day', async () => {
    folder.save(
      'c',
      calendarOf(
        ['DTSTART;VALUE=DATE:20260328', 'DTEND;VALUE=DATE:20260330', 'SUMMARY:two days'],
        ['DTSTART;VALUE=DATE:20260329', 'SUMMARY:one day'],
        ['DTSTART;VALUE=DATE:20260329', 'DTEND;VALUE=DATE:20260329', 'SUMMARY:no end'],
        [vienna('DTSTART', '20260329T233000'), 'DURATION:PT30M', 'SUMMARY:last half hour'],
        [vienna('DTSTART', '20260330T000000'), 'SUMMARY:next day'],
      ),
    )
    const on = async (day: string) =>
      (await list({ day, timeZone: 'Europe/Vienna' })).events.map(({ summary }) => summary)
    expect(await on('2026-03-28')).toEqual(['two days'])
    expect(await on('2026-03-29')).toEqual(['two days', 'no end', 'one day', 'last half hour'])
    expect(await on('2026-03-30')).toEqual(['next day'])
    const [first] = (await list({ day: '2026-03-28', timeZone: 'Europe/Vienna' })).events
    expect(first).toMatchObject({
      start: '2026-03-28',
      end: '2026-03-30',
      startLocal: 'all day',
      endLocal: 'all day',
      allDay: true,
    })
  })

  test('results are in the order of the day over all calendars, counted beyond the limit', async () => {
    folder.save(
      'b',
      calendarOf(
        ['DTSTART:20261121T100000Z', 'SUMMARY:three'],
        ['DTSTART:20261121T080000Z', 'SUMMARY:one'],
      ),
    )
    folder.save(
      'a',
      calendarOf(['DTSTART:20261121T090000Z', 'SUMMARY:two\\, with a comma', 'LOCATION:x\\, y']),
    )
    const all = await list({ day: 'today' })
    expect(all.events.map(({ calendar, summary }) => [calendar, summary])).toEqual([
      ['b', 'one'],
      ['a', 'two, with a comma'],
      ['b', 'three'],
    ])
    expect(all.events[1]?.location).toBe('x, y')
    expect(await list({ day: 'today', limit: 1 })).toMatchObject({
      count: 3,
      events: [{ summary: 'one' }],
    })
    expect(await list({ day: 'today', query: 'TWO' })).toMatchObject({ count: 1 })
    expect(await list({ day: 'today', calendars: ['a'] })).toMatchObject({ count: 1 })
    expect((await failureOf(list({ day: 'today', calendars: ['none'] }))).code).toBe('NOT_FOUND')
  })

  test('days that do not exist, and ranges that end before they begin, are refused', async () => {
    folder.save('c', calendarOf())
    expect((await failureOf(list({ day: '2026-02-30' }))).code).toBe('INVALID_INPUT')
    expect((await failureOf(find({ query: 'x', from: '2026-02-02', to: '2026-02-01' }))).code).toBe(
      'INVALID_INPUT',
    )
    expect((await failureOf(find({ query: 'x', from: '2026-02-02', to: '2028-02-01' }))).code).toBe(
      'LIMIT_EXCEEDED',
    )
  })
})

describe('free time', () => {
  const day = { from: '2026-11-23', to: '2026-11-24', timeZone: 'Europe/Vienna' }
  const free = (args: object) => folder.run('find_free', { ...day, ...args })
  const shown = async (args: object) =>
    (await free(args)).free.map(({ start, end }) => `${start.slice(11, 16)}-${end.slice(11, 16)}`)

  test('lies between events, in working hours, with a buffer', async () => {
    folder.save(
      'c',
      calendarOf(
        [vienna('DTSTART', '20261123T100000'), 'DURATION:PT1H', 'SUMMARY:a'],
        [vienna('DTSTART', '20261123T103000'), 'DURATION:PT1H', 'SUMMARY:overlaps'],
        [
          vienna('DTSTART', '20261123T150000'),
          'DURATION:PT1H',
          'TRANSP:TRANSPARENT',
          'SUMMARY:free',
        ],
        [vienna('DTSTART', '20261123T160000'), 'DURATION:PT1H', 'SUMMARY:b'],
      ),
    )
    const workHours = { start: '09:00', end: '17:30' }
    expect(await shown({ durationMinutes: 60 })).toEqual([
      '00:00-10:00',
      '11:30-16:00',
      '17:00-00:00',
    ])
    expect(await shown({ durationMinutes: 30, workHours })).toEqual([
      '09:00-10:00',
      '11:30-16:00',
      '17:00-17:30',
    ])
    expect(await shown({ durationMinutes: 30, workHours, bufferMinutes: 15 })).toEqual([
      '09:00-09:45',
      '11:45-15:45',
    ])
    expect(await shown({ durationMinutes: 300, workHours })).toEqual([])
    expect(
      (await failureOf(free({ durationMinutes: 30, workHours: { start: '17:00', end: '09:00' } })))
        .code,
    ).toBe('INVALID_INPUT')
  })

  test('an event just outside the range counts with its buffer', async () => {
    folder.save(
      'c',
      calendarOf([vienna('DTSTART', '20261122T230000'), 'DURATION:PT1H', 'SUMMARY:a']),
    )
    expect(await shown({ durationMinutes: 60, bufferMinutes: 30 })).toEqual(['00:30-00:00'])
  })
})
