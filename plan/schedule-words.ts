// From what a person writes to a schedule's normal form: five fields of cron, a time of day with days,
// or an interval. Only what has one meaning everywhere: a line that names days of the month and days
// of the week is refused, because cron means "or" by it and Temporal "and". Pure.

import { type ScheduleSpec, scheduleSpecSchema } from './schedule.ts'

/** Why a text is no schedule; the message is for the person who wrote it. */
export class ScheduleWordsError extends Error {
  override readonly name = 'ScheduleWordsError'
}

const dayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
const monthNames = [
  ...['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
] as const

interface Field {
  readonly name: string
  readonly least: number
  readonly most: number
  readonly names?: readonly string[]
}
const minute: Field = { name: 'minute', least: 0, most: 59 }
const hour: Field = { name: 'hour', least: 0, most: 23 }
const dayOfMonth: Field = { name: 'day of the month', least: 1, most: 31 }
const month: Field = { name: 'month', least: 1, most: 12, names: monthNames }
/** 7 is Sunday too. */
const dayOfWeek: Field = { name: 'day of the week', least: 0, most: 7, names: dayNames }

const unitSeconds = { s: 1, m: 60, h: 3_600, d: 86_400 } as const

/** Exactly one of `cron`, `every` and `at`; `days` goes with `at`. */
export interface ScheduleWords {
  readonly cron?: string | undefined
  readonly every?: string | undefined
  readonly at?: string | undefined
  readonly days?: string | undefined
  readonly zone: string
}

/** @throws ScheduleWordsError */
export function toScheduleSpec(words: ScheduleWords): ScheduleSpec {
  const { cron, every, at, days, zone } = words
  const given = [cron, every, at].filter((one) => one !== undefined)
  if (given.length !== 1) throw new ScheduleWordsError('say when: one of --cron, --every and --at')
  if (days !== undefined && at === undefined) {
    throw new ScheduleWordsError('--days goes with --at')
  }
  const parsed = scheduleSpecSchema.safeParse(
    every !== undefined
      ? { kind: 'every', seconds: toSeconds(every), zone }
      : { kind: 'calendar', zone, ...(cron === undefined ? ofTime(at ?? '', days) : ofCron(cron)) },
  )
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new ScheduleWordsError(`${issue?.path.join('.')}: ${issue?.message}`)
}

/** `90s`, `15m`, `2h`, `1d`. @throws ScheduleWordsError */
export function toSeconds(text: string): number {
  const [, count, unit] = /^(\d{1,7})([smhd])$/.exec(text) ?? []
  if (count === undefined || !isUnit(unit)) {
    throw new ScheduleWordsError(`${text} is not a time such as 90s, 15m, 2h or 1d`)
  }
  return Number(count) * unitSeconds[unit]
}

function isUnit(unit: string | undefined): unit is keyof typeof unitSeconds {
  return unit !== undefined && Object.hasOwn(unitSeconds, unit)
}

const everyMonth = { months: range(month), daysOfMonth: range(dayOfMonth) }

function ofTime(at: string, days: string | undefined) {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(at) ?? []
  if (hours === undefined) throw new ScheduleWordsError(`--at ${at} is not a time such as 07:00`)
  return {
    ...everyMonth,
    minutes: [Number(minutes)],
    hours: [Number(hours)],
    daysOfWeek: weekdays(days ?? '*'),
  }
}

function ofCron(line: string) {
  const fields = line.trim().toLowerCase().split(/\s+/)
  if (fields.length !== 5) {
    throw new ScheduleWordsError(`--cron wants five fields, as in "0 7 * * mon-fri": ${line}`)
  }
  const [minutes = '', hours = '', dom = '', months = '', dow = ''] = fields
  if (!dom.startsWith('*') && !dow.startsWith('*')) {
    const message = 'days of the month and days of the week: cron runs on either, Temporal on both'
    throw new ScheduleWordsError(`${message}; add two schedules instead`)
  }
  return {
    minutes: list(minutes, minute),
    hours: list(hours, hour),
    daysOfMonth: list(dom, dayOfMonth),
    months: list(months, month),
    daysOfWeek: weekdays(dow),
  }
}

function weekdays(text: string): readonly number[] {
  const days = list(text.toLowerCase(), dayOfWeek).map((day) => day % 7)
  return [...new Set(days)].toSorted((a, b) => a - b)
}

/** `*`, `5`, `mon-fri`, `1,15`, a step as in `0-30/10` or `*` and `/10`. */
function list(text: string, field: Field): readonly number[] {
  const numbers = text.split(',').flatMap((part) => {
    const [, from = '', to, step] =
      /^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d{1,2}))?$/.exec(part) ?? []
    if (from === '' || (from === '*' && to !== undefined)) throw wrong(part, field)
    const first = from === '*' ? field.least : toNumber(from, field)
    const alone = step === undefined && from !== '*' ? first : field.most
    const last = to === undefined ? alone : toEnd(to, field)
    const by = step === undefined ? 1 : Number(step)
    if (last < first || by < 1) throw wrong(part, field)
    return range({ least: first, most: last }).filter((one) => (one - first) % by === 0)
  })
  return [...new Set(numbers)].toSorted((a, b) => a - b)
}

function range({ least, most }: Pick<Field, 'least' | 'most'>): readonly number[] {
  return Array.from({ length: most - least + 1 }, (_, at) => least + at)
}

function toNumber(text: string, field: Field): number {
  const named = field.names?.indexOf(text) ?? -1
  if (named >= 0) return named + (field === month ? 1 : 0)
  const number = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN
  if (!(number >= field.least && number <= field.most)) throw wrong(text, field)
  return number
}

/** A week may end on Sunday, which is 7 there. */
function toEnd(text: string, field: Field): number {
  const end = toNumber(text, field)
  return field === dayOfWeek && end === 0 ? 7 : end
}

function wrong(text: string, { name, least, most }: Field): ScheduleWordsError {
  return new ScheduleWordsError(`${text} is not a ${name} (${least} to ${most})`)
}
