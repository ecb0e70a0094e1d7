// The writes: what the component of a reminder shall be, as text. Invariant: nothing here writes; the
// calendar's change.ts does, once, on condition and with a journal, and a dry run is the same path
// without its last step. What a change does not name stays byte for byte.

import { makeChange, revertChange } from '../calendar/change.ts'
import {
  basic,
  folded,
  type TimeStyle,
  textLine,
  timeLine,
  withProperties,
} from '../calendar/event-lines.ts'
import { conflict, invalid } from '../calendar/failures.ts'
import { type OpenCalendar, openText, viewerZone } from '../calendar/folder.ts'
import { etagOf } from '../calendar/ics-text.ts'
import { type PlannedChange, readEntry, uidOf } from '../calendar/journal.ts'
import type { Keeping } from '../calendar/keeping.ts'
import { parseMoment, startOfDay, utc, type Zone } from '../calendar/wall-clock.ts'
import { type ActionContext, ActionFailure } from '../define-agent.ts'
import { remindersAt, timerList, type Written, written } from './manifest.ts'
import { movedTo, nextTime } from './repetition.ts'
import {
  detailsOf,
  type FoundTodo,
  type Seen,
  scheduledLine,
  type Todo,
  todoOf,
  todosIn,
} from './todo.ts'

export const keepingTodos: Keeping<Written> = {
  component: 'VTODO',
  folderAt: remindersAt,
  result: written,
  makesFiles: true,
  assertReadable: (open) => void todosIn(open),
}

export interface AddArgs {
  readonly list: string
  readonly title: string
  readonly due?: string | undefined
  readonly notes?: string | undefined
  readonly priority?: number | undefined
  readonly rrule?: string | undefined
  readonly timeZone?: string | undefined
  readonly dryRun: boolean
}

export async function add(args: AddArgs, context: ActionContext): Promise<Written> {
  if (args.list === timerList) throw invalid('a list of that name holds the timers')
  if (args.rrule !== undefined && args.due === undefined) throw invalid('a rule without a time')
  return create(args, context, (viewer) =>
    args.due === undefined ? undefined : timeOf(args.due, viewer),
  )
}

export interface TimerArgs {
  readonly minutes: number
  readonly title: string
  readonly dryRun: boolean
}

export async function setTimer(
  { minutes, title, dryRun }: TimerArgs,
  context: ActionContext,
): Promise<Written> {
  const at = context.now() + minutes * 60_000
  return create({ list: timerList, title, dryRun }, context, () => ({
    time: { kind: 'instant', instant: at },
    style: { kind: 'utc', zone: undefined, clock: utc },
  }))
}

interface NewTime {
  readonly time: Parameters<typeof timeLine>[1]
  readonly style: TimeStyle
}

function timeOf(text: string, viewer: Zone): NewTime {
  const { allDay, wall, instant } = parseMoment(text, viewer)
  const kind = viewer.id === 'UTC' ? 'utc' : 'local'
  const time = allDay
    ? ({ kind: 'date', day: startOfDay(wall) } as const)
    : ({ kind: 'instant', instant } as const)
  return { time, style: { kind, zone: viewer.id, clock: viewer } }
}

function create(
  args: AddArgs,
  context: ActionContext,
  dueIn: (viewer: Zone) => NewTime | undefined,
): Promise<Written> {
  const { list, dryRun } = args
  return makeChange({ calendar: list, dryRun, keeping: keepingTodos }, context, (open) => {
    const viewer = viewerZone(context.folder(remindersAt), args.timeZone, [open])
    const { newline } = open.file
    const due = dueIn(viewer)
    const uid = uidOf(context.idem)
    const line = (name: string) =>
      due === undefined ? [] : [folded(timeLine(name, due.time, due.style), newline)]
    const optional = (name: string, text: string | undefined) =>
      text === undefined || text === '' ? [] : [textLine(name, text, newline)]
    const text = [
      `BEGIN:VTODO${newline}`,
      textLine('UID', uid, newline),
      `DTSTAMP:${basic(context.now())}Z${newline}`,
      textLine('SUMMARY', args.title, newline),
      // A rule is counted from the start (RFC 5545, 3.8.5.3).
      ...(args.rrule === undefined ? [] : line('DTSTART')),
      ...line('DUE'),
      ...(args.rrule === undefined ? [] : [folded(`RRULE:${checked(args.rrule)}`, newline)]),
      ...optional('DESCRIPTION', args.notes),
      ...(args.priority === undefined ? [] : [`PRIORITY:${args.priority}${newline}`]),
      `STATUS:NEEDS-ACTION${newline}`,
      `END:VTODO${newline}`,
    ].join('')
    const made = readBack(open, text)
    requireRule(made, { open, viewer })
    return planned(list, uid, text, {
      before: null,
      after: detailsOf(made, { open, viewer }),
    })
  })
}

/** A rule of the caller's that cannot be followed is the caller's mistake, not the file's. */
function requireRule(todo: Todo, seen: Seen): void {
  try {
    nextTime(todo, seen)
  } catch (error) {
    if (!(error instanceof ActionFailure) || error.code !== 'CORRUPT_DATA') throw error
    throw invalid('rrule is invalid or of a kind that is not supported')
  }
}

function checked(rule: string): string {
  if (!/^[A-Za-z0-9=;,+-]+$/.test(rule)) throw invalid('rrule is not a recurrence rule')
  return rule.toUpperCase()
}

export interface TargetArgs {
  readonly list: string
  readonly uid: string
  readonly ifMatch: string
  readonly dryRun: boolean
}

export async function complete(args: TargetArgs, context: ActionContext): Promise<Written> {
  return edit(args, context, ({ todo }, { open, viewer }) => {
    if (todo.completed) throw invalid('that is done already')
    const next = todo.rule === undefined ? undefined : nextTime(todo, { open, viewer })
    if (next !== undefined) return movedTo(todo, next, { open, viewer })
    const { newline } = open.file
    return new Map([
      ['STATUS', `STATUS:COMPLETED${newline}`],
      ['COMPLETED', `COMPLETED:${basic(context.now())}Z${newline}`],
      ['PERCENT-COMPLETE', `PERCENT-COMPLETE:100${newline}`],
    ])
  })
}

export interface SnoozeArgs extends TargetArgs {
  readonly minutes?: number | undefined
  readonly until?: string | undefined
}

export async function snooze(args: SnoozeArgs, context: ActionContext): Promise<Written> {
  const { minutes, until } = args
  if ((minutes === undefined) === (until === undefined)) throw invalid('minutes, or until')
  return edit(args, context, ({ todo, segment }, { open, viewer }) => {
    if (todo.completed) throw invalid('that is done already')
    const { newline } = open.file
    const kept = segment.lines.find(({ name, depth }) => depth === 1 && name === scheduledLine)
    const due = segment.lines.find(({ name, depth }) => depth === 1 && name === 'DUE')
    const scheduled =
      kept?.raw ?? (due === undefined ? null : folded(`X-BULKHEAD-${due.text}`, newline))
    const instant = context.now() + (minutes ?? 0) * 60_000
    const later: NewTime =
      until === undefined
        ? {
            time: { kind: 'instant', instant },
            style: { kind: 'utc', zone: undefined, clock: utc },
          }
        : timeOf(until, viewer)
    return new Map([
      ['DUE', folded(timeLine('DUE', later.time, later.style), newline)],
      [scheduledLine, todo.rule === undefined ? null : scheduled],
    ])
  })
}

export async function cancelTimer(
  { uid, ifMatch, dryRun }: Omit<TargetArgs, 'list'>,
  context: ActionContext,
): Promise<Written> {
  const target = { calendar: timerList, uid, dryRun, keeping: keepingTodos }
  return makeChange(target, context, (open) => {
    const viewer = viewerZone(context.folder(remindersAt), undefined, [open])
    const { todo } = unchanged(open, uid, ifMatch)
    const before = detailsOf(todo, { open, viewer })
    return planned(timerList, uid, undefined, { before, after: null })
  })
}

function edit(
  { list, uid, ifMatch, dryRun }: TargetArgs,
  context: ActionContext,
  changesOf: (found: FoundTodo, seen: Seen) => ReadonlyMap<string, string | null>,
): Promise<Written> {
  return makeChange({ calendar: list, uid, dryRun, keeping: keepingTodos }, context, (open) => {
    const viewer = viewerZone(context.folder(remindersAt), undefined, [open])
    const found = unchanged(open, uid, ifMatch)
    const stamp = `${basic(context.now())}Z${open.file.newline}`
    const text = withProperties(
      found.segment.lines,
      new Map([
        ['DTSTAMP', `DTSTAMP:${stamp}`],
        ['LAST-MODIFIED', `LAST-MODIFIED:${stamp}`],
        ['SEQUENCE', `SEQUENCE:${found.todo.sequence + 1}${open.file.newline}`],
        ...changesOf(found, { open, viewer }),
      ]),
    )
    return planned(list, uid, text, {
      before: detailsOf(found.todo, { open, viewer }),
      after: detailsOf(readBack(open, text), { open, viewer }),
    })
  })
}

/** @throws ActionFailure NOT_FOUND; CONFLICT when it is not as it was read */
function unchanged(open: OpenCalendar, uid: string, ifMatch: string): FoundTodo {
  const found = todoOf(open, uid)
  if (found.etag !== ifMatch) throw conflict('the reminder was changed since it was read')
  return found
}

function planned(
  list: string,
  uid: string,
  text: string | undefined,
  shown: Pick<Written, 'before' | 'after'>,
): PlannedChange<Written> {
  const texts = text === undefined ? [] : [text]
  const etag = text === undefined ? null : etagOf(texts)
  return { uid, texts, result: { uid, list, etag, ...shown } }
}

/** A component as it would be read if it stood in the file. */
function readBack(open: OpenCalendar, text: string): Todo {
  const wrapped = `BEGIN:VCALENDAR\n${text}END:VCALENDAR\n`
  const [found] = todosIn(openText(open.file.calendar, wrapped, { component: 'VTODO' }))
  if (found === undefined) throw new Error('a component without a reminder')
  return found.todo
}

export interface RevertArgs {
  readonly change: string
  readonly dryRun: boolean
}

export async function revert({ change, dryRun }: RevertArgs, context: ActionContext) {
  const list = readEntry(context.folder(remindersAt), change)?.calendar
  if (list === undefined) {
    return { list: null, uid: null, outcome: 'not-applied' as const, before: null, after: null }
  }
  const input = { calendar: list, change, dryRun }
  const { calendar: _, ...reverted } = await revertChange(input, keepingTodos, context)
  return { list, ...reverted }
}
