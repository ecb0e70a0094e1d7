// Calendars on a real CalDAV server: what it holds is read from a copy, what is written is conditional
// on what was read, and every write is shown before and after, tried dry, and taken back.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { agent } from '../../agents/calendar/agent.ts'
import { manifest } from '../../agents/calendar/manifest.ts'
import { failureOf, idemOf } from '../agents/action-context.ts'
import { calendarOf, vienna } from '../agents/calendar-folder.ts'
import { callsOf } from '../support/dav-agent.ts'
import { installed, installTimeoutMs } from '../support/installed.ts'
import { Radicale } from '../support/radicale.ts'

const program = await installed('radicale')
if ('version' in program) console.info(`radicale ${program.version}`)
const missing = 'missing' in program ? program.missing : undefined

let server: Radicale
let folder: string
beforeEach(async () => {
  if ('missing' in program) return
  server = await Radicale.start(program)
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-caldav-'))
  writeFileSync(join(folder, 'timezone'), 'Europe/Vienna\n')
  await server.collection('/anna/home/', 'Home', 'VEVENT')
})
afterEach(async () => {
  if (missing !== undefined) return
  await server.stop()
  rmSync(folder, { recursive: true })
})

const run = callsOf(agent, manifest, () => ({ server, folder }))

const place = (name: string) => `/anna/home/${name}.ics`
async function save(name: string, ...events: string[][]): Promise<void> {
  const status = await server.send('PUT', place(name), {
    body: calendarOf(...events),
    headers: { 'content-type': 'text/calendar' },
  })
  expect(status).toBe(201)
}
const dentist = [
  'UID:dentist',
  vienna('DTSTART', '20261123T100000'),
  'DURATION:PT1H',
  'SUMMARY:Dentist',
  'X-COLOR:red',
]

const sorted = (text: string) => text.split(/\r?\n/).sort()

describe.skipIf(missing !== undefined)(
  `a calendar on a server${missing === undefined ? '' : ` (${missing})`}`,
  { timeout: installTimeoutMs },
  () => {
    test('is read from a copy, which a sync renews by what has changed', async () => {
      await save('dentist', dentist)
      expect(await run('sync', {})).toEqual({
        calendars: [{ name: 'Home', events: 1, changed: 1, removed: 0, unreadable: 0, pending: 0 }],
        gone: [],
      })
      const asked = server.asked.length
      const { events, syncedAt } = await run('list', { day: '2026-11-23' })
      expect(events.map(({ summary, calendar }) => [summary, calendar])).toEqual([
        ['Dentist', 'Home'],
      ])
      expect(syncedAt).toBe('2026-11-21T09:00:00+01:00')
      expect(server.asked.length).toBe(asked)
      await save('second', ['UID:second', vienna('DTSTART', '20261123T120000'), 'SUMMARY:Second'])
      expect((await run('sync', {})).calendars).toMatchObject([{ events: 2, changed: 1 }])
      await server.send('DELETE', place('dentist'))
      expect((await run('sync', {})).calendars).toMatchObject([
        { events: 1, changed: 0, removed: 1 },
      ])
      const before = server.asked.length
      expect((await run('sync', {})).calendars).toMatchObject([
        { events: 1, changed: 0, removed: 0 },
      ])
      expect(server.asked.slice(before).some((line) => line.startsWith('REPORT'))).toBe(false)
      await server.send('DELETE', '/anna/home/')
      expect(await run('sync', {})).toEqual({ calendars: [], gone: ['Home'] })
      expect((await run('list', { day: '2026-11-23' })).events).toEqual([])
    })

    test('keeps a series at its hour over both changes of the clocks, its override and its exception', async () => {
      await save(
        'series',
        [
          'UID:series',
          vienna('DTSTART', '20260322T083000'),
          'DURATION:PT30M',
          'RRULE:FREQ=WEEKLY',
          vienna('EXDATE', '20260405T083000'),
          'SUMMARY:Run',
        ],
        [
          'UID:series',
          vienna('RECURRENCE-ID', '20261025T083000'),
          vienna('DTSTART', '20261025T100000'),
          'DURATION:PT30M',
          'SUMMARY:Run late',
        ],
      )
      await run('sync', {})
      const starts = async (day: string) =>
        (await run('list', { day, days: 16 })).events.map(
          ({ start, summary }) => `${start} ${summary}`,
        )
      expect(await starts('2026-03-22')).toEqual([
        '2026-03-22T08:30:00+01:00 Run',
        '2026-03-29T08:30:00+02:00 Run',
      ])
      expect(await starts('2026-10-18')).toEqual([
        '2026-10-18T08:30:00+02:00 Run',
        '2026-10-25T10:00:00+01:00 Run late',
        '2026-11-01T08:30:00+01:00 Run',
      ])
    })

    test('shows each write before and after, tries it dry, makes it once, takes it back', async () => {
      await save('dentist', dentist)
      await run('sync', {})
      const [event] = (await run('list', { day: '2026-11-23' })).events
      const given = await server.text(place('dentist'))
      const args = {
        calendar: 'Home',
        uid: 'dentist',
        scope: 'all',
        ifMatch: event?.etag,
        patch: { summary: 'Dentist, moved', start: '2026-11-23T15:00' },
      }
      const dry = await run('update', { ...args, dryRun: true }, idemOf('dry'))
      expect(dry).toMatchObject({
        before: { summary: 'Dentist', start: '2026-11-23T10:00:00+01:00' },
        after: { summary: 'Dentist, moved', start: '2026-11-23T15:00:00+01:00' },
      })
      expect(await server.text(place('dentist'))).toBe(given)
      const made = await run('update', args)
      expect(made).toEqual(dry)
      const changed = await server.text(place('dentist'))
      expect(changed).toContain('SUMMARY:Dentist\\, moved')
      expect(changed).toContain('X-COLOR:red')
      const asked = server.asked.length
      expect(await run('update', args)).toEqual(made)
      expect(server.asked.length).toBe(asked)
      const undo = { calendar: 'Home', change: idemOf('update') }
      expect(await run('revert', { ...undo, dryRun: true })).toMatchObject({ outcome: 'reverted' })
      expect(await server.text(place('dentist'))).toBe(changed)
      expect(await run('revert', undo)).toMatchObject({ outcome: 'reverted', uid: 'dentist' })
      expect(sorted(await server.text(place('dentist')))).toEqual(sorted(given))
      expect((await run('list', { day: '2026-11-23' })).events[0]?.summary).toBe('Dentist')
    })

    test('is told the answer to an invitation, on condition, and has it taken back', async () => {
      const invited = 'ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:anna@example.org'
      await save('talk', [
        ...['UID:talk', vienna('DTSTART', '20261124T150000'), 'DURATION:PT1H', 'SUMMARY:Talk'],
        ...['ORGANIZER:mailto:bob@example.org', invited],
      ])
      await run('sync', {})
      const given = await server.text(place('talk'))
      const { event } = await run('find', { at: '2026-11-24T15:00' })
      const args = {
        ...{ calendar: 'Home', uid: 'talk', scope: 'this', ifMatch: event?.etag },
        ...{ as: 'anna@example.org', response: 'tentative' },
      }
      expect(await run('respond', args)).toMatchObject({
        before: { organizer: 'bob@example.org', response: 'needs-action' },
        after: { response: 'tentative' },
      })
      expect(await server.text(place('talk'))).toContain('PARTSTAT=TENTATIVE')
      const again = run('respond', { ...args, response: 'declined' }, idemOf('stale'))
      expect(await failureOf(again)).toMatchObject({ code: 'CONFLICT', retry: 'ask' })
      const undo = { calendar: 'Home', change: idemOf('respond') }
      const undone = await run('revert', undo, idemOf('undo'), 'undo')
      expect(undone).toMatchObject({ outcome: 'reverted', after: { response: 'needs-action' } })
      expect(sorted(await server.text(place('talk')))).toEqual(sorted(given))
    })

    test('has an event with guests changed and deleted by what a person is asked about alone', async () => {
      const invited = 'ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.org'
      await save('talk', [
        ...['UID:talk', vienna('DTSTART', '20261124T150000'), 'DURATION:PT1H', 'SUMMARY:Talk'],
        ...['ORGANIZER:mailto:anna@example.org', invited],
      ])
      await run('sync', {})
      const given = await server.text(place('talk'))
      const { event, guests } = await run('find', { at: '2026-11-24T15:00', with: 'bob' })
      const target = { calendar: 'Home', uid: 'talk', scope: 'this', ifMatch: event?.etag }
      const args = { ...target, patch: { start: '2026-11-27T15:00' } }
      const asked = server.asked.length
      const told = { code: 'TELLS_OTHERS', retry: 'ask' }
      expect(await failureOf(run('update', args))).toMatchObject(told)
      expect(await failureOf(run('delete', target))).toMatchObject(told)
      expect([guests, server.asked.slice(asked)]).toEqual([1, []])
      const moved = await run('reschedule', args)
      expect(moved.after?.start).toBe('2026-11-27T15:00:00+01:00')
      const text = await server.text(place('talk'))
      expect(text).toContain('20261127T150000')
      expect(text).toContain(invited)
      const undo = { calendar: 'Home', change: idemOf('reschedule') }
      expect(await failureOf(run('revert', undo))).toMatchObject(told)
      await run('revert', undo, idemOf('undo'), 'undo')
      expect(sorted(await server.text(place('talk')))).toEqual(sorted(given))
      const present = await run('find', { at: '2026-11-24T15:00' })
      await run('cancel', { ...target, ifMatch: present.event?.etag })
      expect(await server.text(place('talk'))).toBe('')
    })

    test('does not overwrite what somebody else has changed since it was read', async () => {
      await save('dentist', dentist)
      await run('sync', {})
      const [event] = (await run('list', { day: '2026-11-23' })).events
      const other = calendarOf([...dentist.slice(0, 3), 'SUMMARY:By somebody else'])
      await server.send('PUT', place('dentist'), { body: other })
      const target = { calendar: 'Home', uid: 'dentist', scope: 'all', ifMatch: event?.etag }
      const args = { ...target, patch: { summary: 'Mine' } }
      for (const name of ['first', 'again']) {
        expect(await failureOf(run('update', args, idemOf(name)))).toMatchObject({
          code: 'CONFLICT',
          retry: 'ask',
        })
      }
      expect((await failureOf(run('delete', target))).code).toBe('CONFLICT')
      expect(await server.text(place('dentist'))).toContain('By somebody else')
      expect(await run('revert', { calendar: 'Home', change: idemOf('first') })).toEqual({
        calendar: 'Home',
        uid: null,
        outcome: 'not-applied',
        before: null,
        after: null,
      })
      await run('sync', {})
      expect((await failureOf(run('update', args, idemOf('old')))).code).toBe('CONFLICT')
      const [fresh] = (await run('list', { day: '2026-11-23' })).events
      await run('update', { ...args, ifMatch: fresh?.etag }, idemOf('new'))
      expect(await server.text(place('dentist'))).toContain('SUMMARY:Mine')
    })

    test('gets a new event once, even when nobody heard that it was made; the undo takes it away', async () => {
      await run('sync', {})
      const when = { start: '2026-11-24T16:00', durationMinutes: 30 }
      const args = { calendar: 'Home', summary: 'Tea', ...when }
      const made = await run('create', args)
      const url = place(`${idemOf('create')}-bulkhead`)
      expect(await server.text(url)).toContain('SUMMARY:Tea')
      const entry = join(folder, '.bulkhead', `change-${idemOf('create')}.json`)
      writeFileSync(entry, readFileSync(entry, 'utf8').replace('"applied":true', '"applied":false'))
      expect(await run('create', args)).toEqual(made)
      expect((await run('sync', {})).calendars).toMatchObject([{ events: 1, changed: 0 }])
      const undo = { calendar: 'Home', change: idemOf('create') }
      expect(await run('revert', undo)).toMatchObject({ outcome: 'reverted' })
      expect(await server.text(url)).toBe('')
      expect(await run('revert', undo)).toMatchObject({ outcome: 'reverted' })
      expect((await run('list', { day: '2026-11-24' })).events).toEqual([])
    })

    test('is not taken back to what it was when somebody changed it after us', async () => {
      await run('sync', {})
      const when = { start: '2026-11-24T16:00', durationMinutes: 30 }
      await run('create', { calendar: 'Home', summary: 'Tea', ...when })
      const url = place(`${idemOf('create')}-bulkhead`)
      const text = await server.text(url)
      await server.send('PUT', url, { body: text.replace('SUMMARY:Tea', 'SUMMARY:Coffee') })
      const undo = { calendar: 'Home', change: idemOf('create') }
      expect((await failureOf(run('revert', undo))).code).toBe('CONFLICT')
      expect(await server.text(url)).toContain('Coffee')
    })

    test('loses one instance of a series and no other, then the rest', async () => {
      await save('series', [
        'UID:series',
        vienna('DTSTART', '20261123T083000'),
        'DURATION:PT30M',
        'RRULE:FREQ=DAILY;COUNT=3',
        'SUMMARY:Run',
      ])
      await run('sync', {})
      const [, second] = (await run('list', { day: '2026-11-23', days: 5 })).events
      const { uid, etag: ifMatch, recurrenceId } = second ?? {}
      const target = { calendar: 'Home', uid, recurrenceId, ifMatch, scope: 'this' }
      const gone = await run('delete', target)
      expect(gone).toMatchObject({ before: { start: '2026-11-24T08:30:00+01:00' }, after: null })
      await run('sync', {})
      const { events } = await run('list', { day: '2026-11-23', days: 5 })
      expect(events.map(({ start }) => start.slice(0, 10))).toEqual(['2026-11-23', '2026-11-25'])
      const rest = { calendar: 'Home', uid, ifMatch: events[0]?.etag, scope: 'all' }
      await run('delete', rest, idemOf('rest'))
      expect(await server.text(place('series'))).toBe('')
    })

    test('that holds an event nobody can read leaves the others readable, and counts it', async () => {
      await save('dentist', dentist)
      const range = 'RECURRENCE-ID;RANGE=THISANDFUTURE:20261123T090000Z'
      await save('odd', ['UID:odd', 'DTSTART:20261123T090000Z', range, 'SUMMARY:Odd'])
      expect((await run('sync', {})).calendars).toMatchObject([{ events: 1, unreadable: 1 }])
      expect((await run('list', { day: '2026-11-23' })).events).toHaveLength(1)
    })

    test('with the name of a file of the folder leaves that name to the file', async () => {
      const own = ['UID:own', vienna('DTSTART', '20261123T080000'), 'SUMMARY:Own']
      writeFileSync(join(folder, 'Home.ics'), calendarOf(own))
      await save('dentist', dentist)
      await run('sync', {})
      const { events } = await run('list', { day: '2026-11-23' })
      expect(events.map(({ summary, calendar }) => [summary, calendar])).toEqual([
        ['Own', 'Home'],
        ['Dentist', 'Home (server)'],
      ])
    })
  },
)
