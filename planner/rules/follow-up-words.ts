// What the readings of a follow-up have in common: what people begin with who go on with something, words
// that are a time, and an earlier turn as a request that can be read again today. Pure.

import { Temporal } from 'temporal-polyfill'
import type { ConversationContext, EarlierTurn, Understood } from './conversation.ts'
import { readDay } from './days.ts'
import { readMoment } from './moments.ts'
import { articles } from './phrase.ts'
import { planFromWords } from './plan-from-words.ts'
import { readWeek } from './weeks.ts'
import { readWords, type Word } from './words.ts'

/** What became of reading words as a follow-up. `missing`: they are one, and nothing is there for it. */
export type Referring =
  | { readonly is: 'none' }
  | { readonly is: 'missing'; readonly text: string }
  | { readonly is: 'some'; readonly readings: readonly Understood[] }

export const noReading: Referring = { is: 'none' }
export const missing = (text: string): Referring => ({ is: 'missing', text })

/** `missing` where there is none of them. */
export const someOf = (readings: readonly Understood[], otherwise: string): Referring =>
  readings.length === 0 ? missing(otherwise) : { is: 'some', readings }

export const isRunnable = ({ planned: { kind } }: Pick<Understood, 'planned'>) =>
  kind === 'recipe' || kind === 'plan'

const leads = [
  ...['what about', 'how about', 'i meant', 'i mean', 'make it', 'make that'],
  ...['and', 'or', 'but', 'no', 'so', 'then', 'ok', 'okay', 'rather', 'also'],
].map((lead) => lead.split(' '))

/** The words behind all that somebody says who goes on with something. */
export function withoutLeads(words: readonly Word[]): readonly Word[] {
  const lead = leads.find((row) => row.every((word, at) => words[at]?.plain === word))
  return lead === undefined ? words : withoutLeads(words.slice(lead.length))
}

/** Without articles: what rows of words are compared with. */
export const plainOf = (words: readonly Word[]): string =>
  words
    .map(({ plain }) => plain)
    .filter((word) => !articles.has(word))
    .join(' ')

const weekRows = new Set(['this week', 'week', 'week ahead', 'coming week', 'next seven days'])

/** All of the words are a day, a week, a time of day, or a day with one. */
export function isTime(words: readonly Word[], now: string): boolean {
  const plain = words.map((word) => word.plain)
  const today = dayOf(now)
  return (
    readDay(plain, today, 'coming') !== undefined ||
    readWeek(plain, today) !== undefined ||
    readMoment(plain, now) !== undefined ||
    weekRows.has(plainOf(words))
  )
}

export const dayOf = (now: string) => Temporal.PlainDateTime.from(now).toPlainDate()

const maxTimeWords = 9

/** The text with one of its times, whichever it is, as `instead` says it; once for each. */
export function withOtherTimes(
  text: string,
  now: string,
  instead: (words: readonly Word[]) => string | undefined,
): readonly string[] {
  const words = readWords(text) ?? []
  const found: string[] = []
  for (let from = 0; from < words.length; from += 1) {
    const most = Math.min(words.length, from + maxTimeWords)
    for (let to = from + 1; to <= most; to += 1) {
      const window = words.slice(from, to)
      const [first, last] = [window[0], window.at(-1)]
      if (first === undefined || last === undefined || !isTime(window, now)) continue
      const other = instead(window)
      if (other !== undefined) found.push(text.slice(0, first.start) + other + text.slice(last.end))
    }
  }
  return found
}

/**
 * The turn as a text that means today what it meant then: as it is, or with a day by its date. Undefined:
 * it was chosen in another way than by words, or there is no such text.
 */
export function meantToday(turn: EarlierTurn, context: ConversationContext): string | undefined {
  const wanted = JSON.stringify(turn.planned)
  const isSame = (text: string) => JSON.stringify(planFromWords(text, context)) === wanted
  if (isSame(turn.text)) return turn.text
  return withOtherTimes(turn.text, turn.now, (words) => dateOf(words, turn.now)).find(isSame)
}

/** The day that the words are, by its date; of two that they may be, the one to come. */
function dateOf(words: readonly Word[], now: string): string | undefined {
  const plain = words.map((word) => word.plain)
  const found = readDay(plain, dayOf(now), 'coming')
  return found?.is === 'value' ? found.value : undefined
}

/** Each plan once. */
export function distinct(all: readonly Understood[]): readonly Understood[] {
  return [...new Map(all.map((one) => [JSON.stringify(one.planned), one])).values()]
}

/** Which of them is meant, each to be said as it is written out. */
export function asking(text: string, all: readonly Understood[]): Understood {
  const options = all.map((one) => ({ is: 'say', text: one.text }) as const)
  return { text: '', planned: { kind: 'question', text, options } }
}
