// What comes back: payments to one payee at even distances. Three of a kind are needed (two for what comes
// once a year), most of the distances must fit, and a series that has missed its day by more than half its
// distance has ended. Pure.

import { addDays, addMonths, type DateText, daysBetween } from './dates.ts'
import { type Money, moneyText } from './money.ts'
import type { Row } from './rows.ts'

export type Cadence = 'weekly' | 'biweekly' | 'monthly' | 'quarterly' | 'yearly'

export interface Recurring {
  readonly payee: string
  readonly account: string
  readonly category: string
  /** Of the last time. */
  readonly amount: Money
  readonly text: string
  readonly cadence: Cadence
  readonly lastDate: DateText
  readonly nextDate: DateText
  /** Days until it, negative when it is late. */
  readonly inDays: number
  /** What it was before, where the last time differs from the time before. */
  readonly changed: Money | null
}

interface Rhythm {
  readonly cadence: Cadence
  /** Days that lie between two of them: weekends and short months move them. */
  readonly least: number
  readonly most: number
  readonly times: number
  next(dates: readonly DateText[]): DateText
}

const byDays = (days: number) => (dates: readonly DateText[]) => addDays(dates.at(-1) ?? '', days)
/** From the day of the month that was the latest: 31, 28, 31 means the last day. */
const byMonths = (months: number) => (dates: readonly DateText[]) =>
  addMonths(dates.at(-1) ?? '', months, commonDay(dates))

const rhythms: readonly Rhythm[] = [
  { cadence: 'weekly', least: 6, most: 8, times: 3, next: byDays(7) },
  { cadence: 'biweekly', least: 12, most: 16, times: 3, next: byDays(14) },
  { cadence: 'monthly', least: 26, most: 35, times: 3, next: byMonths(1) },
  { cadence: 'quarterly', least: 85, most: 98, times: 3, next: byMonths(3) },
  { cadence: 'yearly', least: 355, most: 376, times: 2, next: byMonths(12) },
]

/** Of ten distances, this many must fit. */
const fittingShare = 0.75

/** In the order of their next dates. */
export function findRecurring(rows: readonly Row[], today: DateText): readonly Recurring[] {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    // Incoming and outgoing are two things, and so are two accounts. Digits are invoices and dates.
    const name = row.payee
      .toLowerCase()
      .replace(/\d+/g, '')
      .replace(/[\s\p{P}]+/gu, ' ')
      .trim()
    if (name === '' || row.amount.minor === 0 || row.date > today) continue
    const sign = row.amount.minor < 0
    const key = JSON.stringify([name, row.account, row.amount.currency, sign])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row])
    else group.push(row)
  }
  return [...groups.values()]
    .flatMap((group) => seriesOf(group, today) ?? [])
    .sort((left, right) => {
      if (left.nextDate !== right.nextDate) return left.nextDate < right.nextDate ? -1 : 1
      return left.payee < right.payee ? -1 : 1
    })
}

function seriesOf(group: readonly Row[], today: DateText): Recurring | undefined {
  const rows = group.toSorted((left, right) => (left.date < right.date ? -1 : 1))
  const dates = [...new Set(rows.map(({ date }) => date))]
  const gaps = dates.slice(1).map((date, index) => daysBetween(dates[index] ?? date, date))
  const rhythm = rhythms.find(({ least, most, times }) => {
    const fitting = gaps.filter((days) => days >= least && days <= most).length
    return dates.length >= times && fitting / gaps.length >= fittingShare
  })
  const last = rows.at(-1)
  if (rhythm === undefined || last === undefined) return undefined
  const nextDate = rhythm.next(dates)
  const inDays = daysBetween(today, nextDate)
  if (inDays < -rhythm.least / 2) return undefined
  const before = rows.findLast(({ date }) => date < last.date)
  const isChanged = before !== undefined && before.amount.minor !== last.amount.minor
  const { payee, account, category, amount } = last
  return {
    ...{ payee, account, category, amount, text: moneyText(amount), cadence: rhythm.cadence },
    ...{ lastDate: last.date, nextDate, inDays, changed: isChanged ? before.amount : null },
  }
}

/** The day of the month that most have; the later one of two that are as frequent. */
function commonDay(dates: readonly DateText[]): number {
  const days = dates.map((date) => Number(date.slice(8)))
  const count = (day: number) => days.filter((one) => one === day).length
  return days.reduce((best, day) => {
    const difference = count(day) - count(best)
    return difference > 0 || (difference === 0 && day > best) ? day : best
  })
}
