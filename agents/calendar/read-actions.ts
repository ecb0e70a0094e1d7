// list, search and find_free: occurrences of all calendars on the viewer's clock, in one order.

import type { ActionContext } from '../define-agent.ts'
import type { CalendarEvent } from './event-shapes.ts'
import { invalid, tooMuch } from './failures.ts'
import { openCalendars, viewerZone, type When, whenOf } from './folder.ts'
import { calendarsAt } from './manifest.ts'
import { type Occurrence, occurrencesIn } from './occurrences.ts'
import { createMeter } from './recurrence.ts'
import {
  clockText,
  dateText,
  dayMs,
  type InstantMs,
  instantText,
  parseMoment,
  startOfDay,
  toInstant,
  toWall,
  type WallMs,
  type Zone,
} from './wall-clock.ts'

/** Longest stretch that one command looks at. */
const maxRangeMs = 400 * dayMs
/** Characters of a title or a place in a list; the rest is in the file. */
const maxShown = 200

export interface Scope {
  readonly calendars?: readonly string[] | undefined
  readonly timeZone?: string | undefined
}

export interface Seen extends When {
  readonly occurrences: readonly Occurrence[]
}

type RangeOf = (viewer: Zone) => { readonly from: InstantMs; readonly to: InstantMs }

/** All occurrences that touch the range, in order. @throws ActionFailure */
export function lookThrough(scope: Scope, context: ActionContext, rangeOf: RangeOf): Seen {
  const folder = context.folder(calendarsAt)
  const { open: calendars, syncedAt } = openCalendars(folder, scope.calendars)
  const viewer = viewerZone(folder, scope.timeZone, calendars)
  const { from, to } = rangeOf(viewer)
  if (to <= from) throw invalid('the range ends before it begins')
  if (to - from > maxRangeMs) throw tooMuch('a range of more than 400 days')
  const meter = createMeter()
  const occurrences = calendars.flatMap((reader) =>
    occurrencesIn(reader, { viewer, from, to, meter }),
  )
  return { viewer, syncedAt, occurrences: occurrences.sort(inOrder) }
}

/** All-day first within a day, then by time; the rest only makes the order the same every time. */
function inOrder(left: Occurrence, right: Occurrence): number {
  return (
    left.start - right.start ||
    Number(right.allDay) - Number(left.allDay) ||
    left.end - right.end ||
    compare(left.calendar, right.calendar) ||
    compare(left.event.summary, right.event.summary) ||
    compare(left.event.uid, right.event.uid)
  )
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

export interface ListArgs extends Scope {
  readonly day: string
  readonly days: number
  readonly query?: string | undefined
  readonly limit: number
}

export function list(args: ListArgs, context: ActionContext) {
  let first: WallMs = 0
  const seen = lookThrough(args, context, (viewer) => {
    first =
      args.day === 'today'
        ? startOfDay(toWall(viewer, context.now()))
        : startOfDay(parseMoment(args.day, viewer).wall)
    return { from: toInstant(viewer, first), to: toInstant(viewer, first + args.days * dayMs) }
  })
  return { day: dateText(first), ...found(seen, args) }
}

export interface SearchArgs extends Scope {
  readonly query: string
  readonly from: string
  readonly to: string
  readonly limit: number
}

export function search(args: SearchArgs, context: ActionContext) {
  return found(lookThrough(args, context, rangeOf(args)), args)
}

function rangeOf({ from, to }: { readonly from: string; readonly to: string }): RangeOf {
  return (viewer) => ({
    from: parseMoment(from, viewer).instant,
    to: parseMoment(to, viewer).instant,
  })
}

/** True when one of the texts has the words in it, capitals aside; no words are in any. */
export function hasText(texts: readonly (string | null)[], words: string | undefined): boolean {
  const wanted = words?.toLowerCase() ?? ''
  return texts.some((text) => (text ?? '').toLowerCase().includes(wanted))
}

function found(
  seen: Seen,
  { query, limit }: { readonly query?: string | undefined; readonly limit: number },
) {
  const matching = seen.occurrences.filter(({ event }) =>
    hasText([event.summary, event.location, event.description], query),
  )
  return {
    ...whenOf(seen),
    count: matching.length,
    events: matching.slice(0, limit).map((occurrence) => shown(occurrence, seen.viewer)),
  }
}

/** An occurrence as it is listed. */
export function shown({ event, ...occurrence }: Occurrence, viewer: Zone): CalendarEvent {
  const { allDay, start, end, recurrenceId } = occurrence
  const text = (instant: InstantMs) =>
    allDay ? dateText(toWall(viewer, instant)) : instantText(viewer, instant)
  const local = (instant: InstantMs) => (allDay ? 'all day' : clockText(toWall(viewer, instant)))
  return {
    uid: event.uid,
    recurrenceId: recurrenceId === null ? null : recurrenceText(recurrenceId, event.start.kind),
    calendar: occurrence.calendar,
    summary: shorten(event.summary),
    start: text(start),
    end: text(end),
    startLocal: local(start),
    endLocal: local(end),
    allDay,
    timeZone: occurrence.zone.id,
    location: event.location === null ? null : shorten(event.location),
    etag: occurrence.etag,
  }
}

/** The name of an instance, as `recurrenceId` of update and delete takes it. */
export function recurrenceText(wall: WallMs, kind: 'date' | 'local' | 'utc'): string {
  const reading = new Date(wall).toISOString().slice(0, 19)
  return kind === 'date' ? reading.slice(0, 10) : kind === 'utc' ? `${reading}Z` : reading
}

function shorten(text: string): string {
  const characters = [...text.slice(0, 4 * maxShown)]
  return characters.length > maxShown ? `${characters.slice(0, maxShown - 1).join('')}…` : text
}

export interface FindFreeArgs extends Scope {
  readonly from: string
  readonly to: string
  readonly durationMinutes: number
  readonly workHours?: { readonly start: string; readonly end: string } | undefined
  readonly bufferMinutes?: number | undefined
}

/** Stretches of at least the duration that no event, with its buffer on both sides, touches. */
export function findFree(args: FindFreeArgs, context: ActionContext) {
  const range = rangeOf(args)
  const buffer = (args.bufferMinutes ?? 0) * 60_000
  const { viewer, syncedAt, occurrences } = lookThrough(args, context, (zone) => {
    const { from, to } = range(zone)
    if (to <= from) throw invalid('the range ends before it begins')
    return { from: from - buffer, to: to + buffer }
  })
  const free: { start: string; end: string }[] = []
  const wantedMs = args.durationMinutes * 60_000
  const { from, to } = range(viewer)
  const busy = occurrences
    .filter(({ event, start, end }) => !event.transparent && end > start)
    .map(({ start, end }) => ({ start: start - buffer, end: end + buffer }))
  for (const open of openHours(args.workHours, { from, to, viewer })) {
    let at = open.start
    for (const { start, end } of [...busy, { start: open.end, end: open.end }]) {
      const until = Math.min(start, open.end)
      if (until - at >= wantedMs) {
        free.push({ start: instantText(viewer, at), end: instantText(viewer, until) })
      }
      at = Math.max(at, end)
    }
  }
  return { ...whenOf({ viewer, syncedAt }), free: free.slice(0, 1_000) }
}

function openHours(
  hours: FindFreeArgs['workHours'],
  { from, to, viewer }: { from: InstantMs; to: InstantMs; viewer: Zone },
): { start: InstantMs; end: InstantMs }[] {
  if (hours === undefined) return [{ start: from, end: to }]
  if (hours.end <= hours.start) throw invalid('workHours end before they begin')
  const open: { start: InstantMs; end: InstantMs }[] = []
  for (let day = startOfDay(toWall(viewer, from)); toInstant(viewer, day) < to; day += dayMs) {
    const at = (clock: string) =>
      toInstant(viewer, day + (Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3))) * 60_000)
    const start = Math.max(from, at(hours.start))
    const end = Math.min(to, at(hours.end))
    if (start < end) open.push({ start, end })
  }
  return open
}
