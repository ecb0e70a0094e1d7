// Calls of every action of the calendar, for `bulkhead agent check`.

import type { AgentExamples, EarlierCall, SeenWorld } from '../check/examples-contract.ts'
import { hiddenFolder } from '../data-folder.ts'
import { caldav, caldavWrite } from '../dav/declaration.ts'
import { exampleDav, exampleOrigin } from '../dav/example-server.ts'
import { calendarsAt, manifest } from './manifest.ts'

/** A series over the change of the clocks, one event of a day, one without a zone. */
const home = [
  'BEGIN:VCALENDAR',
  'VERSION:2.0',
  'PRODID:-//example//example',
  'BEGIN:VEVENT',
  'UID:choir@example.org',
  'DTSTAMP:20261001T000000Z',
  'DTSTART;TZID=Europe/Vienna:20261006T190000',
  'DTEND;TZID=Europe/Vienna:20261006T203000',
  'RRULE:FREQ=WEEKLY;COUNT=20',
  'SUMMARY:Choir',
  'END:VEVENT',
  'BEGIN:VEVENT',
  'UID:birthday@example.org',
  'DTSTAMP:20261001T000000Z',
  'DTSTART;VALUE=DATE:20261124',
  'SUMMARY:Birthday of a friend',
  'END:VEVENT',
  'BEGIN:VEVENT',
  'UID:run@example.org',
  'DTSTAMP:20261001T000000Z',
  'DTSTART:20261122T070000',
  'DURATION:PT1H',
  'SUMMARY:Run',
  'LOCATION:Lake',
  'END:VEVENT',
  'BEGIN:VEVENT',
  'UID:party@example.org',
  'DTSTAMP:20261001T000000Z',
  'DTSTART:20261204T190000',
  'DURATION:PT4H',
  'SUMMARY:Party',
  'ORGANIZER:mailto:bob@example.org',
  'ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:anna@example.org',
  'END:VEVENT',
  'END:VCALENDAR',
  '',
].join('\r\n')

const create = {
  calendar: 'home',
  summary: 'Dentist',
  start: '2026-11-23T09:00',
  durationMinutes: 30,
}
const createFirst = [{ action: 'create', args: create }] as const

/** Of the event that `createFirst` made. */
function made([earlier]: readonly EarlierCall[]) {
  const { uid, etag } = manifest.actions.create.output.parse(earlier?.result)
  return { calendar: 'home', uid, scope: 'all', ifMatch: etag }
}

const findParty = { at: '2026-12-04T19:00' }
/** What was found by the step before. */
function party([earlier]: readonly EarlierCall[], calendar: string) {
  const { event } = manifest.actions.find.output.parse(earlier?.result)
  const { uid, etag: ifMatch } = event ?? { uid: '', etag: '' }
  return { calendar, uid, scope: 'this', ifMatch }
}
function answer(earlier: readonly EarlierCall[], calendar: string) {
  return { ...party(earlier, calendar), as: 'anna@example.org', response: 'declined' }
}
function later(earlier: readonly EarlierCall[], calendar: string) {
  return { ...party(earlier, calendar), patch: { start: '2026-12-05T19:00' } }
}
const foundParty = [{ action: 'find', args: findParty }] as const

const onServer = { ...create, calendar: 'Server' }
const synced = [{ action: 'sync', args: {} }] as const
const foundPartyThere = [...synced, ...foundParty] as const
const createdThere = [...synced, { action: 'create', args: onServer }] as const
function madeThere([, earlier]: readonly EarlierCall[]) {
  return { ...made(earlier === undefined ? [] : [earlier]), calendar: 'Server' }
}

/** The journal of changes stays when a change is taken back. */
function calendarsIn({ files }: SeenWorld): unknown {
  const visible = [...files].filter(([path]) => !path.includes(`/${hiddenFolder}/`))
  return visible.map(([path, bytes]) => [path, bytes.toString('latin1')])
}

/** What comes in an XML answer has lost the line break at its end. */
function textsOn({ servers }: SeenWorld): unknown {
  return Object.entries(Object(servers)).map(([path, text]) => [path, String(text).trimEnd()])
}

export const examples: AgentExamples = {
  worlds: [
    {
      name: 'folder',
      now: '2026-11-21T08:00:00Z',
      folders: { [calendarsAt]: { 'home.ics': home, timezone: 'Europe/Vienna\n' } },
      restored: calendarsIn,
      calls: {
        list: [
          { args: { day: 'today', days: 7 } },
          { args: { day: '2026-11-24', calendars: ['nowhere'] }, fails: 'NOT_FOUND' },
        ],
        search: [{ args: { query: 'choir', from: '2026-10-01', to: '2026-12-01' } }],
        find: [
          { args: { at: '2026-11-24T19:30', with: 'choir' } },
          { args: { at: '2026-11-24' } },
          { args: { at: '2026-11-25', with: 'choir' } },
          { args: { at: '2026-11-25', calendars: ['nowhere'] }, fails: 'NOT_FOUND' },
        ],
        find_free: [
          {
            args: {
              from: '2026-11-23',
              to: '2026-11-25',
              durationMinutes: 60,
              workHours: { start: '09:00', end: '17:00' },
            },
          },
        ],
        create: [{ args: create }],
        update: [
          {
            before: createFirst,
            args: (earlier) => ({ ...made(earlier), patch: { summary: 'Dentist, upstairs' } }),
          },
        ],
        reschedule: [{ before: foundParty, args: (earlier) => later(earlier, 'home') }],
        delete: [{ before: createFirst, args: made }],
        cancel: [{ before: foundParty, args: (earlier) => party(earlier, 'home') }],
        respond: [
          { before: foundParty, args: (earlier) => answer(earlier, 'home') },
          {
            before: foundParty,
            args: (earlier) => ({ ...answer(earlier, 'home'), as: 'eve@example.org' }),
            fails: 'NOT_FOUND',
          },
        ],
        revert: [
          {
            before: createFirst,
            args: (earlier) => ({ calendar: 'home', change: earlier[0]?.idem }),
          },
        ],
      },
    },
    {
      name: 'server',
      now: '2026-11-21T08:00:00Z',
      folders: { [calendarsAt]: { timezone: 'Europe/Vienna\n' } },
      origins: { [caldav]: [exampleOrigin], [caldavWrite]: [exampleOrigin] },
      servers: exampleDav({ home }),
      restored: textsOn,
      calls: {
        sync: [{ args: {} }],
        collections: [{ args: {} }],
        list: [{ before: synced, args: { day: 'today', days: 7 } }],
        create: [{ before: synced, args: onServer }],
        update: [
          {
            before: createdThere,
            args: (earlier) => ({ ...madeThere(earlier), patch: { location: 'Upstairs' } }),
          },
          {
            before: createdThere,
            args: (earlier) => ({
              ...madeThere(earlier),
              ifMatch: '0'.repeat(43),
              patch: { location: 'Upstairs' },
            }),
            fails: 'CONFLICT',
          },
          {
            before: foundPartyThere,
            args: ([, ...earlier]) => later(earlier, 'Server'),
            fails: 'TELLS_OTHERS',
          },
        ],
        reschedule: [
          { before: foundPartyThere, args: ([, ...earlier]) => later(earlier, 'Server') },
        ],
        delete: [
          { before: createdThere, args: madeThere },
          {
            before: foundPartyThere,
            args: ([, ...earlier]) => party(earlier, 'Server'),
            fails: 'TELLS_OTHERS',
          },
        ],
        cancel: [{ before: foundPartyThere, args: ([, ...earlier]) => party(earlier, 'Server') }],
        respond: [
          {
            before: foundPartyThere,
            args: ([, ...earlier]) => answer(earlier, 'Server'),
          },
        ],
        revert: [
          {
            before: createdThere,
            args: (earlier) => ({ calendar: 'Server', change: earlier[1]?.idem }),
          },
        ],
      },
    },
  ],
}
