// Expands one RRULE into wall-clock readings, with ical.js doing the stepping. Invariant: the work is
// bounded, whatever the rule: ical.js loops without end on rules that no day satisfies, and steps day
// by day over any interval. Rules that it is known to expand wrongly are refused instead. Time zones
// are no matter here: recurrence is defined on the clock on the wall (RFC 5545, 3.3.10).

import ICAL from 'ical.js'
import { corrupt, tooMuch } from './failures.ts'
import { dayMs, parseWritten, type WallMs, type WrittenTime } from './wall-clock.ts'

/** Counts the steps of one command over all its events; a step takes up to ten microseconds. */
export interface Meter {
  spend(steps: number): void
}

/** Three seconds of an action's ten. A household's year takes some thousand. */
export function createMeter(steps = 300_000): Meter {
  let left = steps
  return {
    spend(count) {
      left -= count
      if (left < 0) throw tooMuch('the calendars repeat too much to be looked through')
    },
  }
}

export interface RuleInput {
  readonly calendar: string
  /** The value of RRULE. */
  readonly rule: string
  readonly start: WallMs
  readonly isDate: boolean
  /** Readings before this are of no interest; some may still be given. */
  readonly from: WallMs
  /** Readings after this are of no interest. */
  readonly stop: WallMs
  /** An UNTIL as a reading on the same clock as `start`. */
  toWall(until: WrittenTime): WallMs
  readonly meter: Meter
}

/**
 * Readings of the rule in order, `start` included where the rule says so, none after `stop`.
 * @throws ActionFailure CORRUPT_DATA for a rule that is invalid or not supported, LIMIT_EXCEEDED
 */
export function* ruleReadings(input: RuleInput): Generator<WallMs> {
  const { until, recur } = parseRule(input)
  const stop = Math.min(input.stop, until)
  limitsOf.set(recur, { meter: input.meter, stopYear: new Date(stop).getUTCFullYear() + 1 })
  try {
    const iterator = new BoundedIterator({
      rule: recur,
      dtstart: timeOf(laterStart(input, recur), input.isDate),
    })
    for (let time = next(iterator); time !== null; time = next(iterator)) {
      const wall = Date.UTC(
        time.year,
        time.month - 1,
        time.day,
        time.hour,
        time.minute,
        time.second,
      )
      if (wall > stop) return
      if (wall >= input.start) yield wall
    }
  } catch (error) {
    if (error instanceof PastTheEnd) return
    // What ical.js throws is an Error of its own without a class; ours pass.
    throw error instanceof Error && error.name === 'Error' ? invalidRule(input.calendar) : error
  }
}

/** A start in step with the real one: a daily event of twenty years need not be walked through. */
function laterStart({ start, from }: RuleInput, { freq, interval, count }: ICAL.Recur): WallMs {
  const unit = freq === 'DAILY' ? dayMs : freq === 'WEEKLY' ? 7 * dayMs : undefined
  if (unit === undefined || (count ?? 0) > 0 || from <= start) return start
  const stride = unit * interval
  return start + Math.floor((from - start) / stride) * stride
}

/** The types do not say so, but null means the end. */
function next(iterator: ICAL.RecurIterator): ICAL.Time | null {
  return iterator.next() ?? null
}

function parseRule(input: RuleInput): { recur: ICAL.Recur; until: WallMs } {
  const parts = new Map<string, string>()
  for (const part of input.rule.trim().split(';', 32)) {
    const [key = '', value = ''] = part.split('=', 2)
    if (part !== '') parts.set(key.trim().toUpperCase(), value.trim().toUpperCase())
  }
  refuseUnsupported(input.calendar, parts)
  const until = parts.get('UNTIL')
  parts.delete('UNTIL')
  let recur: ICAL.Recur
  try {
    recur = ICAL.Recur.fromString([...parts].map(([key, value]) => `${key}=${value}`).join(';'))
  } catch {
    throw invalidRule(input.calendar)
  }
  return { recur, until: until === undefined ? Number.POSITIVE_INFINITY : untilOf(input, until) }
}

function refuseUnsupported(calendar: string, parts: ReadonlyMap<string, string>): void {
  const frequency = parts.get('FREQ') ?? ''
  if (!['HOURLY', 'DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'].includes(frequency)) {
    throw corrupt(calendar, 'a rule repeats by the minute, or not at all')
  }
  const positions = parts.has('BYSETPOS')
  const byDayAlone = parts.has('BYDAY') && !parts.has('BYMONTHDAY')
  const supported =
    !parts.has('BYWEEKNO') &&
    (!positions ||
      (byDayAlone &&
        (frequency === 'MONTHLY' || (frequency === 'YEARLY' && parts.has('BYMONTH'))))) &&
    (!parts.get('BYMONTHDAY')?.includes('-') || frequency === 'MONTHLY' || frequency === 'YEARLY')
  if (!supported) throw corrupt(calendar, 'a rule of a kind that is not supported')
}

/** A date means the whole day; after a date-time, the reading of that instant. */
function untilOf(input: RuleInput, text: string): WallMs {
  const until = parseBasic(text)
  if (until === undefined) throw invalidRule(input.calendar)
  if (until.kind === 'date') return until.wall + dayMs - 1
  return input.isDate ? Math.floor(until.wall / dayMs) * dayMs : input.toWall(until)
}

/** `YYYYMMDD[THHMMSS[Z]]`, RFC 5545, 3.3.4 and 3.3.5. */
export function parseBasic(text: string): WrittenTime | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?$/.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second, zulu] = match
  const date = `${year}-${month}-${day}`
  return parseWritten(hour === undefined ? date : `${date}T${hour}:${minute}:${second}${zulu}`)
}

function invalidRule(calendar: string): Error {
  return corrupt(calendar, 'a rule is invalid')
}

function timeOf(wall: WallMs, isDate: boolean): ICAL.Time {
  const date = new Date(wall)
  return new ICAL.Time(
    {
      year: date.getUTCFullYear(),
      month: date.getUTCMonth() + 1,
      day: date.getUTCDate(),
      hour: date.getUTCHours(),
      minute: date.getUTCMinutes(),
      second: date.getUTCSeconds(),
      isDate,
    },
    ICAL.Timezone.localTimezone,
  )
}

class PastTheEnd extends Error {
  override readonly name = 'PastTheEnd'
}

/** By rule, because the base class already iterates while it is constructed. */
const limitsOf = new WeakMap<ICAL.Recur, { readonly meter: Meter; readonly stopYear: number }>()

/** Parts that only leave days out, by frequency (RFC 5545, 3.3.10, the table of "Limit"). */
const limiting = new Map<string, readonly string[]>([
  ['HOURLY', ['BYMONTH', 'BYYEARDAY', 'BYMONTHDAY', 'BYDAY', 'BYHOUR']],
  ['DAILY', ['BYMONTH', 'BYMONTHDAY', 'BYDAY']],
  ['WEEKLY', ['BYMONTH']],
  ['MONTHLY', ['BYMONTH']],
  ['YEARLY', []],
])

/** Counts in every method that the loops of the base class go through (ical.js 2.2.1). */
class BoundedIterator extends ICAL.RecurIterator {
  override check_contracting_rules(): boolean {
    step(this, 1, this.last.year)
    // The base class works out week numbers to find that nothing is limited.
    const parts = limiting.get(this.rule.freq)
    const isLimited = parts?.some((part) => part in this.rule.parts) ?? true
    return !isLimited || super.check_contracting_rules()
  }
  override increment_month(): void {
    step(this, 1, this.last.year)
    super.increment_month()
  }
  override increment_monthday(days: number): void {
    step(this, 1 + days / 16, this.last.year + Math.floor(days / 366))
    super.increment_monthday(days)
  }
  override expand_year_days(year: number): number {
    step(this, 32, year)
    return super.expand_year_days(year)
  }
}

/** No private method: the base class calls the overrides before those of this class exist. */
function step(iterator: ICAL.RecurIterator, steps: number, year: number): void {
  const limits = limitsOf.get(iterator.rule)
  if (limits === undefined || year > limits.stopYear) throw new PastTheEnd()
  limits.meter.spend(steps)
}
