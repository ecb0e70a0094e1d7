// What the calendar agent declares: its actions on ICS files, one `<name>.ics` a calendar. Data and
// zod only. Ranges are end-exclusive everywhere; a time without an offset is wall-clock time in the
// zone that applies (argument, then folder, then calendar, then UTC: zones.ts).

import { z } from 'zod'
import { defineManifest } from '../../plan/manifest.ts'
import { fileStemPattern } from '../file-stem.ts'

/** Where the folder of calendars is mounted in the sandbox. */
export const calendarsAt = '/data/calendars'

/** The file's name without `.ics`. */
const calendarName = z.string().min(1).max(100).regex(fileStemPattern)
const calendarNames = z.array(calendarName).min(1).max(64)
const zoneName = z.string().regex(/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/)
const dateText = /^\d{4}-\d{2}-\d{2}$/
/** A date, a wall-clock time, or a time with an offset. */
const moment = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?$/)
const clockTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/)
const minutes = z.number().int().min(1).max(525_600)
const uid = z.string().min(1).max(1_024)
/** As an earlier result gave it: the instance's original start in the event's own zone. */
const recurrenceId = z.string().regex(/^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}Z?)?$/)
const etag = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const scope = z.enum(['this', 'all'])
const dryRun = z.boolean().default(false)
const summary = z.string().min(1).max(500)
const location = z.string().max(500)
const description = z.string().max(8_192)

const event = z.strictObject({
  uid: z.string(),
  recurrenceId: z.string().nullable(),
  calendar: z.string(),
  summary: z.string(),
  /** RFC 3339 with the viewer's offset; of an all-day event the date. */
  start: z.string(),
  /** Exclusive, as `start`. */
  end: z.string(),
  /** `HH:MM` in the viewer's zone, or `all day`. */
  startLocal: z.string(),
  endLocal: z.string(),
  allDay: z.boolean(),
  /** The event's own zone; the viewer's where the event floats. */
  timeZone: z.string(),
  location: z.string().nullable(),
  etag: z.string(),
})
export type CalendarEvent = z.infer<typeof event>

/** What a write changes of an event; `before` and `after` have this shape. */
const details = z.strictObject({
  summary: z.string(),
  start: z.string(),
  end: z.string(),
  allDay: z.boolean(),
  timeZone: z.string(),
  location: z.string().nullable(),
  description: z.string().nullable(),
  rrule: z.string().nullable(),
})
export type EventDetails = z.infer<typeof details>

const written = z.strictObject({
  uid: z.string(),
  recurrenceId: z.string().nullable(),
  calendar: z.string(),
  /** Of the event after the change; give it as `ifMatch` of the next one. Null when it is gone. */
  etag: z.string().nullable(),
  before: details.nullable(),
  after: details.nullable(),
})

const found = {
  timeZone: z.string(),
  /** All that matched; `events` holds the first `limit` of them. */
  count: z.number().int(),
  events: z.array(event),
}

const common = {
  audience: 'owner',
  idempotent: true,
  timeoutMs: 10_000,
} as const

const revertThis = {
  action: 'revert',
  args: { calendar: { $args: '/calendar' }, change: { $idem: true } },
} as const

const reads = {
  list: {
    ...common,
    effect: 'read',
    summary: 'events of one or more days, over all calendars, in the order of the day',
    input: z.strictObject({
      day: z.string().regex(/^(?:today|\d{4}-\d{2}-\d{2})$/),
      days: z.number().int().min(1).max(31).default(1),
      calendars: calendarNames.optional(),
      timeZone: zoneName.optional(),
      query: z.string().max(200).optional(),
      limit: z.number().int().min(1).max(500).default(200),
    }),
    output: z.strictObject({ day: z.string().regex(dateText), ...found }),
    roles: {
      '/day': 'control',
      '/days': 'control',
      '/calendars/*': 'control',
      '/timeZone': 'control',
      '/query': 'content',
      '/limit': 'control',
    },
    undo: 'none',
    maxResultBytes: 512 * 1024,
  },
  find: {
    ...common,
    effect: 'read',
    summary: 'events whose title, place or description contains a text',
    input: z.strictObject({
      query: z.string().min(1).max(200),
      from: moment,
      to: moment,
      calendars: calendarNames.optional(),
      timeZone: zoneName.optional(),
      limit: z.number().int().min(1).max(500).default(200),
    }),
    output: z.strictObject(found),
    roles: {
      '/query': 'content',
      '/from': 'control',
      '/to': 'control',
      '/calendars/*': 'control',
      '/timeZone': 'control',
      '/limit': 'control',
    },
    undo: 'none',
    maxResultBytes: 512 * 1024,
  },
  find_free: {
    ...common,
    effect: 'read',
    summary: 'stretches without an event that are long enough',
    input: z.strictObject({
      from: moment,
      to: moment,
      durationMinutes: minutes,
      workHours: z.strictObject({ start: clockTime, end: clockTime }).optional(),
      bufferMinutes: z.number().int().min(0).max(1_440).optional(),
      calendars: calendarNames.optional(),
      timeZone: zoneName.optional(),
    }),
    output: z.strictObject({
      timeZone: z.string(),
      free: z.array(z.strictObject({ start: z.string(), end: z.string() })),
    }),
    roles: {
      '/from': 'control',
      '/to': 'control',
      '/durationMinutes': 'control',
      '/workHours/start': 'control',
      '/workHours/end': 'control',
      '/bufferMinutes': 'control',
      '/calendars/*': 'control',
      '/timeZone': 'control',
    },
    undo: 'none',
    maxResultBytes: 256 * 1024,
  },
} as const

const writes = {
  create: {
    ...common,
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
    output: written,
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
    maxResultBytes: 64 * 1024,
  },
  update: {
    ...common,
    effect: 'write',
    summary: 'a change of one event, of one instance of a series, or of the whole series',
    input: z.strictObject({
      calendar: calendarName,
      uid,
      recurrenceId: recurrenceId.optional(),
      scope,
      patch: z.strictObject({
        summary: summary.optional(),
        start: moment.optional(),
        end: moment.optional(),
        location: location.nullable().optional(),
        description: description.nullable().optional(),
      }),
      ifMatch: etag,
      dryRun,
    }),
    output: written,
    roles: {
      '/calendar': 'control',
      '/uid': 'opaque',
      '/recurrenceId': 'opaque',
      '/scope': 'control',
      '/patch/summary': 'content',
      '/patch/start': 'control',
      '/patch/end': 'control',
      '/patch/location': 'content',
      '/patch/description': 'content',
      '/ifMatch': 'opaque',
      '/dryRun': 'control',
    },
    undo: revertThis,
    maxResultBytes: 64 * 1024,
  },
  delete: {
    ...common,
    effect: 'irreversible',
    summary: 'an event, one instance of a series, or the whole series, gone',
    input: z.strictObject({
      calendar: calendarName,
      uid,
      recurrenceId: recurrenceId.optional(),
      scope,
      ifMatch: etag,
      dryRun,
    }),
    output: written,
    roles: {
      '/calendar': 'control',
      '/uid': 'opaque',
      '/recurrenceId': 'opaque',
      '/scope': 'control',
      '/ifMatch': 'opaque',
      '/dryRun': 'control',
    },
    undo: 'none',
    maxResultBytes: 64 * 1024,
  },
  revert: {
    ...common,
    effect: 'write',
    summary: 'the undo of create and update: the event as it was before that change',
    input: z.strictObject({
      calendar: calendarName,
      /** The `idem` of the step that is taken back. */
      change: etag,
      dryRun,
    }),
    output: z.strictObject({
      calendar: z.string(),
      uid: z.string().nullable(),
      /** `not-applied`: that change had never been made. */
      outcome: z.enum(['reverted', 'not-applied']),
    }),
    roles: { '/calendar': 'control', '/change': 'opaque', '/dryRun': 'control' },
    undo: 'none',
    maxResultBytes: 8 * 1024,
  },
} as const

export const manifest = defineManifest({
  name: 'calendar',
  summary: 'reads and changes calendars kept as ICS files in one folder',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'data',
  perUser: false,
  mounts: [{ from: { config: 'calendar.folder' }, at: calendarsAt, mode: 'rw' }],
  actions: { ...reads, ...writes },
})
