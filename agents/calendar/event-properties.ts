// One VEVENT as typed values. ical.js reads the content lines; what it gives is proven here, value by
// value, and only the properties that this agent understands are shown to it at all: attachments,
// alarms and other people's extensions are never interpreted. Pure.

import ICAL from 'ical.js'
import { corrupt } from './failures.ts'
import { type EventSegment, lineValue } from './ics-text.ts'
import { dayMs, parseWritten, type WallMs, type WrittenTime } from './wall-clock.ts'

/** A time of the file. `zone` is its TZID; without one it floats, unless it is UTC. */
export interface EventTime extends WrittenTime {
  readonly zone: string | undefined
}

/** How long an event is: days are days on the calendar, the rest is exact. */
export interface Length {
  readonly days: number
  readonly ms: number
}

export interface EventProperties {
  readonly uid: string
  readonly recurrenceId: EventTime | undefined
  readonly start: EventTime
  /** Undefined when neither DTEND nor DURATION is there. */
  readonly end: EventTime | Length | undefined
  readonly rules: readonly string[]
  readonly extra: readonly {
    readonly start: EventTime
    readonly end: EventTime | Length | undefined
  }[]
  readonly excluded: readonly EventTime[]
  readonly summary: string
  readonly location: string | null
  readonly description: string | null
  /** Who takes part, as written and uninterpreted: only to be searched. */
  readonly people: string
  readonly cancelled: boolean
  readonly transparent: boolean
  readonly sequence: number
}

const understood = new Set([
  'RECURRENCE-ID',
  'DTSTART',
  'DTEND',
  'DURATION',
  'RDATE',
  'EXDATE',
  'SUMMARY',
  'LOCATION',
  'DESCRIPTION',
  'STATUS',
  'TRANSP',
  'SEQUENCE',
])
/** RDATE and EXDATE values of one event: a lifetime of weekly exceptions. */
const maxListed = 5_000

type Line = readonly [
  name: string,
  parameters: Record<string, unknown>,
  type: string,
  ...values: unknown[],
]

/** What a component says under one name, proven; the first such line counts. */
export interface ReadProperties {
  time(name: string): EventTime | undefined
  text(name: string): string | null
}

/**
 * The named properties of a component of any kind, and no others.
 * @throws ActionFailure CORRUPT_DATA
 */
export function readProperties(
  calendar: string,
  segment: EventSegment,
  names: ReadonlySet<string>,
): ReadProperties {
  const parsed = segment.lines
    .filter(({ name, depth }) => depth === 1 && names.has(name))
    .map(({ text }) => parseLine(calendar, text))
  const find = (name: string) => parsed.find(([candidate]) => candidate === name.toLowerCase())
  return {
    time: (name) => {
      const line = find(name)
      return line === undefined ? undefined : timesOf(calendar, line)[0]
    },
    text: (name) => textOf(find(name)),
  }
}

/** @throws ActionFailure CORRUPT_DATA */
export function parseEvent(calendar: string, segment: EventSegment): EventProperties {
  const fail = (what: string) => corrupt(calendar, what)
  const lines = segment.lines.filter(({ name, depth }) => depth === 1 && understood.has(name))
  const parsed = lines.map(({ text }) => parseLine(calendar, text))
  const find = (name: string) => parsed.find(([candidate]) => candidate === name)
  const time = (line: Line | undefined) =>
    line === undefined ? undefined : timesOf(calendar, line)[0]
  const start = time(find('dtstart'))
  if (start === undefined) throw fail('an event without a start')
  const recurrenceId = find('recurrence-id')
  if (recurrenceId?.[1]['range'] !== undefined)
    throw fail('an exception for this and all later ones')
  const listed = (name: string) => parsed.filter(([candidate]) => candidate === name)
  const excluded = listed('exdate').flatMap((line) => timesOf(calendar, line))
  const extra = listed('rdate').flatMap((line) => extraOf(calendar, line))
  if (excluded.length + extra.length > maxListed) throw fail('an event with too many dates')
  return {
    uid: segment.uid,
    recurrenceId: time(recurrenceId),
    start,
    end: time(find('dtend')) ?? lengthOf(calendar, find('duration')),
    rules: segment.lines
      .filter(({ name, depth }) => name === 'RRULE' && depth === 1)
      .map(({ text }) => lineValue(text)),
    extra,
    excluded,
    summary: textOf(find('summary')) ?? '',
    location: textOf(find('location')),
    description: textOf(find('description')),
    people: peopleIn(segment),
    cancelled: textOf(find('status'))?.toUpperCase() === 'CANCELLED',
    transparent: textOf(find('transp'))?.toUpperCase() === 'TRANSPARENT',
    sequence: Number(textOf(find('sequence')) ?? 0) || 0,
  }
}

/** Names and addresses of a large meeting. */
const maxPeopleCharacters = 20_000

function peopleIn({ lines }: EventSegment): string {
  return lines
    .filter(({ name, depth }) => depth === 1 && (name === 'ATTENDEE' || name === 'ORGANIZER'))
    .map(({ text }) => text)
    .join('\n')
    .slice(0, maxPeopleCharacters)
}

function parseLine(calendar: string, text: string): Line {
  try {
    const parsed: unknown = ICAL.parse.property(text, ICAL.design.icalendar)
    if (isLine(parsed)) return parsed
  } catch {
    // What the library says quotes the line.
  }
  throw corrupt(calendar, 'an event with a line that cannot be read')
}

function isLine(value: unknown): value is Line {
  return (
    Array.isArray(value) &&
    value.length >= 4 &&
    typeof value[0] === 'string' &&
    typeof value[1] === 'object'
  )
}

function timesOf(calendar: string, line: Line): EventTime[] {
  return line.slice(3).map((value) => timeOf(calendar, line, value))
}

function timeOf(calendar: string, line: Line, value: unknown): EventTime {
  const written = typeof value === 'string' ? parseWritten(value) : undefined
  if (written === undefined) throw corrupt(calendar, 'an event with a date that does not exist')
  const zone = line[1]['tzid']
  return {
    ...written,
    zone: typeof zone === 'string' && written.kind === 'local' ? zone.trim() : undefined,
  }
}

function extraOf(
  calendar: string,
  line: Line,
): { start: EventTime; end: EventTime | Length | undefined }[] {
  return line.slice(3).map((value) => {
    if (!Array.isArray(value)) return { start: timeOf(calendar, line, value), end: undefined }
    const [from, to]: unknown[] = value
    const isLength = typeof to === 'string' && /^[+-]?P/.test(to)
    return {
      start: timeOf(calendar, line, from),
      end: isLength ? parseLength(calendar, to) : timeOf(calendar, line, to),
    }
  })
}

function lengthOf(calendar: string, line: Line | undefined): Length | undefined {
  const value = line?.[3]
  return line === undefined ? undefined : parseLength(calendar, String(value))
}

function parseLength(calendar: string, text: string): Length {
  const match =
    /^\+?P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?$/.exec(
      text,
    )
  if (match === null) throw corrupt(calendar, 'an event with a duration that cannot be read')
  const [weeks, days, hours, minutes, seconds] = match
    .slice(1)
    .map((part: string | undefined) => Number(part ?? 0))
  return {
    days: (weeks ?? 0) * 7 + (days ?? 0),
    ms: (((hours ?? 0) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1_000,
  }
}

function textOf(line: Line | undefined): string | null {
  const value = line?.[3]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null
}

/** Where a time stands on the calendar when only its date matters. */
export function dayOf(time: WrittenTime): WallMs {
  return Math.floor(time.wall / dayMs) * dayMs
}
