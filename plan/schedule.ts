// What a schedule is, as proven data: when it is due, what happens when two firings meet, and how late
// one may still begin. One normal form for every way of writing it, so that the command, the notary
// and Temporal are given the same lists of numbers and nobody reads a cron line twice. Pure.

import { z } from 'zod'
import { isTimeZone } from './time-zone.ts'

const numbers = (least: number, most: number) =>
  z
    .array(z.int().min(least).max(most))
    .min(1)
    .max(most - least + 1)
    .refine((list) => list.every((one, at) => at === 0 || one > (list[at - 1] ?? one)), {
      error: 'is not in ascending order',
    })

/** IANA name. Days and times of day are those of this zone, and so is the day of a firing. */
const zone = z.string().refine(isTimeZone, 'is not an IANA time zone')

/** Longest interval, and latest a firing may begin: as long as a run may take. */
const maxSeconds = 30 * 24 * 3_600

/**
 * `calendar`: every minute whose five fields all match; days of the week count from Sunday, 0. A time
 * of day that a zone leaves out is left out. One that it has twice is due once, the second time, unless
 * the schedule is of every hour: then hours count as they pass (docs/adr/0015).
 * `every`: counted from 1970-01-01T00:00:00Z, whatever the zone.
 */
export const scheduleSpecSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('calendar'),
    minutes: numbers(0, 59),
    hours: numbers(0, 23),
    daysOfMonth: numbers(1, 31),
    months: numbers(1, 12),
    daysOfWeek: numbers(0, 6),
    zone,
  }),
  z.strictObject({ kind: z.literal('every'), seconds: z.int().min(1).max(maxSeconds), zone }),
])
export type ScheduleSpec = z.infer<typeof scheduleSpecSchema>
export type CalendarSpec = Extract<ScheduleSpec, { kind: 'calendar' }>

export const schedulePolicySchema = z.strictObject({
  /** When one is due while another runs: leave it out, keep one waiting, or start it beside. */
  overlap: z.enum(['skip', 'buffer-one', 'allow']),
  /** How late one may begin, in seconds; Temporal's least is ten. */
  catchUpSeconds: z.int().min(10).max(maxSeconds),
  /** At most so many seconds later than it is due, so that not everything starts at once. */
  jitterSeconds: z.int().min(0).max(3_600),
})
export type SchedulePolicy = z.infer<typeof schedulePolicySchema>

export const scheduleIdPattern = /^[a-z][a-z0-9-]{0,39}$/
