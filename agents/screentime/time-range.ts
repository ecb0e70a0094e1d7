// Which instants a question is about, and how they read where the person is. A day has 23, 24 or 25
// hours; a time that the clocks skip is taken as the one an hour later (Temporal's `compatible`). Pure.

import { Temporal } from 'temporal-polyfill'
import { invalid } from './failures.ts'
import type { Stretch } from './spans.ts'

const dayMs = 24 * 3_600_000
/** Of one range: what a server can be asked for within an action's time. */
const maxDays = 31

/** Where and when a question is asked: what its dates mean. */
export interface Asking {
  /** IANA name. */
  readonly zone: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** `YYYY-MM-DD` of a date that may be written as `today`. */
export function dateOf(written: string, { zone, now }: Asking): string {
  return written === 'today' ? readingAt(now, zone).toPlainDate().toString() : written
}

/** @throws ActionFailure INVALID_INPUT */
export function dayRange(date: string, zone: string): Stretch {
  return { from: instantOf(date, zone), to: dayAfter(date, zone) }
}

/**
 * @param written `to` unset: the end of the day that `from` is in
 * @throws ActionFailure INVALID_INPUT
 */
export function writtenRange(
  written: { readonly from: string; readonly to?: string | undefined },
  asking: Asking,
): Stretch {
  const { zone } = asking
  const from = instantOf(dateOf(written.from, asking), zone)
  const to =
    written.to === undefined
      ? dayAfter(readingAt(from, zone).toPlainDate().toString(), zone)
      : instantOf(dateOf(written.to, asking), zone)
  if (to <= from) throw invalid('the range ends before it begins')
  // An hour more: a range may hold the day on which the clocks go back.
  if (to - from > maxDays * dayMs + 3_600_000) throw invalid(`a range of more than ${maxDays} days`)
  return { from, to }
}

/** @throws ActionFailure INVALID_INPUT */
function instantOf(text: string, zone: string): number {
  try {
    const hasOffset = /T.*(?:Z|[+-]\d{2}:\d{2})$/.test(text)
    const at = hasOffset
      ? Temporal.Instant.from(text).epochMilliseconds
      : Temporal.PlainDateTime.from(text, { overflow: 'reject' }).toZonedDateTime(zone)
          .epochMilliseconds
    if (at < 0 || at > Date.UTC(2100, 0)) throw invalid('a time that no record can be from')
    return at
  } catch (error) {
    throw error instanceof RangeError ? invalid('a time that is in no calendar') : error
  }
}

function dayAfter(date: string, zone: string): number {
  return Temporal.PlainDate.from(date).add({ days: 1 }).toZonedDateTime(zone).epochMilliseconds
}

function readingAt(instant: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(Math.trunc(instant)).toZonedDateTimeISO(zone)
}

/** RFC 3339 with the zone's offset then, to the second. */
export function instantText(instant: number, zone: string): string {
  return readingAt(instant, zone).toString({ timeZoneName: 'never', smallestUnit: 'second' })
}

/** `HH:MM` */
export function clockText(instant: number, zone: string): string {
  return readingAt(instant, zone).toPlainTime().toString({ smallestUnit: 'minute' })
}
