// Weeks as people name them -> the day they begin on. A closed grammar, as days.ts; "this week" is left to
// the phrases, because what is over of it is nobody's question. Pure.

import type { Temporal } from 'temporal-polyfill'
import { type Found, readDay } from './days.ts'

/** `next week`, `the week after next`, `the week of 2026-12-07`; undefined: these words are no week. */
export function readWeek(
  given: readonly string[],
  today: Temporal.PlainDate,
): Found<string> | undefined {
  const words = given.filter((word) => word !== 'the')
  const plain = words.join(' ')
  const monday = today.subtract({ days: today.dayOfWeek - 1 })
  const weeks = ['next week', 'week after next'].indexOf(plain) + 1
  if (weeks > 0) return { is: 'value', value: monday.add({ weeks }).toString() }
  return words[0] === 'week' && words[1] === 'of'
    ? readDay(words.slice(2), today, 'coming')
    : undefined
}
