// From the events of one file to what happens between two instants: series expanded in their own
// zone, exceptions put in place of what they replace, floating times read on the viewer's clock.
// Invariant: all-day events are dates, never instants, until they are compared with the viewer's days.
// Pure.

import {
  type EventProperties,
  type EventTime,
  type Length,
  parseEvent,
} from './event-properties.ts'
import { tooMuch } from './failures.ts'
import { guestsIn } from './guests.ts'
import { type CalendarText, etagOf, groupsOf, textsOf } from './ics-text.ts'
import { type Meter, ruleReadings } from './recurrence.ts'
import {
  dayMs,
  type InstantMs,
  startOfDay,
  toInstant,
  toWall,
  utc,
  type WallMs,
  type Zone,
} from './wall-clock.ts'

/** Instances that one command may find in one file; a month of a household has hundreds. */
const maxOccurrences = 20_000
/** No zone is further from UTC, in either direction, and none shifts by more. */
const zoneMarginMs = 2 * dayMs

export interface Occurrence {
  readonly calendar: string
  readonly event: EventProperties
  /** Original reading in the event's own zone, which names the instance; null for a single event. */
  readonly recurrenceId: WallMs | null
  readonly allDay: boolean
  /** Of the event itself; the viewer's where it floats. */
  readonly zone: Zone
  /** All-day: the viewer's midnights. */
  readonly start: InstantMs
  /** Exclusive. */
  readonly end: InstantMs
  readonly etag: string
  /** Others in the event, whom a server may mail when it changes; none in a file, which tells nobody. */
  readonly guests: number
}

export interface Window {
  readonly viewer: Zone
  readonly from: InstantMs
  /** Exclusive. */
  readonly to: InstantMs
  readonly meter: Meter
}

export interface FileReader {
  readonly file: CalendarText
  readonly isOnServer?: boolean
  zoneOf(tzid: string): Zone
}

/** @throws ActionFailure CORRUPT_DATA, LIMIT_EXCEEDED */
export function occurrencesIn(reader: FileReader, window: Window): Occurrence[] {
  const { file } = reader
  const found: Occurrence[] = []
  for (const segments of groupsOf(file).values()) {
    const events = segments.map((segment) => parseEvent(file.calendar, segment))
    const instances = [...instancesOf(seriesOf(events), reader, window)]
    if (instances.length === 0) continue
    const etag = etagOf(textsOf(file, segments))
    const guests = reader.isOnServer === true ? guestsIn(segments) : 0
    for (const instance of instances)
      found.push({ ...instance, calendar: file.calendar, etag, guests })
    if (found.length > maxOccurrences)
      throw tooMuch(`calendar ${file.calendar}: too many instances`)
  }
  return found
}

type Instance = Omit<Occurrence, 'calendar' | 'etag' | 'guests'>

/** An event as its components together describe it. */
export interface Series {
  /** Undefined for an exception to a series that the file does not have. */
  readonly main: EventProperties | undefined
  readonly exceptions: readonly EventProperties[]
}

/** Of several components that claim to be the event itself, the latest version counts. */
export function seriesOf(events: readonly EventProperties[]): Series {
  const mains = events.filter(({ recurrenceId }) => recurrenceId === undefined)
  return {
    main: mains.reduce<EventProperties | undefined>(
      (best, next) => (best === undefined || next.sequence >= best.sequence ? next : best),
      undefined,
    ),
    exceptions: events.filter(({ recurrenceId }) => recurrenceId !== undefined),
  }
}

function* instancesOf(series: Series, reader: FileReader, window: Window): Generator<Instance> {
  const { main, exceptions } = series
  const replaced = new Set<WallMs>()
  for (const event of exceptions) {
    const { recurrenceId } = event
    if (recurrenceId === undefined) continue
    const key = readingOf(recurrenceId, { clock: main ?? event, reader, viewer: window.viewer })
    replaced.add(key)
    yield* single({ event, recurrenceId: key }, reader, window)
  }
  if (main === undefined || main.cancelled) return
  if (isRecurring(main)) yield* repeated(main, { replaced, reader, window })
  else yield* single({ event: main, recurrenceId: null }, reader, window)
}

export function isRecurring(event: EventProperties): boolean {
  return event.rules.length > 0 || event.extra.length > 0
}

function* single(
  { event, recurrenceId }: Pick<Instance, 'event' | 'recurrenceId'>,
  reader: FileReader,
  window: Window,
): Generator<Instance> {
  if (event.cancelled || !isNear(event.start.wall, roughLength(event.start, event.end), window))
    return
  const span = spanOf(event.start, event.end, { reader, viewer: window.viewer })
  if (overlaps(span, window)) yield { event, recurrenceId, ...span }
}

interface Repetition {
  readonly replaced: ReadonlySet<WallMs>
  readonly reader: FileReader
  readonly window: Window
}

function* repeated(
  event: EventProperties,
  { replaced, reader, window }: Repetition,
): Generator<Instance> {
  const clock = { clock: event, reader, viewer: window.viewer }
  const seen = new Set(replaced)
  const excludedDays = new Set<WallMs>()
  for (const time of event.excluded) {
    // Some programs exclude a date where the series has times: then all of that day is meant.
    if (time.kind === 'date') excludedDays.add(time.wall)
    else seen.add(readingOf(time, clock))
  }
  const length = fixedLength(event, clock)
  const rough = roughLength(event.start, length)
  const range = { ...window, from: window.from - zoneMarginMs - rough }
  for (const { wall, end, byRule } of readings(event, clock, range)) {
    if (seen.has(wall) || excludedDays.has(startOfDay(wall))) continue
    seen.add(wall)
    if (
      !isNear(wall, end === undefined ? rough : roughLength({ ...event.start, wall }, end), window)
    )
      continue
    const span = spanOf({ ...event.start, wall }, end ?? length, clock)
    // RFC 5545, 3.3.10: an instance at a time that the clocks skip is ignored. (It should not be
    // counted towards COUNT either; here it is.)
    if (byRule && !span.allDay && toWall(span.zone, span.start) !== wall) continue
    if (overlaps(span, window)) yield { event, recurrenceId: wall, ...span }
  }
}

interface Clock {
  /** The event whose clock readings are on. */
  readonly clock: EventProperties
  readonly reader: FileReader
  readonly viewer: Zone
}

interface Reading {
  readonly wall: WallMs
  readonly byRule: boolean
  /** Where an RDATE has an end of its own. */
  readonly end: EventTime | Length | undefined
}

/** Starts of the series on its own clock, in no order across its rules. */
export function* readings(
  event: EventProperties,
  clock: Clock,
  range: Pick<Window, 'from' | 'to' | 'meter'>,
): Generator<Reading> {
  for (const rule of event.rules) {
    const walls = ruleReadings({
      calendar: clock.reader.file.calendar,
      rule,
      start: event.start.wall,
      isDate: event.start.kind === 'date',
      from: range.from,
      stop: range.to + zoneMarginMs,
      toWall: (until) => readingOf({ ...until, zone: event.start.zone }, clock),
      meter: range.meter,
    })
    for (const wall of walls) yield { wall, byRule: wall !== event.start.wall, end: undefined }
  }
  if (event.rules.length === 0) yield { wall: event.start.wall, byRule: false, end: undefined }
  for (const { start, end } of event.extra)
    yield { wall: readingOf(start, clock), byRule: false, end }
}

/** A time of the file as a reading on the clock of the event that it belongs to. */
export function readingOf(time: EventTime, { clock, reader, viewer }: Clock): WallMs {
  const { start } = clock
  if (start.kind === 'date') return startOfDay(time.wall)
  if (time.kind === 'date' || (time.kind === start.kind && time.zone === start.zone))
    return time.wall
  const own = zoneFor(start, reader, viewer)
  return toWall(own, toInstant(zoneFor(time, reader, viewer), time.wall))
}

function zoneFor(time: EventTime, reader: FileReader, viewer: Zone): Zone {
  if (time.kind === 'utc') return utc
  return time.zone === undefined ? viewer : reader.zoneOf(time.zone)
}

/** RFC 5545, 3.8.5.3: an end given as a time gives every instance the same exact length. */
function fixedLength(event: EventProperties, clock: Clock): Length | undefined {
  if (event.end === undefined || 'days' in event.end) return event.end
  const { start, end } = spanOf(event.start, event.end, clock)
  if (event.start.kind !== 'date') return { days: 0, ms: end - start }
  return {
    days: Math.max(1, Math.round((startOfDay(event.end.wall) - event.start.wall) / dayMs)),
    ms: 0,
  }
}

type Span = Pick<Occurrence, 'allDay' | 'zone' | 'start' | 'end'>

export function spanOf(
  start: EventTime,
  end: EventTime | Length | undefined,
  { reader, viewer }: Pick<Clock, 'reader' | 'viewer'>,
): Span {
  if (start.kind === 'date') {
    const last =
      end === undefined ? 0 : 'days' in end ? start.wall + end.days * dayMs : startOfDay(end.wall)
    const endDay = Math.max(last, start.wall + dayMs)
    const midnight = (day: WallMs) => toInstant(viewer, day)
    return { allDay: true, zone: viewer, start: midnight(start.wall), end: midnight(endDay) }
  }
  const zone = zoneFor(start, reader, viewer)
  const from = toInstant(zone, start.wall)
  const to =
    end === undefined
      ? from
      : 'days' in end
        ? toInstant(zone, start.wall + end.days * dayMs) + end.ms
        : toInstant(zoneFor(end, reader, viewer), end.wall)
  // Programs that write an end before the start mean no length.
  return { allDay: false, zone, start: from, end: Math.max(from, to) }
}

/** Without zones, so that an event long ago in an unknown zone does no harm. */
function roughLength(start: EventTime, end: EventTime | Length | undefined): number {
  if (end === undefined) return dayMs
  return 'days' in end ? end.days * dayMs + end.ms : Math.max(0, end.wall - start.wall)
}

function isNear(wall: WallMs, length: number, { from, to }: Window): boolean {
  return wall < to + zoneMarginMs && wall + length + zoneMarginMs > from
}

function overlaps({ start, end }: Span, { from, to }: Window): boolean {
  return start < to && (end > from || (end === start && start >= from))
}
