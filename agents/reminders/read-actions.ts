// list and timers: what is to be done, the most urgent first. Asks nobody.

import { tooMuch } from '../calendar/failures.ts'
import { openCalendars, viewerZone, whenOf } from '../calendar/folder.ts'
import { clockText, instantText, parseMoment, toWall } from '../calendar/wall-clock.ts'
import type { ActionContext } from '../define-agent.ts'
import { type Reminder, remindersAt, type Timer, timerList } from './manifest.ts'
import { dueOf, shown, todosIn } from './todo.ts'

/** Of all lists that one command looks through. */
const maxReminders = 20_000

export interface ListArgs {
  readonly lists?: readonly string[] | undefined
  readonly dueBefore?: string | undefined
  readonly completed: boolean
  readonly timeZone?: string | undefined
  readonly limit: number
}

interface Ranked {
  readonly reminder: Reminder
  /** Infinity: no time. */
  readonly at: number
}

export function list(args: ListArgs, context: ActionContext) {
  const folder = context.folder(remindersAt)
  const { open, syncedAt } = openCalendars(folder, args.lists, 'VTODO')
  const viewer = viewerZone(folder, args.timeZone, open)
  const before =
    args.dueBefore === undefined ? undefined : parseMoment(args.dueBefore, viewer).instant
  const now = context.now()
  const found: Ranked[] = []
  for (const one of open.filter(({ file }) => file.calendar !== timerList)) {
    const seen = { open: one, viewer }
    for (const each of todosIn(one)) {
      const at = dueOf(each.todo, seen)?.at ?? Number.POSITIVE_INFINITY
      if (each.todo.completed && !args.completed) continue
      if (before !== undefined && at >= before) continue
      found.push({ reminder: shown(each, seen, now), at })
      if (found.length > maxReminders) throw tooMuch(`more than ${maxReminders} reminders`)
    }
  }
  const reminders = found.sort(byUrgency).map(({ reminder }) => reminder)
  return {
    ...whenOf({ viewer, syncedAt }),
    count: reminders.length,
    overdue: reminders.filter(({ overdue }) => overdue).length,
    reminders: reminders.slice(0, args.limit),
  }
}

/** By time; of those without one the more important first; the rest only makes the order the same. */
function byUrgency(left: Ranked, right: Ranked): number {
  if (left.at !== right.at) return left.at < right.at ? -1 : 1
  // 0 is no priority, which is the least.
  const rank = ({ priority }: Reminder) => (priority === 0 ? 10 : priority)
  return (
    rank(left.reminder) - rank(right.reminder) ||
    compare(left.reminder.title, right.reminder.title) ||
    compare(left.reminder.uid, right.reminder.uid)
  )
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}

/** Timers in one result; nobody has more than a few. */
const maxTimers = 100

export function timers(
  { timeZone }: { readonly timeZone?: string | undefined },
  context: ActionContext,
) {
  const folder = context.folder(remindersAt)
  const open = openCalendars(folder, undefined, 'VTODO').open.filter(
    ({ file }) => file.calendar === timerList,
  )
  const viewer = viewerZone(folder, timeZone, open)
  const now = context.now()
  const set = open.flatMap((one) =>
    todosIn(one).flatMap(({ todo, etag }): Timer[] => {
      const due = dueOf(todo, { open: one, viewer })
      if (due === undefined || todo.completed) return []
      return [
        {
          uid: todo.uid,
          title: todo.title,
          endsAt: instantText(viewer, due.at),
          endsLocal: clockText(toWall(viewer, due.at)),
          remainingSeconds: Math.max(0, Math.round((due.at - now) / 1_000)),
          isOver: due.at <= now,
          etag,
        },
      ]
    }),
  )
  const inOrder = set.sort((left, right) => Date.parse(left.endsAt) - Date.parse(right.endsAt))
  return { timeZone: viewer.id, timers: inOrder.slice(0, maxTimers) }
}
