// What may stand in a slot of a phrase, and what it becomes. Closed kinds take words that are wholly one
// thing or nothing; free ones take what was typed, to the letter. Pure.

import { Temporal } from 'temporal-polyfill'
import { type Found, readDay } from './days.ts'
import { readMoment, speaksOfTime } from './moments.ts'
import { readDuration, readNumber } from './numbers.ts'
import { readWeek } from './weeks.ts'

const closed = ['day', 'past', 'week', 'number', 'duration', 'moment', 'time'] as const
const free = ['text', 'task', 'term', 'name'] as const
type Closed = (typeof closed)[number]
export type FreeKind = (typeof free)[number]
/**
 * `day`: to come, `past`: that was, `week`: the day it begins on; `moment`: a day, a time, or both; `time`: a moment with a time of day;
 * `duration`: in minutes; `text`: anything, to the letter; `task`: without words about time, because those
 * belong to the time; `term`: the same, to be looked for; `name`: one word. `=today+7` takes no words: the
 * day so many from today.
 */
export type SlotKind = Closed | FreeKind | `=today${string}`
export type SlotValue = string | number

const fixedPattern = /^=today(?:\+(\d{1,4}))?$/

export function isSlotKind(kind: string): kind is SlotKind {
  return [...closed, ...free].some((one) => one === kind) || fixedPattern.test(kind)
}

export function isFree(kind: SlotKind): kind is FreeKind {
  return free.some((one) => one === kind)
}

export const takesWords = (kind: SlotKind) => !fixedPattern.test(kind)

/** The value of a slot that takes no words. */
export function fixedValue(kind: SlotKind, now: string): string | undefined {
  const found = fixedPattern.exec(kind)
  if (found === null) return undefined
  return dayOf(now)
    .add({ days: Number(found[1] ?? 0) })
    .toString()
}

/** More words than any of them needs: `on the 3rd of december 2026 at 5 pm`. */
export const maxClosedWords = 9

/** Undefined: these words are nothing of that kind. */
export function readClosed(
  kind: SlotKind,
  words: readonly string[],
  now: string,
): Found<SlotValue> | undefined {
  switch (kind) {
    case 'day':
      return readDay(words, dayOf(now), 'coming')
    case 'past':
      return notToCome(readDay(words, dayOf(now), 'past'), dayOf(now))
    case 'week':
      return readWeek(words, dayOf(now))
    case 'moment':
      return readMoment(words, now)
    case 'time':
      return withClock(readMoment(words, now))
    case 'number':
      return known(readNumber(words))
    case 'duration':
      return known(readDuration(words))
    default:
      return undefined
  }
}

function notToCome(found: Found<string> | undefined, today: Temporal.PlainDate) {
  if (found?.is !== 'value' || Temporal.PlainDate.compare(found.value, today) <= 0) return found
  const text = `${found.value} is still to come; which day is meant?`
  return { is: 'ask', text, options: [] } as const
}

function withClock(found: Found<string> | undefined): Found<string> | undefined {
  if (found?.is !== 'value' || found.value.includes('T')) return found
  return { is: 'ask', text: `at what time on ${found.value}?`, options: [] }
}

const pronoun = /^(?:(?:do|is|about) )?(?:it|that|this|them|these|those|he|she|they|there)$/
/** What it begins with points to something that was said before. */
const pointing = /^(?:it|they|he|she|them|there) /
/** It begins with what joins two things, and so is the rest of something else. */
const rest = /^(?:and|or|but|then)(?: |$)/
/** It waits for another word: the day behind it belongs to it, or it was cut in two. */
const unfinished =
  /(?:^| )(?:about|after|and|are|at|before|by|for|from|if|in|is|of|on|or|than|that|the|till|to|until|was|were|with)$/

/** @param text as typed */
export function readFree(kind: FreeKind, text: string): Found<string> | undefined {
  const plain = text.toLowerCase()
  if (kind === 'name')
    return /^[\p{L}\p{N}][\p{L}\p{N}_-]{0,99}$/u.test(text) ? value(text) : undefined
  if (!/[\p{L}\p{N}]/u.test(text)) return undefined
  if (pronoun.test(plain) || (kind === 'term' && pointing.test(plain))) {
    return ask(`what is meant by "${text}"? Every request stands alone here`)
  }
  if (kind === 'text') return value(text)
  if (rest.test(plain)) return undefined
  if (speaksOfTime(text)) return ask(`when is meant? There is no telling from "${text}"`)
  return unfinished.test(plain) ? ask(`what is meant by "${text} ..."?`) : value(text)
}

const ask = (text: string): Found<string> => ({ is: 'ask', text, options: [] })
const value = <T>(one: T): Found<T> => ({ is: 'value', value: one })
const known = (one: number | undefined) => (one === undefined ? undefined : value(one))

function dayOf(now: string): Temporal.PlainDate {
  return Temporal.PlainDateTime.from(now).toPlainDate()
}
