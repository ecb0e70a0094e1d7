// update and delete, and reschedule and cancel, which do the same where others may be told: what the
// components of an existing event shall be, as text. Invariant: nothing here writes; change.ts does. A
// patch touches the properties that it names, the event's dates where times change, and its version;
// the rest of the component stays byte for byte.

import type { ActionContext } from '../define-agent.ts'
import { makeChange } from './change.ts'
import { type NewSpan, requireOwnStart, timeToWrite } from './create-event.ts'
import {
  basic,
  folded,
  readingLine,
  type TimeStyle,
  textLine,
  timeLine,
  withProperties,
} from './event-lines.ts'
import type { Written } from './event-shapes.ts'
import { keepingEvents } from './events-kept.ts'
import { conflict, invalid } from './failures.ts'
import { type OpenCalendar, viewerZone } from './folder.ts'
import { etagOf, groupTexts } from './ics-text.ts'
import {
  type Component,
  detailsOf,
  findTarget,
  instanceOf,
  parseComponent,
  type Target,
  type TargetInput,
} from './instances.ts'
import type { PlannedChange } from './journal.ts'
import { calendarsAt } from './manifest.ts'
import { isRecurring, spanOf } from './occurrences.ts'
import { recurrenceText } from './read-actions.ts'
import {
  dayMs,
  type InstantMs,
  parseMoment,
  startOfDay,
  toInstant,
  toWall,
  utc,
  type WallMs,
  type Zone,
} from './wall-clock.ts'

export interface Patch {
  readonly summary?: string | undefined
  readonly start?: string | undefined
  readonly end?: string | undefined
  readonly location?: string | null | undefined
  readonly description?: string | null | undefined
}

export interface UpdateArgs extends TargetInput {
  readonly calendar: string
  readonly patch: Patch
  readonly ifMatch: string
  readonly dryRun: boolean
}

/** @throws ActionFailure TELLS_OTHERS for an event on a server with others in it */
export async function update(args: UpdateArgs, context: ActionContext): Promise<Written> {
  return edit(args, context, false)
}

/** As update, of an event whose guests a server may mail: irreversible, so that a person is asked. */
export async function reschedule(args: UpdateArgs, context: ActionContext): Promise<Written> {
  return edit(args, context, true)
}

async function edit(args: UpdateArgs, context: ActionContext, mayTell: boolean): Promise<Written> {
  if (Object.keys(args.patch).length === 0) throw invalid('an empty patch')
  return makeChange({ ...args, keeping: keepingEvents, mayTell }, context, (open) => {
    const { target, viewer } = locate(args, open, context)
    const { main, reading, exception } = target
    const patched = exception ?? main
    if (patched === undefined) throw invalid('only an exception of that series is in this calendar')
    const isNewException = reading !== undefined && exception === undefined
    const base = isNewException ? newException(patched, { reading, open, viewer }) : patched
    if (reading === undefined) requireMovable(target, args.patch)
    const changes = patchLines(base, { patch: args.patch, open, viewer, now: context.now() })
    const text = withProperties(base.segment.lines, changes)
    const { event } = parseComponent(args.calendar, text)
    if (reading === undefined) requireOwnStart(open, event)
    const texts = target.components.map((component) =>
      component === patched && !isNewException ? text : rawOf(component),
    )
    if (isNewException) texts.push(text)
    const before = detailsOf(patched.event, {
      open,
      viewer,
      ...(isNewException ? { reading } : {}),
    })
    return planned(args, { target, texts, before, after: detailsOf(event, { open, viewer }) })
  })
}

export function rawOf({ segment }: Component): string {
  return segment.lines.map(({ raw }) => raw).join('')
}

interface LocatedEvent {
  readonly target: Target
  readonly viewer: Zone
}

export function locate(
  args: TargetInput & { readonly ifMatch: string },
  open: OpenCalendar,
  context: ActionContext,
): LocatedEvent {
  const viewer = viewerZone(context.folder(calendarsAt), undefined, [open])
  const target = findTarget(open, args, viewer)
  if (etagOf(groupTexts(open.file, args.uid)) !== args.ifMatch) {
    throw conflict('the event was changed since it was read')
  }
  return { target, viewer }
}

export function planned(
  args: TargetInput & { readonly calendar: string },
  change: { readonly target: Target; readonly texts: readonly string[] } & Pick<
    Written,
    'before' | 'after'
  >,
): PlannedChange<Written> {
  const { target, texts, before, after } = change
  const first = target.components[0]?.event
  const recurrenceId =
    target.reading === undefined
      ? null
      : recurrenceText(target.reading, (target.main?.event ?? first)?.start.kind ?? 'local')
  const etag = texts.length === 0 ? null : etagOf(texts)
  return {
    uid: args.uid,
    texts,
    result: { uid: args.uid, recurrenceId, calendar: args.calendar, etag, before, after },
  }
}

/** The exceptions and excluded dates of a series are named by its old times. */
function requireMovable({ main, components }: Target, patch: Patch): void {
  if (patch.start === undefined || main === undefined || !isRecurring(main.event)) return
  if (components.length > 1 || main.event.excluded.length > 0 || main.event.extra.length > 0) {
    throw invalid('a series with exceptions cannot be moved as a whole')
  }
}

/** The component that stands for one instance from now on: the series' own, without its repetition. */
export function newException(
  main: Component,
  { reading, open, viewer }: { reading: WallMs; open: OpenCalendar; viewer: Zone },
): Component {
  const { newline } = open.file
  const { start, end } = instanceOf(main.event, reading, open, viewer)
  const line = (text: string) => folded(text, newline)
  const style = styleOf(start, open, viewer)
  const span = spanOf(start, end, { reader: open, viewer })
  const changes = new Map<string, string | null>([
    ['RRULE', null],
    ['RDATE', null],
    ['EXDATE', null],
    ['EXRULE', null],
    ['DURATION', null],
    ['RECURRENCE-ID', line(readingLine('RECURRENCE-ID', reading, start))],
    ['DTSTART', line(readingLine('DTSTART', reading, start))],
    ['DTEND', line(timeLine('DTEND', timeToWrite(span.allDay, span.end, viewer), style))],
  ])
  return parseComponent(open.file.calendar, withProperties(main.segment.lines, changes))
}

function styleOf(
  time: Pick<TimeStyle, 'kind' | 'zone'>,
  open: OpenCalendar,
  viewer: Zone,
): TimeStyle {
  const clock =
    time.kind === 'utc' ? utc : time.zone === undefined ? viewer : open.zoneOf(time.zone)
  return { kind: time.kind, zone: time.zone, clock }
}

interface PatchInput {
  readonly patch: Patch
  readonly open: OpenCalendar
  readonly viewer: Zone
  readonly now: number
}

function patchLines(
  { event }: Component,
  { patch, open, viewer, now }: PatchInput,
): Map<string, string | null> {
  const { newline } = open.file
  const stamp = `${basic(now)}Z${newline}`
  const changes = new Map<string, string | null>([
    ['DTSTAMP', `DTSTAMP:${stamp}`],
    ['LAST-MODIFIED', `LAST-MODIFIED:${stamp}`],
    ['SEQUENCE', `SEQUENCE:${event.sequence + 1}${newline}`],
  ])
  for (const [name, text] of [
    ['SUMMARY', patch.summary],
    ['LOCATION', patch.location],
    ['DESCRIPTION', patch.description],
  ] as const) {
    if (text === undefined) continue
    changes.set(name, text === null || text === '' ? null : textLine(name, text, newline))
  }
  if (patch.start === undefined && patch.end === undefined) return changes
  const old = spanOf(event.start, event.end, { reader: open, viewer })
  const start = patch.start === undefined ? old.start : momentOf(patch.start, old.allDay, viewer)
  const end =
    patch.end === undefined ? start + old.end - old.start : momentOf(patch.end, old.allDay, viewer)
  const span = old.allDay && patch.end === undefined ? wholeDays(start, old, viewer) : end
  if (span < start || (span === start && patch.end !== undefined))
    throw invalid('the event ends before it begins')
  const style = styleOf(event.start, open, viewer)
  changes.set(
    'DTSTART',
    folded(timeLine('DTSTART', timeToWrite(old.allDay, start, viewer), style), newline),
  )
  changes.set(
    'DTEND',
    folded(timeLine('DTEND', timeToWrite(old.allDay, span, viewer), style), newline),
  )
  changes.set('DURATION', null)
  return changes
}

function momentOf(text: string, allDay: boolean, viewer: Zone): InstantMs {
  const moment = parseMoment(text, viewer)
  if (moment.allDay !== allDay) throw invalid('an all-day event has dates, any other has times')
  return moment.instant
}

/** Days on the calendar, of which one may have 23 hours. */
function wholeDays(start: InstantMs, old: NewSpan, viewer: Zone): InstantMs {
  const days = Math.round((old.end - old.start) / dayMs)
  return toInstant(viewer, startOfDay(toWall(viewer, start)) + days * dayMs)
}

export interface DeleteArgs extends TargetInput {
  readonly calendar: string
  readonly ifMatch: string
  readonly dryRun: boolean
}

/** @throws ActionFailure TELLS_OTHERS for an event on a server with others in it */
export function remove(args: DeleteArgs, context: ActionContext): Promise<Written> {
  return takeAway(args, context, false)
}

/** As delete, of an event whose guests a server may mail that it is off. */
export function cancel(args: DeleteArgs, context: ActionContext): Promise<Written> {
  return takeAway(args, context, true)
}

function takeAway(args: DeleteArgs, context: ActionContext, mayTell: boolean): Promise<Written> {
  return makeChange({ ...args, keeping: keepingEvents, mayTell }, context, (open) => {
    const { target, viewer } = locate(args, open, context)
    const { main, reading, exception } = target
    const shown = exception ?? main ?? target.components[0]
    if (shown === undefined) throw new Error('an event without components')
    const isInSeries = reading !== undefined && exception === undefined
    const before = detailsOf(shown.event, { open, viewer, ...(isInSeries ? { reading } : {}) })
    if (reading === undefined) return planned(args, { target, texts: [], before, after: null })
    const texts = target.components
      .filter((component) => component !== exception)
      .map((component) =>
        component === main ? withExcluded(main, reading, open, context.now()) : rawOf(component),
      )
    return planned(args, { target, texts, before, after: null })
  })
}

function withExcluded(main: Component, reading: WallMs, open: OpenCalendar, now: number): string {
  const { newline } = open.file
  const { segment, event } = main
  const kept = segment.lines.filter(({ name, depth }) => name === 'EXDATE' && depth === 1)
  const added = folded(readingLine('EXDATE', reading, event.start), newline)
  return withProperties(
    segment.lines,
    new Map([
      ['EXDATE', kept.map(({ raw }) => raw).join('') + added],
      ['DTSTAMP', `DTSTAMP:${basic(now)}Z${newline}`],
      ['SEQUENCE', `SEQUENCE:${event.sequence + 1}${newline}`],
    ]),
  )
}
