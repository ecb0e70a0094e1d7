// The times at which a schedule is due, from its normal form alone. The notary admits a firing only for
// a time that `isDue` says yes to, whatever Temporal fires: over the changes of daylight saving a test
// compares the two on a real server, and docs/adr/0015 says where the server is wrong. Pure.

import { Temporal } from 'temporal-polyfill'
import type { CalendarSpec, ScheduleSpec } from './schedule.ts'

/** Days that a search looks at: a 29 February on a certain weekday comes within 40 years. */
const maxDays = 366 * 41

/** `at`: milliseconds since the epoch. */
export function isDue(spec: ScheduleSpec, at: number): boolean {
  if (!Number.isSafeInteger(at) || at < 0) return false
  if (spec.kind === 'every') return at % (spec.seconds * 1_000) === 0
  const local = toLocal(at, spec.zone)
  return (
    at % 1_000 === 0 &&
    local.second === 0 &&
    matchesDay(spec, local.toPlainDate()) &&
    spec.hours.includes(local.hour) &&
    spec.minutes.includes(local.minute) &&
    (isEveryHour(spec) || at === secondOf(local))
  )
}

function isEveryHour({ hours }: CalendarSpec): boolean {
  return hours.length === 24
}

/** Of a time of day that comes twice the second; of any other itself. */
function secondOf(local: Temporal.ZonedDateTime): number {
  const { timeZoneId } = local
  return local.toPlainDateTime().toZonedDateTime(timeZoneId, { disambiguation: 'later' })
    .epochMilliseconds
}

/**
 * The zone in which a server is to read the spec. Every hour of every day is the same in UTC, where no
 * change of clocks can confuse it, if the zone differs by whole hours.
 */
export function zoneForServer(spec: CalendarSpec, now: number): string {
  const { zone, daysOfMonth, months, daysOfWeek } = spec
  const isEveryDay = daysOfMonth.length === 31 && months.length === 12 && daysOfWeek.length === 7
  // Half a year apart: summer and winter.
  const isWholeHours = [now, now + 183 * 86_400_000].every(
    (at) => toLocal(at, zone).offsetNanoseconds % 3.6e12 === 0,
  )
  return isEveryHour(spec) && isEveryDay && isWholeHours ? 'UTC' : zone
}

interface Span {
  readonly after: number
  readonly until: number
  readonly max: number
}

/** Due times after `after`, up to and with `until`, in order; at most `max`. */
export function dueTimes(spec: ScheduleSpec, { after, until, max }: Span): readonly number[] {
  const times: number[] = []
  if (max < 1) return times
  for (const at of timesFrom(spec, after, 1)) {
    if (at > until) break
    if (at > after) times.push(at)
    if (times.length === max) break
  }
  return times
}

/** The last `max` due times after `after`, up to and with `until`, the latest first. */
export function latestDueTimes(spec: ScheduleSpec, { after, until, max }: Span): readonly number[] {
  const times: number[] = []
  if (max < 1) return times
  for (const at of timesFrom(spec, until, -1)) {
    if (at <= after) break
    if (at <= until) times.push(at)
    if (times.length === max) break
  }
  return times
}

/** From somewhat before `start` on, or backwards from somewhat after it; without an end for `every`. */
function* timesFrom(spec: ScheduleSpec, start: number, direction: 1 | -1): Generator<number> {
  if (spec.kind === 'every') {
    const step = spec.seconds * 1_000
    for (let at = Math.floor(start / step) * step; ; at += direction * step) yield at
  }
  let day = toLocal(start, spec.zone).toPlainDate()
  for (let looked = 0; looked < maxDays; looked += 1) {
    const times = timesOfDay(spec, day)
    yield* direction === 1 ? times : times.toReversed()
    day = day.add({ days: direction })
  }
}

/** The date at the schedule's place, as plans write it: YYYY-MM-DD. */
export function dayOf(zone: string, at: number): string {
  return toLocal(at, zone).toPlainDate().toString()
}

function toLocal(at: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone)
}

function matchesDay(spec: CalendarSpec, { day, month, dayOfWeek }: Temporal.PlainDate): boolean {
  return (
    spec.daysOfMonth.includes(day) &&
    spec.months.includes(month) &&
    // ISO counts from Monday, 1, to Sunday, 7.
    spec.daysOfWeek.includes(dayOfWeek % 7)
  )
}

function timesOfDay(spec: CalendarSpec, date: Temporal.PlainDate): readonly number[] {
  if (!matchesDay(spec, date)) return []
  // In a gap both readings are other times of day, which may be due as well.
  const times = new Set<number>()
  for (const hour of spec.hours) {
    for (const minute of spec.minutes) {
      const local = date.toPlainDateTime({ hour, minute })
      for (const disambiguation of ['earlier', 'later'] as const) {
        const at = local.toZonedDateTime(spec.zone, { disambiguation }).epochMilliseconds
        if (isDue(spec, at)) times.add(at)
      }
    }
  }
  // The second half past one comes after the first quarter to two.
  return [...times].toSorted((a, b) => a - b)
}
