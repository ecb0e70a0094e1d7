// Calls of every action of the reminders, for `bulkhead agent check`.

import type { AgentExamples, EarlierCall, SeenWorld } from '../check/examples-contract.ts'
import { hiddenFolder } from '../data-folder.ts'
import { caldav, caldavWrite } from '../dav/declaration.ts'
import { exampleDav, exampleOrigin } from '../dav/example-server.ts'
import { manifest, remindersAt } from './manifest.ts'

/** One with a time, one of a day that comes again, one that is done. */
const reminders = [
  'BEGIN:VCALENDAR',
  'VERSION:2.0',
  'PRODID:-//example//example',
  'BEGIN:VTODO',
  'UID:grandma@example.org',
  'DTSTAMP:20261101T000000Z',
  'DUE;TZID=Europe/Vienna:20261121T180000',
  'SUMMARY:Call Grandma',
  'END:VTODO',
  'BEGIN:VTODO',
  'UID:plants@example.org',
  'DTSTAMP:20261101T000000Z',
  'DTSTART;VALUE=DATE:20261118',
  'DUE;VALUE=DATE:20261118',
  'RRULE:FREQ=WEEKLY',
  'SUMMARY:Water the plants',
  'END:VTODO',
  'BEGIN:VTODO',
  'UID:books@example.org',
  'DTSTAMP:20261101T000000Z',
  'SUMMARY:Return the books',
  'STATUS:COMPLETED',
  'COMPLETED:20261110T090000Z',
  'END:VTODO',
  'END:VCALENDAR',
  '',
].join('\r\n')

const now = '2026-11-21T08:00:00Z'
const bread = { title: 'Buy bread', due: '2026-11-21T17:00', timeZone: 'Europe/Vienna' }
const added = [{ action: 'add', args: bread }] as const
const timerSet = [{ action: 'timer_set', args: { minutes: 10, title: 'Tea' } }] as const
const synced = [{ action: 'sync', args: {} }] as const
const addedThere = [...synced, { action: 'add', args: { ...bread, list: 'Server' } }] as const

/** The reminder that the last of the earlier calls made. */
function made(earlier: readonly EarlierCall[]) {
  const { uid, etag, list } = manifest.actions.add.output.parse(earlier.at(-1)?.result)
  return { list, uid, ifMatch: etag }
}
function madeTimer(earlier: readonly EarlierCall[]) {
  const { uid, ifMatch } = made(earlier)
  return { uid, ifMatch }
}
const lastChange = (earlier: readonly EarlierCall[]) => ({ change: earlier.at(-1)?.idem })

/** What is to be done. The journal of changes stays, and so does a list that is empty again. */
function todosIn({ files }: SeenWorld): unknown {
  return [...files]
    .filter(([path]) => !path.includes(`/${hiddenFolder}/`))
    .map(([path, bytes]) => [path, bytes.toString('latin1')] as const)
    .filter(([, text]) => text.includes('BEGIN:VTODO'))
}

export const examples: AgentExamples = {
  worlds: [
    {
      name: 'folder',
      now,
      folders: { [remindersAt]: { 'reminders.ics': reminders, timezone: 'Europe/Vienna\n' } },
      restored: todosIn,
      calls: {
        list: [
          { args: {} },
          { args: { completed: true, dueBefore: '2026-11-22' } },
          { args: { lists: ['nowhere'] }, fails: 'NOT_FOUND' },
        ],
        add: [
          { args: bread },
          { args: { title: 'Rent', due: '2026-12-01', rrule: 'FREQ=MONTHLY', list: 'bills' } },
          { args: { title: 'Again', rrule: 'FREQ=DAILY' }, fails: 'INVALID_INPUT' },
        ],
        complete: [{ before: added, args: made }],
        snooze: [
          { before: added, args: (earlier) => ({ ...made(earlier), minutes: 30 }) },
          { before: added, args: made, fails: 'INVALID_INPUT' },
        ],
        timers: [{ before: timerSet, args: {} }],
        timer_set: [{ args: { minutes: 10, title: 'Tea' } }],
        timer_cancel: [{ before: timerSet, args: madeTimer }],
        revert: [
          { before: added, args: lastChange },
          { before: timerSet, args: lastChange },
        ],
      },
    },
    {
      name: 'server',
      now,
      folders: { [remindersAt]: { timezone: 'Europe/Vienna\n' } },
      origins: { [caldav]: [exampleOrigin], [caldavWrite]: [exampleOrigin] },
      servers: exampleDav({}),
      restored: ({ servers }) => servers,
      calls: {
        sync: [{ args: {} }],
        collections: [{ args: {} }],
        list: [{ before: addedThere, args: {} }],
        add: [{ before: synced, args: { ...bread, list: 'Server' } }],
        complete: [{ before: addedThere, args: made }],
        snooze: [
          { before: addedThere, args: (earlier) => ({ ...made(earlier), until: '2026-11-22' }) },
        ],
        revert: [{ before: addedThere, args: lastChange }],
      },
    },
  ],
}
