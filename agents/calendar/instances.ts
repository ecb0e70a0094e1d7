// The event, or the one instance of a series, that an update or a deletion is about, and how it is
// described before and after. Pure.

import {
  type EventProperties,
  type EventTime,
  type Length,
  parseEvent,
} from './event-properties.ts'
import type { EventDetails } from './event-shapes.ts'
import { invalid, notFound } from './failures.ts'
import type { OpenCalendar } from './folder.ts'
import { type EventSegment, groupsOf, parseCalendarText } from './ics-text.ts'
import { isRecurring, readingOf, readings, seriesOf, spanOf } from './occurrences.ts'
import { createMeter } from './recurrence.ts'
import {
  dateText,
  instantText,
  parseWritten,
  startOfDay,
  toWall,
  type WallMs,
  type Zone,
} from './wall-clock.ts'

export interface Component {
  readonly segment: EventSegment
  readonly event: EventProperties
}

export interface Target {
  readonly components: readonly Component[]
  /** The event itself; undefined when the file has only an exception to it. */
  readonly main: Component | undefined
  /** Of the instance meant; undefined when the whole event is. */
  readonly reading: WallMs | undefined
  /** The exception that the file already has for that instance. */
  readonly exception: Component | undefined
}

export interface TargetInput {
  readonly uid: string
  /** Null, as a read gives it, is none. */
  readonly recurrenceId?: string | null | undefined
  readonly scope: 'this' | 'all'
}

/**
 * @throws ActionFailure NOT_FOUND when there is no such event or instance, INVALID_INPUT when scope
 *   and instance do not fit
 */
export function findTarget(open: OpenCalendar, input: TargetInput, viewer: Zone): Target {
  const segments = groupsOf(open.file).get(input.uid)
  if (segments === undefined) throw notFound('no such event')
  const components = segments.map((segment) => ({
    segment,
    event: parseEvent(open.file.calendar, segment),
  }))
  const series = seriesOf(components.map(({ event }) => event))
  const main = components.find(({ event }) => event === series.main)
  const { recurrenceId = null } = input
  if (input.scope === 'all') {
    if (recurrenceId !== null) throw invalid('scope all and a recurrenceId')
    return { components, main, reading: undefined, exception: undefined }
  }
  if (recurrenceId === null) {
    if (main === undefined || isRecurring(main.event))
      throw invalid('scope this and no recurrenceId')
    return { components, main, reading: undefined, exception: undefined }
  }
  const reading = parseWritten(recurrenceId)?.wall
  if (reading === undefined) throw invalid('a recurrenceId that is no time')
  const exception = components.find(({ event }) => {
    const clock = { clock: main?.event ?? event, reader: open, viewer }
    return event.recurrenceId !== undefined && readingOf(event.recurrenceId, clock) === reading
  })
  if (
    exception === undefined &&
    !(main !== undefined && hasReading(open, main.event, { reading, viewer }))
  ) {
    throw notFound('no such instance')
  }
  return { components, main, reading, exception }
}

function hasReading(
  open: OpenCalendar,
  event: EventProperties,
  { reading, viewer }: { reading: WallMs; viewer: Zone },
): boolean {
  const clock = { clock: event, reader: open, viewer }
  const isExcluded = event.excluded.some((time) =>
    time.kind === 'date' ? time.wall === startOfDay(reading) : readingOf(time, clock) === reading,
  )
  if (isExcluded) return false
  for (const { wall } of readings(event, clock, {
    from: reading,
    to: reading,
    meter: createMeter(),
  })) {
    if (wall === reading) return true
  }
  return false
}

/** Start and length of the series' instance at a reading, as if it stood alone. */
export function instanceOf(
  event: EventProperties,
  reading: WallMs,
  open: OpenCalendar,
  viewer: Zone,
): { start: EventTime; end: EventTime | Length | undefined } {
  const start = { ...event.start, wall: reading }
  if (event.end === undefined || 'days' in event.end) return { start, end: event.end }
  if (event.start.kind === 'date') {
    return { start, end: { ...event.end, wall: event.end.wall + reading - event.start.wall } }
  }
  const span = spanOf(event.start, event.end, { reader: open, viewer })
  return { start, end: { days: 0, ms: span.end - span.start } }
}

export interface DetailsInput {
  readonly open: OpenCalendar
  readonly viewer: Zone
  /** Of one instance of the series, instead of its first. */
  readonly reading?: WallMs | undefined
}

export function detailsOf(
  event: EventProperties,
  { open, viewer, reading }: DetailsInput,
): EventDetails {
  const { start, end } = reading === undefined ? event : instanceOf(event, reading, open, viewer)
  const span = spanOf(start, end, { reader: open, viewer })
  const text = (instant: number) =>
    span.allDay ? dateText(toWall(viewer, instant)) : instantText(viewer, instant)
  return {
    summary: event.summary,
    start: text(span.start),
    end: text(span.end),
    allDay: span.allDay,
    timeZone: span.zone.id,
    location: event.location,
    description: event.description,
    rrule: reading === undefined ? (event.rules[0] ?? null) : null,
  }
}

/** A component that is not in the file yet, read as it would be if it were. */
export function parseComponent(calendar: string, text: string): Component {
  const wrapped = Buffer.from(`BEGIN:VCALENDAR\n${text}END:VCALENDAR\n`)
  const segment = parseCalendarText(calendar, wrapped).events[0]
  if (segment === undefined) throw new Error('a component without an event')
  return { segment, event: parseEvent(calendar, segment) }
}
