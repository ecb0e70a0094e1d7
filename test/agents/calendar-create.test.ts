// New events: made once, understood by another reader, and never more than one event.

import { readdirSync } from 'node:fs'
import fc from 'fast-check'
import ical from 'node-ical'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { failureOf, idemOf } from './action-context.ts'
import { ChangedFolder, original } from './calendar-changes.ts'

let folder: ChangedFolder
beforeEach(() => {
  folder = new ChangedFolder()
})
afterEach(() => folder.remove())

describe('create', () => {
  test('writes an event that another reader understands, and leaves the rest as it was', async () => {
    const result = await folder.create({ location: 'Room 1; upstairs', description: 'a\nb\\c' })
    expect(result).toMatchObject({
      uid: `${idemOf('one')}@bulkhead`,
      calendar: 'work',
      before: null,
      after: {
        summary: 'Meeting',
        start: '2026-11-24T10:00:00+01:00',
        end: '2026-11-24T10:45:00+01:00',
        timeZone: 'Europe/Vienna',
        rrule: null,
      },
    })
    const text = folder.text('work')
    const event = ical.sync.parseICS(text)[result.uid]
    expect(event).toMatchObject({
      summary: 'Meeting',
      location: 'Room 1; upstairs',
      description: 'a\nb\\c',
    })
    expect(event?.type === 'VEVENT' && event.start.toISOString()).toBe('2026-11-24T09:00:00.000Z')
    expect(text.replace(/BEGIN:VEVENT\r\nUID:[^@]*@bulkhead[\s\S]*?END:VEVENT\r\n/, '')).toBe(
      original,
    )
    expect((await folder.find('Meeting')).events[0]?.etag).toBe(result.etag)
  })

  test('makes one event, however often the command comes', async () => {
    const first = await folder.create()
    const written = folder.text('work')
    expect(await folder.create()).toEqual(first)
    expect(folder.text('work')).toBe(written)
    await folder.create({}, idemOf('two'))
    expect((await folder.find('Meeting')).count).toBe(2)
  })

  test('is finished after a crash, wherever it happened', async () => {
    const first = await folder.create()
    const written = folder.text('work')
    folder.forgetApplied(idemOf('one'))
    expect(await folder.create()).toEqual(first)
    expect(folder.text('work')).toBe(written)
    folder.forgetApplied(idemOf('one'))
    folder.save('work', original)
    expect(await folder.create()).toEqual(first)
    expect(folder.text('work')).toBe(written)
  })

  test('is not made again where a person has changed or deleted the event since', async () => {
    const first = await folder.create()
    folder.save('work', original)
    expect(await folder.create()).toEqual(first)
    expect(folder.text('work')).toBe(original)
  })

  test('asks a person when it cannot tell whether it happened', async () => {
    await folder.create()
    folder.forgetApplied(idemOf('one'))
    folder.save('work', folder.text('work').replace('SUMMARY:Meeting', 'SUMMARY:Changed'))
    const failure = await failureOf(folder.create())
    expect([failure.code, failure.retry]).toEqual(['CONFLICT', 'ask'])
  })

  test('a dry run gives the same result and changes nothing', async () => {
    const dry = await folder.create({ dryRun: true })
    expect(folder.text('work')).toBe(original)
    expect(new Set(readdirSync(folder.path))).toEqual(new Set(['timezone', 'work.ics']))
    expect(await folder.create()).toEqual(dry)
  })

  test('takes whole days, series, other zones and UTC', async () => {
    await folder.create(
      { summary: 'A', start: '2026-12-05', durationMinutes: undefined, allDay: true },
      idemOf('a'),
    )
    await folder.create({ summary: 'B', rrule: 'FREQ=WEEKLY;BYDAY=TU;COUNT=3' }, idemOf('b'))
    await folder.create({ summary: 'C', timeZone: 'America/New_York' }, idemOf('c'))
    await folder.create(
      {
        summary: 'D',
        start: '2026-11-24T10:00Z',
        end: '2026-11-24T12:00:00+01:00',
        durationMinutes: undefined,
        timeZone: 'UTC',
      },
      idemOf('d'),
    )
    const shown = async (query: string) =>
      (await folder.find(query)).events
        .filter(({ summary }) => summary === query)
        .map(({ start, end, timeZone }) => [start, end, timeZone])
    expect(await shown('A')).toEqual([['2026-12-05', '2026-12-06', 'Europe/Vienna']])
    expect((await shown('B')).map(([start]) => start?.slice(5, 16))).toEqual([
      '11-24T10:00',
      '12-01T10:00',
      '12-08T10:00',
    ])
    expect(await shown('C')).toEqual([
      ['2026-11-24T16:00:00+01:00', '2026-11-24T16:45:00+01:00', 'America/New_York'],
    ])
    expect(await shown('D')).toEqual([
      ['2026-11-24T11:00:00+01:00', '2026-11-24T12:00:00+01:00', 'UTC'],
    ])
  })

  test.each([
    [{ end: '2026-11-24T11:00' }],
    [{ durationMinutes: undefined }],
    [{ durationMinutes: undefined, end: '2026-11-24T09:00' }],
    [{ allDay: true }],
    [{ start: '2026-11-24' }],
    [{ start: '2026-02-30T10:00' }],
    [{ rrule: 'FREQ=WEEKLY;BYDAY=MO' }],
    [{ rrule: 'FREQ=SECONDLY' }],
    [{ rrule: 'nonsense' }],
    [{ rrule: 'FREQ=DAILY\r\nSUMMARY:x' }],
    [{ timeZone: 'Mars/Olympus' }],
  ])('%j is refused and changes nothing', async (args) => {
    expect((await failureOf(folder.create(args))).code).toBe('INVALID_INPUT')
    expect(folder.text('work')).toBe(original)
  })

  test('a calendar that is not there is not made', async () => {
    expect((await failureOf(folder.create({ calendar: 'wrok' }))).code).toBe('NOT_FOUND')
    expect(readdirSync(folder.path)).toHaveLength(2)
  })

  test('no text becomes more than the text of its property, and it is read back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }),
        fc.nat(),
        async (text, salt) => {
          folder.save('work', original)
          const hostile = `x${text}\r\nEND:VEVENT\nBEGIN:VEVENT;,\\${text}`
          const { uid } = await folder.create(
            { summary: hostile.slice(0, 500), description: hostile },
            idemOf(`${salt}${text}`),
          )
          const parsed = ical.sync.parseICS(folder.text('work'))
          const uids = Object.keys(parsed).filter((key) => key !== 'vcalendar')
          expect(new Set(uids)).toEqual(new Set(['dentist', 'trip', 'weekly', uid]))
          for (const line of folder.text('work').split('\r\n'))
            expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75)
          const event = await folder.run(
            'update',
            {
              calendar: 'work',
              uid,
              scope: 'all',
              patch: { location: 'x' },
              ifMatch: folder.etag(uid),
              dryRun: true,
            },
            idemOf('u'),
          )
          const kept = hostile
            .replace(/\r\n?/g, '\n')
            // biome-ignore lint/suspicious/noControlCharactersInRegex: what the agent removes
            .replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
          expect(event.before?.description).toBe(kept)
        },
      ),
      { numRuns: 60 },
    )
  })
})
