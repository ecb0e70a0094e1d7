// Files made to hurt: each ends in a typed failure that names the calendar and quotes nothing. That it
// ends soon is the runner's time limit: a machine's speed is not asserted. Kinds of hostile input that every
// parser is tried with are hostile.test.ts's.

import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ActionFailure } from '../../agents/define-agent.ts'
import { failureOf } from './action-context.ts'
import { CalendarFolder, calendarOf } from './calendar-folder.ts'

let folder: CalendarFolder
beforeEach(() => {
  folder = new CalendarFolder()
})
afterEach(() => folder.remove())

const list = () => folder.run('list', { day: '2026-11-21', days: 7 })

async function refused(text: string | Buffer): Promise<string> {
  folder.save('hostile', text)
  const failure = await failureOf(list())
  expect(failure.message).not.toContain('SECRET')
  expect(failure.retry).toBe('final')
  return failure.code
}
const event = (...lines: string[]) =>
  calendarOf(['DTSTART:20261121T090000Z', 'SUMMARY:SECRET', ...lines])

describe('a file that is refused', () => {
  test.each([
    ['not a calendar', 'SECRET'],
    ['empty', ''],
    ['cut off', event().slice(0, -20)],
    ['cut off in an event', event().slice(0, event().indexOf('END:VEVENT'))],
    ['closed twice', `${event()}END:VCALENDAR\r\n`],
    ['crossed', event().replace('END:VEVENT', 'END:VALARM')],
    ['a line without a colon', event('SECRET')],
    ['no start', event().replace('DTSTART', 'X-START')],
    ['a duration that is none', event('DURATION:P1Y')],
    [
      'an exception for all later ones',
      event('RECURRENCE-ID;RANGE=THISANDFUTURE:20261121T090000Z'),
    ],
    ['a rule that is none', event('RRULE:SECRET')],
    ['every second', event('RRULE:FREQ=SECONDLY')],
    ['by week number', event('RRULE:FREQ=YEARLY;BYWEEKNO=20')],
    ['a frequency from the prototype', event('RRULE:FREQ=constructor')],
    [
      'a date in a broken zone',
      event()
        .replace('DTSTART:20261121T090000Z', 'DTSTART;TZID=X:20261121T090000')
        .replace('BEGIN:VEVENT', 'BEGIN:VTIMEZONE\r\nTZID:X\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT'),
    ],
    [
      'a zone that changes each second',
      event()
        .replace('DTSTART:20261121T090000Z', 'DTSTART;TZID=X:20261121T090000')
        .replace(
          'BEGIN:VEVENT',
          'BEGIN:VTIMEZONE\r\nTZID:X\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0000\r\nTZOFFSETTO:+0100\r\nRRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT',
        ),
    ],
  ])('%s is CORRUPT_DATA', async (_, text) => {
    expect(await refused(text)).toBe('CORRUPT_DATA')
  })

  test.each([
    [
      'every hour for millennia, many times',
      () =>
        event(
          'RRULE:FREQ=HOURLY',
          ...Array.from({ length: 300 }, () => 'RRULE:FREQ=HOURLY'),
        ).replace('DTSTART:2026', 'DTSTART:0126'),
    ],
    [
      'days no month has, many times',
      () =>
        calendarOf(
          ...Array.from({ length: 5_000 }, () => [
            'DTSTART:19700101T090000Z',
            'RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
          ]),
        ),
    ],
  ])('%s is LIMIT_EXCEEDED', async (_, text) => {
    expect(await refused(text())).toBe('LIMIT_EXCEEDED')
  })
})

describe('a rule that no day satisfies', () => {
  test.each([
    'FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=31',
    'FREQ=YEARLY;BYMONTH=4;BYDAY=1MO;BYMONTHDAY=15',
    'FREQ=DAILY;INTERVAL=2000000000',
    'FREQ=WEEKLY;INTERVAL=2000000000',
    'FREQ=MONTHLY;BYDAY=5MO;BYMONTH=2;INTERVAL=99999',
    'FREQ=HOURLY;BYHOUR=5;BYMONTH=2;BYMONTHDAY=30',
    'FREQ=WEEKLY;BYMONTH=2;UNTIL=99991231',
  ])('%s ends', async (rule) => {
    folder.save('c', calendarOf(['DTSTART:19700102T090000Z', `RRULE:${rule}`, 'SUMMARY:e']))
    expect((await list()).count).toBe(0)
  })
})

describe('a folder that is refused', () => {
  test('a pipe does not make it wait, nor a folder with the name of a calendar', async () => {
    execFileSync('mkfifo', [join(folder.path, 'a.ics')])
    expect((await failureOf(list())).message).toBe('a.ics is not a regular file')
    expect((await failureOf(folder.run('list', { day: 'today', calendars: ['a'] }))).code).toBe(
      'CORRUPT_DATA',
    )
    mkdirSync(join(folder.path, 'b.ics'))
    expect((await failureOf(folder.run('list', { day: 'today', calendars: ['b'] }))).code).toBe(
      'CORRUPT_DATA',
    )
  })

  test('of ten thousand calendars one is read by its name', async () => {
    for (let index = 0; index < 10_000; index += 1) folder.save(`c${index}`, '')
    folder.save('mine', event())
    expect((await folder.run('list', { day: 'today', calendars: ['mine'] })).count).toBe(1)
  })

  test('calendars that are too large together are refused', async () => {
    const large = event(...Array.from({ length: 900 }, () => `X-A:${'a'.repeat(8_000)}`))
    for (const name of ['a', 'b', 'c', 'd', 'e']) folder.save(name, large)
    expect((await failureOf(list())).code).toBe('LIMIT_EXCEEDED')
  })
})

describe('other people’s oddities', () => {
  test('what the agent does not understand of an event is not even read', async () => {
    folder.save(
      'c',
      event(
        'ATTACH;ENCODING=BASE64:===',
        'X-Y;=:',
        'GEO:a',
        'ATTENDEE;CN="a:b;c":mailto:x',
        'BEGIN:VALARM',
        'TRIGGER:nonsense',
        'DTSTART:nonsense',
        'END:VALARM',
      ),
    )
    expect((await list()).count).toBe(1)
  })

  test('any damage to a file gives events or a typed failure', async () => {
    const good = event(
      'RRULE:FREQ=WEEKLY;BYDAY=SA',
      'EXDATE:20261128T090000Z',
      'LOCATION:a\\, b',
      'DESCRIPTION:x\r\n y',
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            at: fc.nat(good.length),
            remove: fc.nat(8),
            text: fc.constantFrom(
              '',
              '\r\n',
              ':',
              ';',
              '"',
              '=',
              'Z',
              '9',
              ' ',
              'BEGIN:VEVENT\r\n',
              '\u{1f600}',
            ),
          }),
          { minLength: 1, maxLength: 4 },
        ),
        async (damages) => {
          let text = good
          for (const { at, remove, text: added } of damages)
            text = text.slice(0, at) + added + text.slice(at + remove)
          folder.save('c', text)
          try {
            await list()
          } catch (error) {
            expect(error).toBeInstanceOf(ActionFailure)
          }
        },
      ),
      { numRuns: 400 },
    )
  })
})
