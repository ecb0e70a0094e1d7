// create: a new event as text. Invariant: nothing here writes; change.ts does, and a dry run is the
// same path without its last step. VTIMEZONE is not written: the zone is named as in the IANA
// database, which current readers know (RFC 7809).

import { type ActionContext, ActionFailure } from '../define-agent.ts'
import { makeChange } from './change.ts'
import { basic, folded, type TimeStyle, textLine, timeLine } from './event-lines.ts'
import type { EventProperties } from './event-properties.ts'
import type { Written } from './event-shapes.ts'
import { keepingEvents } from './events-kept.ts'
import { invalid } from './failures.ts'
import { type OpenCalendar, viewerZone } from './folder.ts'
import { etagOf } from './ics-text.ts'
import { detailsOf, parseComponent } from './instances.ts'
import { uidOf } from './journal.ts'
import { calendarsAt } from './manifest.ts'
import { createMeter, ruleReadings } from './recurrence.ts'
import {
  dayMs,
  type InstantMs,
  parseMoment,
  startOfDay,
  toInstant,
  toWall,
  type Zone,
} from './wall-clock.ts'

const yearMs = 366 * dayMs

export interface CreateArgs {
  readonly calendar: string
  readonly summary: string
  readonly start: string
  readonly end?: string | undefined
  readonly durationMinutes?: number | undefined
  readonly allDay: boolean
  readonly timeZone?: string | undefined
  readonly rrule?: string | undefined
  readonly location?: string | undefined
  readonly description?: string | undefined
  readonly dryRun: boolean
}

export function create(args: CreateArgs, context: ActionContext): Promise<Written> {
  const { calendar, dryRun } = args
  return makeChange({ calendar, dryRun, keeping: keepingEvents }, context, (open) => {
    const viewer = viewerZone(context.folder(calendarsAt), args.timeZone, [open])
    const { newline } = open.file
    const span = newSpan(args, viewer)
    const style: TimeStyle = {
      kind: viewer.id === 'UTC' ? 'utc' : 'local',
      zone: viewer.id,
      clock: viewer,
    }
    const optional = (name: string, text: string | undefined) =>
      text === undefined || text === '' ? [] : [textLine(name, text, newline)]
    const uid = uidOf(context.idem)
    const text = [
      `BEGIN:VEVENT${newline}`,
      textLine('UID', uid, newline),
      `DTSTAMP:${basic(context.now())}Z${newline}`,
      folded(timeLine('DTSTART', timeToWrite(span.allDay, span.start, viewer), style), newline),
      folded(timeLine('DTEND', timeToWrite(span.allDay, span.end, viewer), style), newline),
      ...(args.rrule === undefined ? [] : [folded(`RRULE:${checkedRule(args.rrule)}`, newline)]),
      textLine('SUMMARY', args.summary, newline),
      ...optional('LOCATION', args.location),
      ...optional('DESCRIPTION', args.description),
      `END:VEVENT${newline}`,
    ].join('')
    const { event } = parseComponent(open.file.calendar, text)
    requireOwnStart(open, event)
    const result = {
      uid,
      recurrenceId: null,
      calendar: args.calendar,
      etag: etagOf([text]),
      before: null,
      after: detailsOf(event, { open, viewer }),
    }
    return { uid, texts: [text], result }
  })
}

export interface NewSpan {
  readonly allDay: boolean
  readonly start: InstantMs
  readonly end: InstantMs
}

function newSpan(args: CreateArgs, viewer: Zone): NewSpan {
  const start = parseMoment(args.start, viewer)
  const end = args.end === undefined ? undefined : parseMoment(args.end, viewer)
  if (args.allDay !== start.allDay || (end !== undefined && end.allDay !== start.allDay)) {
    throw invalid('an all-day event has dates, any other has times')
  }
  if (end !== undefined && args.durationMinutes !== undefined)
    throw invalid('an end and a duration')
  if (args.allDay) {
    if (args.durationMinutes !== undefined)
      throw invalid('an all-day event has an end, not a duration')
    return ordered({
      allDay: true,
      start: start.instant,
      end: end?.instant ?? toInstant(viewer, start.wall + dayMs),
    })
  }
  if (end === undefined && args.durationMinutes === undefined)
    throw invalid('neither end nor duration')
  return ordered({
    allDay: false,
    start: start.instant,
    end: end?.instant ?? start.instant + (args.durationMinutes ?? 0) * 60_000,
  })
}

function ordered(span: NewSpan): NewSpan {
  if (span.end <= span.start) throw invalid('the event ends before it begins')
  return span
}

export function timeToWrite(allDay: boolean, instant: InstantMs, viewer: Zone) {
  return allDay
    ? ({ kind: 'date', day: startOfDay(toWall(viewer, instant)) } as const)
    : ({ kind: 'instant', instant } as const)
}

function checkedRule(rule: string): string {
  if (!/^[A-Za-z0-9=;,+-]+$/.test(rule)) throw invalid('rrule is not a recurrence rule')
  return rule.toUpperCase()
}

/** RFC 5545 leaves a series undefined whose rule does not include its own start. */
export function requireOwnStart(open: OpenCalendar, event: EventProperties): void {
  const { start } = event
  try {
    for (const rule of event.rules) {
      const first = ruleReadings({
        calendar: open.file.calendar,
        rule,
        start: start.wall,
        isDate: start.kind === 'date',
        from: start.wall,
        stop: start.wall + 5 * yearMs,
        toWall: (until) =>
          until.kind === 'utc' && start.zone !== undefined
            ? toWall(open.zoneOf(start.zone), until.wall)
            : until.wall,
        meter: createMeter(20_000),
      }).next()
      if (first.value !== start.wall) throw invalid('rrule does not include the start of the event')
    }
  } catch (error) {
    if (error instanceof ActionFailure && error.code === 'CORRUPT_DATA') {
      throw invalid('rrule is invalid or of a kind that is not supported')
    }
    throw error
  }
}
