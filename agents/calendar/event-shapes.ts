// The shapes that the calendar's actions share: names, times, an event as it is listed, and what a write
// shows of it before and after. zod only.

import { z } from 'zod'
import { fileStemPattern } from '../file-stem.ts'

/** The file's name without `.ics`. */
export const calendarName = z.string().min(1).max(100).regex(fileStemPattern)
export const calendarNames = z.array(calendarName).min(1).max(64)
export const zoneName = z.string().regex(/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/)
export const dateText = /^\d{4}-\d{2}-\d{2}$/
/** A date, a wall-clock time, or a time with an offset. */
export const moment = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?$/)
export const clockTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/)
export const minutes = z.number().int().min(1).max(525_600)
export const uid = z.string().min(1).max(1_024)
/** As an earlier result gave it: the instance's original start in the event's own zone. */
export const recurrenceId = z.string().regex(/^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}Z?)?$/)
/** Of an earlier `find`, to say which. */
export const chosen = z.string().regex(/^[0-9a-f]{12}$/)
export const etag = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
export const scope = z.enum(['this', 'all'])
export const dryRun = z.boolean().default(false)
export const summary = z.string().min(1).max(500)
export const location = z.string().max(500)
/** Of a mail address, only what keeps it one. */
export const address = z
  .string()
  .max(254)
  .regex(/^[^\s"<>:;,@]+@[^\s"<>:;,@]+$/)
export const description = z.string().max(8_192)

export const event = z.strictObject({
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
export const details = z.strictObject({
  summary: z.string(),
  start: z.string(),
  end: z.string(),
  allDay: z.boolean(),
  timeZone: z.string(),
  location: z.string().nullable(),
  description: z.string().nullable(),
  rrule: z.string().nullable(),
  /** Of an answer to an invitation alone: who invites, and how the person answered. */
  organizer: z.string().nullable().optional(),
  response: z.enum(['needs-action', 'accepted', 'declined', 'tentative', 'other']).optional(),
})
export type EventDetails = z.infer<typeof details>

export const written = z.strictObject({
  uid: z.string(),
  recurrenceId: z.string().nullable(),
  calendar: z.string(),
  /** Of the event after the change; give it as `ifMatch` of the next one. Null when it is gone. */
  etag: z.string().nullable(),
  before: details.nullable(),
  after: details.nullable(),
})

export const reverted = z.strictObject({
  calendar: z.string(),
  uid: z.string().nullable(),
  /** `not-applied`: that change had never been made. */
  outcome: z.enum(['reverted', 'not-applied']),
  /** As the change itself showed them, the other way around; null where it was never made. */
  before: details.nullable(),
  after: details.nullable(),
})
export type Written = z.infer<typeof written>

/** The id is text of whoever made the event. */
export const writtenQuotes = ['/uid', '/before', '/after'] as const

/** RFC 3339: when the oldest copy that was read was last compared with its server. */
export const syncedAt = z.string().optional()

export const found = {
  timeZone: z.string(),
  syncedAt,
  /** All that matched; `events` holds the first `limit` of them. */
  count: z.number().int(),
  events: z.array(event),
}

/** An event as a question shows it: fit for a person's eyes, and for nothing that decides. */
const choice = z.strictObject({
  /** What to give as `event` of the next `find`; says nothing of the event. */
  event: chosen,
  calendar: z.string(),
  /** `2026-11-24 15:00` or `2026-11-24 all day`, on the viewer's clock. */
  when: z.string(),
  /** One line between quotation marks. */
  title: z.string(),
})
export type Choice = z.infer<typeof choice>

export const foundOne = z.strictObject({
  timeZone: z.string(),
  syncedAt,
  found: z.enum(['one', 'none', 'several']),
  /** Null unless exactly one fits. */
  event: event.nullable(),
  /** Of that event: others in it, whom a server may mail when it changes. 0 in a file, which tells nobody. */
  guests: z.number().int(),
  asked: z.strictObject({ at: z.string(), with: z.string().nullable() }),
  /** All that fit. */
  count: z.number().int(),
  /** Where several fit, the first of them. */
  candidates: z.array(choice).max(10),
  /** Where none fits, events of the week before and after: with those words, then by nearness. */
  nearest: z.array(choice).max(5),
})
export type Found = z.infer<typeof foundOne>
