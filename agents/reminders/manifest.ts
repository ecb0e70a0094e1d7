// What the reminders agent declares: lists of reminders (VTODO, RFC 5545, 3.6.2), one `<list>.ics` each in
// one folder, or on a CalDAV server of which it keeps a copy beside them; and timers, which are never on
// a server. Reads ask nobody, `sync` renews the copy, writes of a server's list go to the server. Nobody
// rings: a reminder that is due is in what `list` gives. Data and zod only.

import { z } from 'zod'
import { defineManifest } from '../../plan/manifest.ts'
import {
  calendarName,
  dryRun,
  etag,
  minutes,
  moment,
  reverted,
  syncedAt,
  uid,
  writtenQuotes,
  zoneName,
} from '../calendar/event-shapes.ts'
import {
  counted,
  davCollections,
  davEgress,
  davSync,
  davWrite,
  syncCounts,
} from '../dav/declaration.ts'

/** Where the folder of lists is mounted in the sandbox. */
export const remindersAt = '/data/reminders'
/** A list that is always a file, and that `list` does not give. */
export const timerList = 'timers'
export const defaultList = 'reminders'

const title = z.string().min(1).max(500)
const notes = z.string().max(8_192)
/** RFC 5545, 3.8.1.9: 1 is the highest, 9 the lowest, 0 none. */
const priority = z.number().int().min(0).max(9)

const reminder = z.strictObject({
  uid: z.string(),
  list: z.string(),
  title: z.string(),
  /** RFC 3339 with the viewer's offset; of a reminder of a whole day the date; null: some time. */
  due: z.string().nullable(),
  /** `YYYY-MM-DD HH:MM` in the viewer's zone, or the date. */
  dueLocal: z.string().nullable(),
  allDay: z.boolean(),
  overdue: z.boolean(),
  priority: z.number(),
  notes: z.string().nullable(),
  completed: z.boolean(),
  /** RFC 3339 with the viewer's offset. */
  completedAt: z.string().nullable(),
  /** Its rule, where it comes again. */
  rrule: z.string().nullable(),
  etag: z.string(),
})
export type Reminder = z.infer<typeof reminder>

/** What a write changes; `before` and `after` have this shape. */
const details = reminder.omit({ uid: true, list: true, etag: true, overdue: true })
export type ReminderDetails = z.infer<typeof details>

export const written = z.strictObject({
  uid: z.string(),
  list: z.string(),
  /** Of the reminder after the change; give it as `ifMatch` of the next one. Null when it is gone. */
  etag: z.string().nullable(),
  before: details.nullable(),
  after: details.nullable(),
})
export type Written = z.infer<typeof written>

const timer = z.strictObject({
  uid: z.string(),
  title: z.string(),
  endsAt: z.string(),
  /** `HH:MM` in the viewer's zone. */
  endsLocal: z.string(),
  /** 0 when it is over. */
  remainingSeconds: z.number(),
  isOver: z.boolean(),
  etag: z.string(),
})
export type Timer = z.infer<typeof timer>

const common = { audience: 'owner', idempotent: true, timeoutMs: 10_000 } as const
const onServer = { ...common, ...davWrite } as const
const revertThis = { action: 'revert', args: { change: { $idem: true } } } as const
const small = { maxResultBytes: 64 * 1024 } as const

/** One reminder, as an earlier result named it. */
const target = { list: calendarName, uid, ifMatch: etag, dryRun }
const targetRoles = {
  '/list': 'control',
  '/uid': 'opaque',
  '/ifMatch': 'opaque',
  '/dryRun': 'control',
} as const

const reads = {
  list: {
    ...common,
    effect: 'read',
    summary:
      'reminders of all lists or some, the most urgent first; those done only when asked for',
    input: z.strictObject({
      lists: z.array(calendarName).min(1).max(64).optional(),
      /** Only those due before it, and not those without a time. */
      dueBefore: moment.optional(),
      completed: z.boolean().default(false),
      timeZone: zoneName.optional(),
      limit: z.number().int().min(1).max(500).default(100),
    }),
    output: z.strictObject({
      timeZone: z.string(),
      syncedAt,
      /** All that fit; `reminders` holds the first `limit` of them. */
      count: z.number().int(),
      overdue: z.number().int(),
      reminders: z.array(reminder),
    }),
    quotes: ['/reminders'],
    roles: {
      '/lists/*': 'control',
      '/dueBefore': 'control',
      '/completed': 'control',
      '/timeZone': 'control',
      '/limit': 'control',
    },
    undo: 'none',
    maxResultBytes: 512 * 1024,
  },
  timers: {
    ...common,
    effect: 'read',
    summary: 'timers that were set and not cancelled, the next to end first',
    input: z.strictObject({ timeZone: zoneName.optional() }),
    output: z.strictObject({ timeZone: z.string(), timers: z.array(timer) }),
    quotes: ['/timers'],
    roles: { '/timeZone': 'control' },
    undo: 'none',
    ...small,
  },
} as const

const writes = {
  add: {
    ...onServer,
    effect: 'write',
    summary: 'a new reminder, with or without a time, alone or again and again',
    input: z.strictObject({
      list: calendarName.default(defaultList),
      title,
      /** A date: some time that day. */
      due: moment.optional(),
      notes: notes.optional(),
      priority: priority.optional(),
      rrule: z.string().min(1).max(500).optional(),
      timeZone: zoneName.optional(),
      dryRun,
    }),
    output: written,
    quotes: writtenQuotes,
    roles: {
      '/list': 'control',
      '/title': 'content',
      '/due': 'control',
      '/notes': 'content',
      '/priority': 'control',
      '/rrule': 'control',
      '/timeZone': 'control',
      '/dryRun': 'control',
    },
    undo: revertThis,
    ...small,
  },
  complete: {
    ...onServer,
    effect: 'write',
    summary: 'a reminder is done; one that comes again moves to its next time',
    input: z.strictObject(target),
    output: written,
    quotes: writtenQuotes,
    roles: targetRoles,
    undo: revertThis,
    ...small,
  },
  snooze: {
    ...onServer,
    effect: 'write',
    summary: 'a reminder later: so many minutes from now, or at a time',
    input: z.strictObject({ ...target, minutes: minutes.optional(), until: moment.optional() }),
    output: written,
    quotes: writtenQuotes,
    roles: { ...targetRoles, '/minutes': 'control', '/until': 'control' },
    undo: revertThis,
    ...small,
  },
  timer_set: {
    ...common,
    effect: 'write',
    summary: 'a timer that ends so many minutes from now',
    input: z.strictObject({ minutes, title: title.default('Timer'), dryRun }),
    output: written,
    quotes: writtenQuotes,
    roles: { '/minutes': 'control', '/title': 'content', '/dryRun': 'control' },
    undo: revertThis,
    ...small,
  },
  timer_cancel: {
    ...common,
    effect: 'write',
    summary: 'a timer no more',
    input: z.strictObject({ uid, ifMatch: etag, dryRun }),
    output: written,
    quotes: writtenQuotes,
    roles: { '/uid': 'opaque', '/ifMatch': 'opaque', '/dryRun': 'control' },
    undo: revertThis,
    ...small,
  },
  revert: {
    ...onServer,
    effect: 'write',
    summary: 'the undo of every other write: the reminder as it was before that change',
    input: z.strictObject({
      /** The `idem` of the step that is taken back. */
      change: etag,
      dryRun,
    }),
    output: z.strictObject({
      list: z.string().nullable(),
      uid: reverted.shape.uid,
      outcome: reverted.shape.outcome,
      before: details.nullable(),
      after: details.nullable(),
    }),
    quotes: writtenQuotes,
    roles: { '/change': 'opaque', '/dryRun': 'control' },
    undo: 'none',
    ...small,
  },
} as const

const sync = {
  ...davSync,
  summary: 'brings the copy of the lists on the server up to date; what changed is fetched',
  output: z.strictObject({
    lists: z.array(z.strictObject({ name: z.string(), reminders: counted, ...syncCounts })),
    /** Lists that the server has no more. */
    gone: z.array(z.string()),
  }),
  quotes: ['/lists', '/gone'],
} as const

const collections = {
  ...davCollections,
  summary: 'names of the lists that the server has; nothing of them is fetched',
} as const

export const manifest = defineManifest({
  name: 'reminders',
  summary: 'keeps reminders and timers: in one folder, and on a CalDAV server',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'data',
  perUser: false,
  mounts: [{ from: { config: 'reminders.folder' }, at: remindersAt, mode: 'rw' }],
  egress: davEgress('reminders'),
  actions: { ...reads, ...writes, sync, collections },
})
