// What the calendar agent declares: its actions on ICS files, one `<name>.ics` a calendar, and on the
// calendars of a CalDAV server, of which it keeps a copy beside them: reads are answered from the copy
// and ask nobody, `sync` renews it, writes go to the server. Data and zod only. Ranges are end-exclusive
// everywhere; a time without an offset is wall-clock time in the zone that applies (argument, then folder,
// then calendar, then UTC: folder.ts).

import { z } from 'zod'
import { defineManifest } from '../../plan/manifest.ts'
import {
  counted,
  davCollections,
  davEgress,
  davSync,
  davWrite,
  syncCounts,
} from '../dav/declaration.ts'
import { common, reads } from './declared-reads.ts'
import {
  address,
  calendarName,
  description,
  dryRun,
  etag,
  location,
  minutes,
  moment,
  recurrenceId,
  reverted,
  scope,
  summary,
  uid,
  written,
  writtenQuotes,
  zoneName,
} from './event-shapes.ts'

/** Where the folder of calendars is mounted in the sandbox. */
export const calendarsAt = '/data/calendars'

/** What every write has in common. */
const onServer = {
  ...common,
  ...davWrite,
  output: written,
  quotes: writtenQuotes,
  maxResultBytes: 64 * 1024,
} as const

const revertThis = {
  action: 'revert',
  args: { calendar: { $args: '/calendar' }, change: { $idem: true } },
} as const

/** Which event. Apart from `asSeen`, because people read arguments in this order: which, what, as seen. */
const target = {
  calendar: calendarName,
  uid,
  recurrenceId: recurrenceId.nullable().optional(),
  scope,
} as const
const targetRoles = {
  '/calendar': 'control',
  '/uid': 'opaque',
  '/recurrenceId': 'opaque',
  '/scope': 'control',
} as const

const asSeen = { ifMatch: etag, dryRun } as const
const asSeenRoles = { '/ifMatch': 'opaque', '/dryRun': 'control' } as const

/** What update and reschedule have in common. */
const changed = {
  ...onServer,
  input: z.strictObject({
    ...target,
    patch: z.strictObject({
      summary: summary.optional(),
      start: moment.optional(),
      end: moment.optional(),
      location: location.nullable().optional(),
      description: description.nullable().optional(),
    }),
    ...asSeen,
  }),
  roles: {
    ...targetRoles,
    '/patch/summary': 'content',
    '/patch/start': 'control',
    '/patch/end': 'control',
    '/patch/location': 'content',
    '/patch/description': 'content',
    ...asSeenRoles,
  },
  undo: revertThis,
} as const

/** And delete and cancel. */
const deleted = {
  ...onServer,
  input: z.strictObject({ ...target, ...asSeen }),
  roles: { ...targetRoles, ...asSeenRoles },
  undo: 'none',
} as const

const writes = {
  create: {
    ...onServer,
    effect: 'write',
    summary: 'a new event, alone or repeated',
    input: z.strictObject({
      calendar: calendarName,
      summary,
      start: moment,
      end: moment.optional(),
      durationMinutes: minutes.optional(),
      allDay: z.boolean().default(false),
      timeZone: zoneName.optional(),
      rrule: z.string().min(1).max(500).optional(),
      location: location.optional(),
      description: description.optional(),
      dryRun,
    }),
    roles: {
      '/calendar': 'control',
      '/summary': 'content',
      '/start': 'control',
      '/end': 'control',
      '/durationMinutes': 'control',
      '/allDay': 'control',
      '/timeZone': 'control',
      '/rrule': 'control',
      '/location': 'content',
      '/description': 'content',
      '/dryRun': 'control',
    },
    undo: revertThis,
  },
  update: {
    ...changed,
    effect: 'write',
    summary:
      'a change of one event, of one instance of a series, or of the whole series; not of one with guests on a server',
  },
  /** As `respond`: the guests are mailed by a server that schedules by itself, and mailed again by the undo. */
  reschedule: {
    ...changed,
    effect: 'irreversible',
    touches: ['mail'],
    summary: 'update of an event with guests; the server may mail them',
  },
  delete: {
    ...deleted,
    effect: 'irreversible',
    touches: ['deletion'],
    summary:
      'an event, one instance of a series, or the whole series, gone; not of one with guests on a server',
  },
  cancel: {
    ...deleted,
    effect: 'irreversible',
    touches: ['deletion', 'mail'],
    summary: 'delete of an event with guests; the server may mail them that it is off',
  },
  /**
   * A server that schedules by itself mails the organiser (RFC 6638), and the undo mails them again: nobody
   * can take back that they were told, whether or not this server does.
   */
  respond: {
    ...onServer,
    effect: 'irreversible',
    touches: ['mail'],
    summary: 'the answer to an invitation; the server may mail the organiser',
    input: z.strictObject({
      ...target,
      /** Under which the person was invited. */
      as: address,
      response: z.enum(['accepted', 'declined', 'tentative']),
      ...asSeen,
    }),
    roles: { ...targetRoles, '/as': 'control', '/response': 'control', ...asSeenRoles },
    undo: revertThis,
  },
  revert: {
    ...onServer,
    effect: 'write',
    summary:
      'the undo of create, update, reschedule and respond: the event as it was before that change',
    input: z.strictObject({
      calendar: calendarName,
      /** The `idem` of the step that is taken back. */
      change: etag,
      dryRun,
    }),
    output: reverted,
    roles: { '/calendar': 'control', '/change': 'opaque', '/dryRun': 'control' },
    undo: 'none',
  },
} as const

const sync = {
  ...davSync,
  summary: 'brings the copy of the calendars on the server up to date; what changed is fetched',
  output: z.strictObject({
    calendars: z.array(z.strictObject({ name: z.string(), events: counted, ...syncCounts })),
    /** Calendars that the server has no more. */
    gone: z.array(z.string()),
  }),
  quotes: ['/calendars', '/gone'],
} as const

const collections = {
  ...davCollections,
  summary: 'names of the calendars that the server has; nothing of them is fetched',
} as const

export const manifest = defineManifest({
  name: 'calendar',
  summary: 'reads and changes calendars: ICS files in one folder, and those of a CalDAV server',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'data',
  perUser: false,
  mounts: [{ from: { config: 'calendar.folder' }, at: calendarsAt, mode: 'rw' }],
  egress: davEgress('calendar'),
  actions: { ...reads, ...writes, sync, collections },
})
