// Writes the sample calendars as ICS (RFC 5545): events with times in one zone, whole days or
// floating times, and the VTIMEZONE of that zone. Text in, text out.

import { Temporal } from 'temporal-polyfill'

/** Marks the generator's own events, so that it can tell them from everybody else's. */
export const uidDomain = '@home.bulkhead.example'

export interface SampleEvent {
  /** Without the domain. */
  readonly id: string
  readonly summary: string
  readonly day: string
  /** `HH:MM`; without it the event lasts all day. */
  readonly time?: string
  readonly minutes?: number
  /** Of an all-day event. */
  readonly days?: number
  readonly location?: string
  readonly rrule?: string
  /** Days on which the series does not happen. */
  readonly except?: readonly string[]
  /** Makes this an exception: the day of the instance of series `id` at `originalTime`. */
  readonly replaces?: { readonly day: string; readonly time: string }
  /** On whatever clock the reader lives by. */
  readonly floating?: boolean
}

export function dayAfter(day: string, days: number): string {
  return Temporal.PlainDate.from(day).add({ days }).toString()
}

export interface CalendarInput {
  readonly name: string
  readonly timeZone: string
  readonly events: readonly SampleEvent[]
  readonly hasZoneRules: boolean
  /** Components of other programs that stay, as text. */
  readonly kept: readonly string[]
  /** The days for which there are events, kept to see when new ones are due. */
  readonly covers: { readonly from: string; readonly to: string }
}

export function renderCalendar(input: CalendarInput): string {
  const { covers, timeZone } = input
  const lines = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    'PRODID:-//Bulkhead//Sample home//EN',
    `X-WR-CALNAME:${escaped(input.name)}`,
    `X-WR-TIMEZONE:${timeZone}`,
    `X-BULKHEAD-COVERS:${covers.from}/${covers.to}`,
    ...(input.hasZoneRules && timeZone !== 'UTC' ? zoneLines(timeZone, covers.from) : []),
    ...input.events.flatMap((event) => eventLines(event, input)),
  ]
  return `${lines.map(folded).join('\r\n')}\r\n${input.kept.join('')}END:VCALENDAR\r\n`
}

function eventLines(event: SampleEvent, { timeZone, covers }: CalendarInput): string[] {
  const { day, time, replaces } = event
  const clock = event.floating === true ? undefined : timeZone
  const stamp = (name: string, on: string, at: string | undefined) =>
    timeLine(name, { on, at, clock })
  const end =
    time === undefined
      ? stamp('DTEND', dayAfter(day, event.days ?? 1), undefined)
      : `DURATION:PT${event.minutes ?? 60}M`
  return [
    'BEGIN:VEVENT',
    `UID:${event.id}${uidDomain}`,
    `DTSTAMP:${covers.from.replaceAll('-', '')}T000000Z`,
    ...(replaces === undefined ? [] : [stamp('RECURRENCE-ID', replaces.day, replaces.time)]),
    stamp('DTSTART', day, time),
    end,
    ...(event.rrule === undefined ? [] : [`RRULE:${event.rrule}`]),
    ...(event.except ?? []).map((on) => stamp('EXDATE', on, time)),
    `SUMMARY:${escaped(event.summary)}`,
    ...(event.location === undefined ? [] : [`LOCATION:${escaped(event.location)}`]),
    'END:VEVENT',
  ]
}

interface When {
  readonly on: string
  readonly at: string | undefined
  readonly clock: string | undefined
}

/** A property that is a day or a time; without a clock the time floats. */
export function timeLine(name: string, { on, at, clock }: When): string {
  const date = on.replaceAll('-', '')
  if (at === undefined) return `${name};VALUE=DATE:${date}`
  const reading = `${date}T${at.replace(':', '')}00`
  if (clock === undefined) return `${name}:${reading}`
  return clock === 'UTC' ? `${name}:${reading}Z` : `${name};TZID=${clock}:${reading}`
}

/** The offsets in force from two years before to three years after, each change written out. */
function zoneLines(timeZone: string, day: string): string[] {
  const first = Temporal.PlainDate.from(day).subtract({ years: 2 }).toZonedDateTime(timeZone)
  const last = first.add({ years: 5 })
  const lines = observance('STANDARD', {
    reading: first,
    before: first.offset,
    after: first.offset,
  })
  for (
    let at = first.getTimeZoneTransition('next');
    at !== null;
    at = at.getTimeZoneTransition('next')
  ) {
    if (Temporal.ZonedDateTime.compare(at, last) > 0) break
    const before = at.subtract({ seconds: 1 })
    const reading = at.toInstant().toZonedDateTimeISO(before.offset)
    const kind = at.offsetNanoseconds > before.offsetNanoseconds ? 'DAYLIGHT' : 'STANDARD'
    lines.push(...observance(kind, { reading, before: before.offset, after: at.offset }))
  }
  return ['BEGIN:VTIMEZONE', `TZID:${timeZone}`, ...lines, 'END:VTIMEZONE']
}

function observance(
  kind: 'STANDARD' | 'DAYLIGHT',
  change: {
    readonly reading: Temporal.ZonedDateTime
    readonly before: string
    readonly after: string
  },
): string[] {
  const reading = change.reading.toPlainDateTime().toString({ smallestUnit: 'second' })
  return [
    `BEGIN:${kind}`,
    `DTSTART:${reading.replace(/[-:]/g, '')}`,
    `TZOFFSETFROM:${change.before.replaceAll(':', '')}`,
    `TZOFFSETTO:${change.after.replaceAll(':', '')}`,
    `END:${kind}`,
  ]
}

/** The next change of the clocks after a day, as the day on which it happens; none in fixed zones. */
export function nextClockChange(timeZone: string, day: string): string | undefined {
  const start = Temporal.PlainDate.from(day).toZonedDateTime(timeZone)
  const change = start.getTimeZoneTransition('next')
  if (change === null || change.since(start).total({ unit: 'hours' }) > 366 * 24) return undefined
  return change.toPlainDate().toString()
}

/** RFC 5545, 3.3.11. */
export function escaped(text: string): string {
  return text.replace(/[\\;,]/g, '\\$&').replaceAll('\n', '\\n')
}

function folded(line: string): string {
  const parts: string[] = []
  let part = ''
  for (const character of line) {
    if (Buffer.byteLength(part + character) > 74) {
      parts.push(part)
      part = ' '
    }
    part += character
  }
  return [...parts, part].join('\r\n')
}
