// A reminder that comes again is one component whose times move on when it is done, as other programs
// keep it. The rule goes on from the new start, so a number of times is counted down. Pure.

import { folded, readingLine } from '../calendar/event-lines.ts'
import type { EventTime } from '../calendar/event-properties.ts'
import { corrupt, invalid } from '../calendar/failures.ts'
import { createMeter, ruleReadings } from '../calendar/recurrence.ts'
import { dayMs, toWall, utc, type WallMs, type Zone } from '../calendar/wall-clock.ts'
import { type Seen, scheduledLine, type Todo } from './todo.ts'

/** How far ahead a rule is followed; a rarer one ends. */
const yearsAhead = 10

export interface NextTime {
  readonly start: WallMs
  /** Times that are left, with this one; undefined where the rule has no such number. */
  readonly count: number | undefined
}

/**
 * The reading after the present one, on the clock of the start; undefined when the rule has ended.
 * @throws ActionFailure CORRUPT_DATA for a rule that is invalid or not supported, or has no start
 */
export function nextTime(todo: Todo, { open, viewer }: Seen): NextTime | undefined {
  const { calendar } = open.file
  const start = todo.start ?? todo.scheduled
  if (todo.rule === undefined) return undefined
  if (start === undefined) throw corrupt(calendar, 'a reminder that repeats and has no time')
  const clock = clockOf(start, { open, viewer })
  const readings = ruleReadings({
    calendar,
    rule: todo.rule,
    start: start.wall,
    isDate: start.kind === 'date',
    from: start.wall,
    stop: start.wall + yearsAhead * 366 * dayMs,
    toWall: (until) => (until.kind === 'utc' ? toWall(clock, until.wall) : until.wall),
    meter: createMeter(20_000),
  })
  const times = Number(/(?:^|;)COUNT=(\d+)(?:;|$)/i.exec(todo.rule)?.[1] ?? Number.NaN)
  for (const wall of readings) {
    if (wall > start.wall) {
      return { start: wall, count: Number.isNaN(times) ? undefined : times - 1 }
    }
  }
  return undefined
}

function clockOf(time: EventTime, { open, viewer }: Seen): Zone {
  if (time.kind === 'utc') return utc
  return time.zone === undefined ? viewer : open.zoneOf(time.zone)
}

/** The lines of its times, moved by as much as its start. */
export function movedTo(
  todo: Todo,
  next: NextTime,
  { open }: Seen,
): ReadonlyMap<string, string | null> {
  const { start, scheduled: due, rule } = todo
  const from = start ?? due
  if (from === undefined || rule === undefined) throw invalid('a reminder that does not repeat')
  const { newline } = open.file
  const by = next.start - from.wall
  const lines: [string, string | null][] = [[scheduledLine, null]]
  const move = (name: string, time: EventTime | undefined) => {
    if (time === undefined) return
    lines.push([name, folded(readingLine(name, time.wall + by, time), newline)])
  }
  move('DTSTART', start)
  move('DUE', due)
  if (next.count !== undefined) {
    const counted = rule.replace(/((?:^|;)COUNT=)\d+/i, `$1${next.count}`)
    lines.push(['RRULE', folded(`RRULE:${counted}`, newline)])
  }
  return new Map(lines)
}
