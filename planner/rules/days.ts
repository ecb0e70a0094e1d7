// Days as people name them -> a date, or what has to be asked. A closed grammar: all of the words have to
// be one day, and what two people would take for two days (`next friday`, `5/6`) is asked, never decided.
// Libraries that find dates in a text do the opposite (docs/adr/0050). Pure; the caller says what today is.

import { Temporal } from 'temporal-polyfill'
import { readNumber } from './numbers.ts'

type PlainDate = Temporal.PlainDate

/** Where a name of a day fits two: one that is to come, or one that was. */
export type Direction = 'coming' | 'past'

export type Found<T> =
  | { readonly is: 'value'; readonly value: T }
  /** Options stand for the words that were read, and can be typed in their place. */
  | { readonly is: 'ask'; readonly text: string; readonly options: readonly string[] }

const weekdays = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']
const months = [
  ...['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september'],
  ...['october', 'november', 'december'],
]
/** What a slip of the finger may have been meant for. */
export const dayWords: readonly string[] = [
  ...['today', 'tomorrow', 'yesterday', 'next', 'last', 'this', 'after', 'before'],
  ...weekdays,
  ...months,
]

const isoPattern = /^\d{4}-\d{2}-\d{2}$/

/** Undefined: these words are no day. */
export function readDay(
  given: readonly string[],
  today: PlainDate,
  direction: Direction,
): Found<string> | undefined {
  const words = given[0] === 'on' ? given.slice(1) : given
  const plain = words.filter((word) => word !== 'the').join(' ')
  if (Object.hasOwn(offsets, plain)) {
    // "Turn the light on tomorrow": nobody says "on" for the day.
    return words === given ? value(today.add({ days: offsets[plain] ?? 0 })) : undefined
  }
  if (isoPattern.test(plain)) return isoDay(plain)
  return (
    inSomeDays(plain, today) ??
    weekday(plain, today, direction) ??
    monthDay(plain, today) ??
    slashed(plain, today)
  )
}

const offsets: Readonly<Record<string, number>> = {
  today: 0,
  tomorrow: 1,
  yesterday: -1,
  'day after tomorrow': 2,
  'day before yesterday': -2,
}

const value = (day: PlainDate): Found<string> => ({ is: 'value', value: day.toString() })

/** One question for all: which of these days. */
function which(what: string, days: readonly PlainDate[]): Found<string> {
  return {
    is: 'ask',
    text: `which day is "${what}"?`,
    options: days.map((day) => `on ${day.toString()}`),
  }
}

function isoDay(text: string): Found<string> {
  try {
    return value(Temporal.PlainDate.from(text, { overflow: 'reject' }))
  } catch {
    return { is: 'ask', text: `there is no day ${text}; which one is meant?`, options: [] }
  }
}

function inSomeDays(plain: string, today: PlainDate): Found<string> | undefined {
  const [, count = '', unit = ''] = /^in (\S+) (day|days|week|weeks)$/.exec(plain) ?? []
  const number = count === 'a' || count === 'one' ? 1 : readNumber([count])
  if (number === undefined || number < 1 || number > 3_660) return undefined
  return value(today.add(unit.startsWith('day') ? { days: number } : { weeks: number }))
}

function weekday(plain: string, today: PlainDate, direction: Direction): Found<string> | undefined {
  const [, which = '', name = ''] = /^(?:(this|next|last) )?([a-z]+)$/.exec(plain) ?? []
  const wanted = weekdays.indexOf(name) + 1
  if (wanted === 0) return undefined
  const ahead = (wanted - today.dayOfWeek + 7) % 7
  const coming = today.add({ days: ahead })
  const back = coming.subtract({ weeks: 1 })
  if (which === 'this') return ofThisWeek(plain, today, wanted)
  if (which === 'next') return sure(coming, plain, [coming, coming.add({ weeks: 1 })], today)
  if (which === 'last') return sure(back, plain, [back, back.subtract({ weeks: 1 })], today)
  if (ahead === 0)
    return whichOf(plain, direction === 'past' ? [today, back] : [today, today.add({ weeks: 1 })])
  return value(direction === 'past' ? back : coming)
}

const whichOf = which

function ofThisWeek(plain: string, today: PlainDate, wanted: number): Found<string> {
  const day = today.add({ days: wanted - today.dayOfWeek })
  if (Temporal.PlainDate.compare(day, today) > 0) return value(day)
  return which(plain, [day, day.add({ weeks: 1 })])
}

/** "Next" and "last" are the nearest one where that lies in another week than today, else nobody knows. */
function sure(
  nearest: PlainDate,
  plain: string,
  options: readonly PlainDate[],
  today: PlainDate,
): Found<string> {
  const monday = (day: PlainDate) => day.subtract({ days: day.dayOfWeek - 1 })
  return monday(nearest).equals(monday(today)) || nearest.equals(today)
    ? which(plain, options)
    : value(nearest)
}

function monthDay(plain: string, today: PlainDate): Found<string> | undefined {
  const [, first = '', month = '', year] =
    /^(\d{1,2})(?:st|nd|rd|th)?(?: of)? ([a-z]+)(?: (\d{4}))?$/.exec(plain) ?? []
  const [, otherMonth = '', second = '', otherYear] =
    /^([a-z]+) (\d{1,2})(?:st|nd|rd|th)?(?: (\d{4}))?$/.exec(plain) ?? []
  const number = months.indexOf(month === '' ? otherMonth : month) + 1
  const day = Number(first === '' ? second : first)
  if (number === 0) return undefined
  return dated(plain, { day, month: number, year: year ?? otherYear }, today)
}

function dated(
  plain: string,
  {
    day,
    month,
    year,
  }: { readonly day: number; readonly month: number; readonly year: string | undefined },
  today: PlainDate,
): Found<string> {
  const of = (inYear: number) => {
    try {
      return [Temporal.PlainDate.from({ year: inYear, month, day }, { overflow: 'reject' })]
    } catch {
      return []
    }
  }
  const nothing = {
    is: 'ask',
    text: `there is no ${plain}; which day is meant?`,
    options: [],
  } as const
  const [given] = of(year === undefined ? today.year : Number(year))
  if (year !== undefined || given === undefined) return given === undefined ? nothing : value(given)
  if (Temporal.PlainDate.compare(given, today) >= 0) return value(given)
  return which(plain, [given, ...of(today.year + 1)])
}

/** `24/12` and `24.12.2026`; `5/6` is two days. */
function slashed(plain: string, today: PlainDate): Found<string> | undefined {
  const [, first = '', second = '', year] =
    /^(\d{1,2})[/.](\d{1,2})\.?(?:[/.]?(\d{4}))?$/.exec(plain) ?? []
  const [one, two] = [Number(first), Number(second)]
  if (one === 0 || two === 0) return undefined
  if (one > 12 || one === two) return dated(plain, { day: one, month: two, year }, today)
  if (two > 12) return dated(plain, { day: two, month: one, year }, today)
  const inYear = year === undefined ? today.year : Number(year)
  const days = [
    Temporal.PlainDate.from({ year: inYear, month: two, day: one }),
    Temporal.PlainDate.from({ year: inYear, month: one, day: two }),
  ]
  return which(plain, days)
}
