// Days of a person: which instants they begin and end at in the zone that applies, on the days of 23 and
// of 25 hours too. Dates are `YYYY-MM-DD`, instants seconds. Pure.

import { Temporal } from 'temporal-polyfill'
import { invalid } from './failures.ts'
import type { InstantSeconds } from './samples.ts'

export interface Days {
  readonly timeZone: string
  readonly today: string
  /** The date that was asked for; `today` is today. @throws ActionFailure INVALID_INPUT */
  date(text: string): string
  startOf(date: string): InstantSeconds
  /** A wall-clock hour of a date. */
  at(date: string, hour: number): InstantSeconds
}

/** @param timeZone IANA name */
export function daysOf(timeZone: string, nowMs: number): Days {
  const now = Temporal.Instant.fromEpochMilliseconds(nowMs).toZonedDateTimeISO(timeZone)
  const today = now.toPlainDate().toString()
  return {
    timeZone,
    today,
    date: (text) => (text === 'today' ? today : plain(text).toString()),
    startOf: (date) => plain(date).toZonedDateTime(timeZone).epochMilliseconds / 1_000,
    at: (date, hour) =>
      plain(date).toZonedDateTime({ timeZone, plainTime: { hour } }).epochMilliseconds / 1_000,
  }
}

function plain(date: string): Temporal.PlainDate {
  try {
    return Temporal.PlainDate.from(date, { overflow: 'reject' })
  } catch {
    throw invalid('a date that is in no calendar')
  }
}

export function dateAfter(date: string, days: number): string {
  return plain(date).add({ days }).toString()
}

const maxDates = 3_660

/**
 * Dates from one to another, both included.
 * @throws ActionFailure INVALID_INPUT when there are none, or more than ten years of them
 */
export function datesBetween(from: string, to: string): readonly string[] {
  const count = plain(from).until(plain(to), { largestUnit: 'days' }).days
  if (count < 0) throw invalid('from lies after to')
  if (count >= maxDates) throw invalid('more than ten years')
  return Array.from({ length: count + 1 }, (_, index) => dateAfter(from, index))
}

/** The first date of the week (Monday) or month that a date lies in. */
export function bucketOf(date: string, bucket: 'day' | 'week' | 'month'): string {
  const day = plain(date)
  if (bucket === 'month') return day.with({ day: 1 }).toString()
  return bucket === 'week' ? day.subtract({ days: day.dayOfWeek - 1 }).toString() : date
}

/** RFC 3339 with the offset that the sample was written with. */
export function instantText(at: InstantSeconds, offsetMinutes: number): string {
  const reading = new Date((at + offsetMinutes * 60) * 1_000).toISOString().slice(0, 19)
  const two = (value: number) => String(value).padStart(2, '0')
  const size = Math.abs(offsetMinutes)
  return `${reading}${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}
