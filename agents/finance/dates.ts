// Calendar dates without a time or a zone, as statements and journals have them. Invariant: a date that
// comes out of here exists. Pure.

import { Temporal } from 'temporal-polyfill'

/** What is outside of them is a slip of a program: no statement of a person's is from there. */
const firstYear = 1970
const lastYear = 2100

/** `YYYY-MM-DD`, a day that exists. */
export type DateText = string

/** Undefined for days that there never were, and for those of other centuries. */
export function dateOf(year: number, month: number, day: number): DateText | undefined {
  if (!(year >= firstYear && year <= lastYear)) return undefined
  const at = new Date(Date.UTC(year, month - 1, day))
  const exists = at.getUTCMonth() === month - 1 && at.getUTCDate() === day
  return exists ? at.toISOString().slice(0, 10) : undefined
}

export function readDate(text: string): DateText | undefined {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? []
  return dateOf(Number(year), Number(month), Number(day))
}

/** The day in UTC of seconds since the epoch. */
export function dateOfSeconds(seconds: number): DateText | undefined {
  const at = new Date(seconds * 1_000)
  return Number.isNaN(at.getTime())
    ? undefined
    : dateOf(at.getUTCFullYear(), at.getUTCMonth() + 1, at.getUTCDate())
}

export function addDays(date: DateText, days: number): DateText {
  return Temporal.PlainDate.from(date).add({ days }).toString()
}

/** The same day of a later month, or its last where it has fewer; `day` is the one that was meant. */
export function addMonths(date: DateText, months: number, day = Number(date.slice(8))): DateText {
  return Temporal.PlainYearMonth.from(date).add({ months }).toPlainDate({ day }).toString()
}

/** Days from one date to the other; negative when `to` is earlier. */
export function daysBetween(from: DateText, to: DateText): number {
  return Temporal.PlainDate.from(from).until(to).days
}

const partOf = { d: 'day', e: 'day', m: 'month', Y: 'year', y: 'shortYear' } as const
type Part = (typeof partOf)[keyof typeof partOf]
/** A letter of strptime, as hledger's rules write formats. */
const isLetter = (letter: string): letter is keyof typeof partOf => Object.hasOwn(partOf, letter)

/**
 * A reader of dates in a format of strptime's: `%d`, `%e`, `%-d`, `%m`, `%-m`, `%Y`, `%y` and characters
 * that stand for themselves. Undefined for a format that has others, or not one each of day, month, year.
 */
export function dateReader(format: string): ((text: string) => DateText | undefined) | undefined {
  const parts: Part[] = []
  let pattern = ''
  for (const [token, letter] of format.matchAll(/%-?([A-Za-z%])|[^%]|%/g)) {
    if (letter === undefined) {
      if (token === '%') return undefined
      pattern += token.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
    } else {
      if (!isLetter(letter)) return undefined
      const part = partOf[letter]
      parts.push(part)
      pattern += part === 'year' ? '(\\d{4})' : part === 'shortYear' ? '(\\d{2})' : ' ?(\\d{1,2})'
    }
  }
  const years = parts.filter((one) => one === 'year' || one === 'shortYear').length
  const isWhole = years === 1 && parts.includes('day') && parts.includes('month')
  if (!isWhole || parts.length !== 3) return undefined
  const shape = new RegExp(`^${pattern}$`, 'u')
  return (text) => {
    const found = shape.exec(text)
    if (found === null) return undefined
    const numberOf = (part: Part) => Number(found[parts.indexOf(part) + 1])
    // POSIX: 69 to 99 are of the last century. Nothing before 1970 is let in anyway.
    const short = parts.includes('shortYear') ? numberOf('shortYear') : undefined
    const year = short === undefined ? numberOf('year') : short + (short >= 69 ? 1900 : 2000)
    return dateOf(year, numberOf('month'), numberOf('day'))
  }
}
