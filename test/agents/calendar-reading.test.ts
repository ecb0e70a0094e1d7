// What list and find make of ICS files: series with exceptions, and zones.

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

const own = [
  'BEGIN:VTIMEZONE',
  'TZID:W. Europe Standard Time',
  'BEGIN:STANDARD',
  'DTSTART:16010101T030000',
  'TZOFFSETFROM:+0200',
  'TZOFFSETTO:+0100',
  'RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10',
  'END:STANDARD',
  'BEGIN:DAYLIGHT',
  'DTSTART:16010101T020000',
  'TZOFFSETFROM:+0100',
  'TZOFFSETTO:+0200',
  'RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3',
  'END:DAYLIGHT',
  'END:VTIMEZONE',
].join('\r\n')

describe('series with exceptions', () => {
  test('exceptions, excluded and added dates are taken on the clock of the series', async () => {
    const text = calendarOf(
      [
        'UID:s',
        vienna('DTSTART', '20261019T090000'),
        'DURATION:PT1H',
        'RRULE:FREQ=DAILY;COUNT=10',
        'EXDATE:20261020T070000Z',
        'EXDATE;VALUE=DATE:20261021',
        'EXDATE;TZID=America/New_York:20261026T040000',
        vienna('RDATE', '20261115T170000'),
        'RDATE;VALUE=PERIOD:20261116T080000Z/PT2H',
        'SUMMARY:e',
      ],
      [
        'UID:s',
        'RECURRENCE-ID:20261022T070000Z',
        vienna('DTSTART', '20261022T150000'),
        'DURATION:PT2H',
        'SUMMARY:e moved',
      ],
      [
        'UID:s',
        vienna('RECURRENCE-ID', '20261023T090000'),
        vienna('DTSTART', '20261023T090000'),
        'STATUS:CANCELLED',
        'SUMMARY:e gone',
      ],
    )
    folder.save('c', text)
    const { events } = await list({ day: '2026-10-19', days: 31, timeZone: 'Europe/Vienna' })
    expect(
      events.map(({ start, end, recurrenceId }) => [
        start.slice(5, 16),
        end.slice(11, 16),
        recurrenceId,
      ]),
    ).toEqual([
      ['10-19T09:00', '10:00', '2026-10-19T09:00:00'],
      ['10-22T15:00', '17:00', '2026-10-22T09:00:00'],
      ['10-24T09:00', '10:00', '2026-10-24T09:00:00'],
      ['10-25T09:00', '10:00', '2026-10-25T09:00:00'],
      ['10-27T09:00', '10:00', '2026-10-27T09:00:00'],
      ['10-28T09:00', '10:00', '2026-10-28T09:00:00'],
      ['11-15T17:00', '18:00', '2026-11-15T17:00:00'],
      ['11-16T09:00', '11:00', '2026-11-16T09:00:00'],
    ])
  })

  test('an exception moved out of the range is not shown at its old time, one moved in is shown', async () => {
    folder.save(
      'c',
      calendarOf(
        ['UID:s', 'DTSTART:20261120T090000Z', 'RRULE:FREQ=WEEKLY', 'SUMMARY:weekly'],
        ['UID:s', 'RECURRENCE-ID:20261127T090000Z', 'DTSTART:20261121T100000Z', 'SUMMARY:early'],
      ),
    )
    expect((await list({ day: '2026-11-21' })).events.map(({ summary }) => summary)).toEqual([
      'early',
    ])
    expect((await list({ day: '2026-11-27' })).count).toBe(0)
  })

  test('the latest version of an event counts, and an exception without its series is an event', async () => {
    folder.save(
      'c',
      calendarOf(
        ['UID:v', 'SEQUENCE:2', 'DTSTART:20261121T090000Z', 'SUMMARY:new'],
        ['UID:v', 'SEQUENCE:1', 'DTSTART:20261121T080000Z', 'SUMMARY:old'],
        ['UID:x', 'RECURRENCE-ID:20261121T100000Z', 'DTSTART:20261121T110000Z', 'SUMMARY:alone'],
      ),
    )
    expect((await list({ day: 'today' })).events.map(({ summary }) => summary)).toEqual([
      'new',
      'alone',
    ])
  })

  test('an instance at a time that the clocks skip is left out', async () => {
    folder.save(
      'c',
      calendarOf([vienna('DTSTART', '20260327T023000'), 'RRULE:FREQ=DAILY', 'SUMMARY:e']),
    )
    const { events } = await list({ day: '2026-03-28', days: 3, timeZone: 'Europe/Vienna' })
    expect(events.map(({ start }) => start)).toEqual([
      '2026-03-28T02:30:00+01:00',
      '2026-03-30T02:30:00+02:00',
    ])
  })

  test('an instance keeps its exact length over a change of the clocks', async () => {
    folder.save(
      'c',
      calendarOf([
        vienna('DTSTART', '20261023T220000'),
        vienna('DTEND', '20261024T060000'),
        'RRULE:FREQ=DAILY',
        'SUMMARY:e',
      ]),
    )
    const { events } = await list({ day: '2026-10-25', timeZone: 'Europe/Vienna' })
    expect(events.map(({ end }) => end)).toEqual([
      '2026-10-25T05:00:00+01:00',
      '2026-10-26T06:00:00+01:00',
    ])
  })
})

describe('zones', () => {
  test('a zone that the file defines is used under any name, over both changes of the clocks', async () => {
    const text = calendarOf([
      'DTSTART;TZID="W. Europe Standard Time":20260101T090000',
      'RRULE:FREQ=DAILY',
      'SUMMARY:e',
    ])
    folder.save('c', text.replace('BEGIN:VEVENT', `${own}\r\nBEGIN:VEVENT`))
    for (const [day, start] of [
      ['2026-03-28', '08'],
      ['2026-03-29', '07'],
      ['2026-10-24', '07'],
      ['2026-10-25', '08'],
    ]) {
      const { events } = await list({ day })
      expect(events.map((event) => [event.start, event.timeZone])).toEqual([
        [`${day}T${start}:00:00+00:00`, 'W. Europe Standard Time'],
      ])
    }
  })

  test('the rules of a file agree with the database over fifty years', async () => {
    const text = calendarOf([
      'DTSTART;TZID=W. Europe Standard Time:19990601T023000',
      'RRULE:FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU,1MO',
      'SUMMARY:e',
    ])
    folder.save('own', text.replace('BEGIN:VEVENT', `${own}\r\nBEGIN:VEVENT`))
    folder.save('iana', text.replaceAll('W. Europe Standard Time', 'Europe/Berlin'))
    for (let year = 2000; year <= 2050; year += 1) {
      const range = { query: 'e', from: `${year}-01-01`, to: `${year}-12-31` }
      const [ours, theirs] = [
        await find({ ...range, calendars: ['own'] }),
        await find({ ...range, calendars: ['iana'] }),
      ]
      expect(ours.events.map(({ start }) => start)).toEqual(theirs.events.map(({ start }) => start))
      expect(ours.count).toBeGreaterThanOrEqual(3)
    }
  })

  test('a Windows name that the file does not define is refused, and harmless where the event is long past', async () => {
    folder.save(
      'c',
      calendarOf(['DTSTART;TZID=W. Europe Standard Time:20261121T090000', 'SUMMARY:secret']),
    )
    const failure = await failureOf(list({ day: 'today' }))
    expect([failure.code, failure.retry]).toEqual(['CORRUPT_DATA', 'final'])
    expect(failure.message).toContain('calendar c')
    expect(failure.message).not.toContain('secret')
    expect((await list({ day: '2026-12-21' })).count).toBe(0)
  })

  test('argument, folder, calendar and UTC decide in this order whose day it is', async () => {
    const text = calendarOf(
      ['DTSTART:20261121T090000', 'SUMMARY:floats'],
      ['DTSTART;VALUE=DATE:20261121', 'SUMMARY:day'],
    )
    folder.save('c', text)
    const zoneNow = async (args: object = {}) => {
      const { timeZone, events } = await list({ day: '2026-11-21', ...args })
      // A floating time is nine o'clock wherever one is.
      expect(events.map(({ startLocal }) => startLocal)).toEqual(['all day', '09:00'])
      return [timeZone, events[1]?.start.slice(19)]
    }
    expect(await zoneNow()).toEqual(['UTC', '+00:00'])
    folder.save('c', text.replace('VERSION:2.0', 'VERSION:2.0\r\nX-WR-TIMEZONE:Asia/Tokyo'))
    expect(await zoneNow()).toEqual(['Asia/Tokyo', '+09:00'])
    folder.save('timezone', 'America/New_York\n')
    expect(await zoneNow()).toEqual(['America/New_York', '-05:00'])
    expect(await zoneNow({ timeZone: 'Europe/Vienna' })).toEqual(['Europe/Vienna', '+01:00'])
    expect((await failureOf(list({ day: 'today', timeZone: 'Europe/Wien' }))).code).toBe(
      'INVALID_INPUT',
    )
    folder.save('timezone', 'W. Europe Standard Time\n')
    expect((await failureOf(list({ day: 'today' }))).code).toBe('CORRUPT_DATA')
  })

  test("today is the viewer's today, not the machine's", async () => {
    folder.now = Date.parse('2026-11-21T23:30:00Z')
    folder.save('c', calendarOf(['DTSTART:20261122T090000Z', 'SUMMARY:e']))
    expect(await list({ day: 'today', timeZone: 'Europe/Vienna' })).toMatchObject({
      day: '2026-11-22',
      count: 1,
    })
    expect(await list({ day: 'today' })).toMatchObject({ day: '2026-11-21', count: 0 })
  })
})
