// One VTODO as typed values, and as it is shown. Read as events are: property by property, only those
// that this agent understands. Pure.

import { type EventTime, readProperties } from '../calendar/event-properties.ts'
import { corrupt, notFound } from '../calendar/failures.ts'
import type { OpenCalendar } from '../calendar/folder.ts'
import { type EventSegment, etagOf, groupsOf, lineValue, textsOf } from '../calendar/ics-text.ts'
import { spanOf } from '../calendar/occurrences.ts'
import {
  clockText,
  dateText,
  type InstantMs,
  instantText,
  toInstant,
  toWall,
  type Zone,
} from '../calendar/wall-clock.ts'
import type { Reminder, ReminderDetails } from './manifest.ts'

export interface Todo {
  readonly uid: string
  readonly title: string
  readonly start: EventTime | undefined
  readonly due: EventTime | undefined
  /** When it was due before it was snoozed; else as `due`. */
  readonly scheduled: EventTime | undefined
  readonly notes: string | null
  readonly priority: number
  readonly completed: boolean
  readonly completedAt: EventTime | undefined
  readonly rule: string | undefined
  readonly sequence: number
}

const understood = new Set([
  'RECURRENCE-ID',
  'DTSTART',
  'DUE',
  'COMPLETED',
  'SUMMARY',
  'DESCRIPTION',
  'PRIORITY',
  'STATUS',
  'SEQUENCE',
])

/** @throws ActionFailure CORRUPT_DATA */
export function parseTodo(list: string, segment: EventSegment): Todo {
  const { time, text } = readProperties(list, segment, understood)
  if (time('RECURRENCE-ID') !== undefined) {
    throw corrupt(list, 'a reminder with an exception to its rule')
  }
  const rules = segment.lines.filter(({ name, depth }) => name === 'RRULE' && depth === 1)
  if (rules.length > 1) throw corrupt(list, 'a reminder with two rules')
  const status = text('STATUS')?.toUpperCase()
  const priority = Number(text('PRIORITY') ?? 0)
  return {
    uid: segment.uid,
    title: text('SUMMARY') ?? '',
    start: time('DTSTART'),
    due: time('DUE'),
    scheduled: scheduledIn(list, segment) ?? time('DUE'),
    notes: text('DESCRIPTION'),
    priority: Number.isInteger(priority) && priority >= 0 && priority <= 9 ? priority : 0,
    completed: status === 'COMPLETED' || status === 'CANCELLED' || time('COMPLETED') !== undefined,
    completedAt: time('COMPLETED'),
    rule: rules[0] === undefined ? undefined : lineValue(rules[0].text),
    sequence: Number(text('SEQUENCE') ?? 0) || 0,
  }
}

/** Keeps the time of a reminder that repeats while it is snoozed, so that the next ones are not late too. */
export const scheduledLine = 'X-BULKHEAD-DUE'

function scheduledIn(list: string, segment: EventSegment): EventTime | undefined {
  const line = segment.lines.find(({ name, depth }) => name === scheduledLine && depth === 1)
  if (line === undefined) return undefined
  const due = { ...line, name: 'DUE', text: line.text.slice(scheduledLine.length - 'DUE'.length) }
  return readProperties(list, { ...segment, lines: [due] }, new Set(['DUE'])).time('DUE')
}

export interface FoundTodo {
  readonly todo: Todo
  readonly segment: EventSegment
  readonly etag: string
}

/** @throws ActionFailure CORRUPT_DATA also for two of one id */
export function todosIn({ file }: OpenCalendar): readonly FoundTodo[] {
  return [...groupsOf(file).values()].map((segments) => {
    const [segment] = segments
    if (segment === undefined || segments.length > 1) {
      throw corrupt(file.calendar, 'two reminders of one id')
    }
    return {
      todo: parseTodo(file.calendar, segment),
      segment,
      etag: etagOf(textsOf(file, segments)),
    }
  })
}

/** @throws ActionFailure NOT_FOUND */
export function todoOf(open: OpenCalendar, uid: string): FoundTodo {
  const found = todosIn(open).find(({ todo }) => todo.uid === uid)
  if (found === undefined) throw notFound('no such reminder')
  return found
}

export interface Seen {
  readonly open: OpenCalendar
  readonly viewer: Zone
}

export interface Due {
  /** Of a whole day its beginning. */
  readonly at: InstantMs
  readonly allDay: boolean
  /** When it is late: of a whole day its end. */
  readonly lateAt: InstantMs
}

export function dueOf({ due }: Todo, { open, viewer }: Seen): Due | undefined {
  if (due === undefined) return undefined
  const { allDay, start, end } = spanOf(due, undefined, { reader: open, viewer })
  return { at: start, allDay, lateAt: end }
}

export function detailsOf(todo: Todo, seen: Seen): ReminderDetails {
  const due = dueOf(todo, seen)
  const { viewer } = seen
  const { completedAt } = todo
  const wall = due === undefined ? 0 : toWall(viewer, due.at)
  const dayText = dateText(wall)
  return {
    title: todo.title,
    due: due === undefined ? null : due.allDay ? dayText : instantText(viewer, due.at),
    dueLocal: due === undefined ? null : due.allDay ? dayText : `${dayText} ${clockText(wall)}`,
    allDay: due?.allDay ?? false,
    priority: todo.priority,
    notes: todo.notes,
    completed: todo.completed,
    completedAt:
      completedAt === undefined
        ? null
        : instantText(
            viewer,
            completedAt.kind === 'utc' ? completedAt.wall : toInstant(viewer, completedAt.wall),
          ),
    rrule: todo.rule ?? null,
  }
}

/** Characters of a title or notes in a list; the rest is in the file. */
const maxShown = 500

export function shown({ todo, etag }: FoundTodo, seen: Seen, now: number): Reminder {
  const due = dueOf(todo, seen)
  const details = detailsOf(todo, seen)
  return {
    ...details,
    title: details.title.slice(0, maxShown),
    notes: details.notes?.slice(0, maxShown) ?? null,
    uid: todo.uid,
    list: seen.open.file.calendar,
    overdue: !todo.completed && due !== undefined && due.lateAt <= now,
    etag,
  }
}
