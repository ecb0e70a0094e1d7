// Times of day, alone or with a day -> `YYYY-MM-DDTHH:MM` on the clock on the wall, or a day alone. Hours and
// minutes are read by the clock of 24 hours, as everything here shows them; an hour alone that may be in the
// morning or in the evening is asked, and so is a time that is over. Pure.

import { Temporal } from 'temporal-polyfill'
import { type Found, readDay } from './days.ts'

type PlainTime = Temporal.PlainTime

/** `on friday at 17:00`, `at 5pm tomorrow`, `friday`, `at noon`; undefined: these words are no time. */
export function readMoment(words: readonly string[], now: string): Found<string> | undefined {
  const at = Temporal.PlainDateTime.from(now)
  const today = at.toPlainDate()
  const alone = readDay(words, today, 'coming')
  if (alone !== undefined) return alone
  const clock = readClock(words)
  if (clock !== undefined) return onSomeDay(clock, at)
  for (let split = 1; split < words.length; split += 1) {
    const [before, after] = [words.slice(0, split), words.slice(split)]
    const found =
      together(readDay(before, today, 'coming'), readClock(after)) ??
      together(readDay(after, today, 'coming'), readClock(before))
    if (found !== undefined) return found
  }
  return undefined
}

function together(
  day: Found<string> | undefined,
  clock: Found<PlainTime> | undefined,
): Found<string> | undefined {
  if (day === undefined || clock === undefined) return undefined
  if (day.is === 'value' && clock.is === 'value') {
    return { is: 'value', value: `${day.value}T${shown(clock.value)}` }
  }
  // Each alone can be asked with what to type; of two questions the person begins with the day.
  if (day.is === 'ask') {
    const time = clock.is === 'value' ? ` at ${shown(clock.value)}` : ''
    return { ...day, options: day.options.map((option) => `${option}${time}`) }
  }
  return clock.is === 'value'
    ? day
    : { ...clock, options: clock.options.map((option) => `on ${day.value} ${option}`) }
}

/** Without a day it is the next such time, where that is today. */
function onSomeDay(clock: Found<PlainTime>, now: Temporal.PlainDateTime): Found<string> {
  if (clock.is === 'ask') return clock
  const today = now.toPlainDate()
  const at = today.toPlainDateTime(clock.value)
  const time = shown(clock.value)
  if (Temporal.PlainDateTime.compare(at, now) > 0) {
    return { is: 'value', value: `${today.toString()}T${time}` }
  }
  const options = [`on ${today.add({ days: 1 }).toString()} at ${time}`]
  return { is: 'ask', text: `${time} is over for today; which day is meant?`, options }
}

const shown = (time: PlainTime) => time.toString({ smallestUnit: 'minute' })

/** `at 17:00`, `5pm`, `5:30 pm`, `at noon`; `at 5` is asked. */
export function readClock(given: readonly string[]): Found<PlainTime> | undefined {
  const isAt = given[0] === 'at'
  const text = (isAt ? given.slice(1) : given).join(' ').replace(/ o'clock$/, '')
  if (text === 'noon') return { is: 'value', value: new Temporal.PlainTime(12) }
  const [, hours = '', minutes, half] = /^(\d{1,2})(?:[:.](\d{2}))? ?(am|pm)?$/.exec(text) ?? []
  if (hours === '') return undefined
  // A number alone is a time where something says so.
  if (minutes === undefined && half === undefined && !isAt && !given.includes("o'clock"))
    return undefined
  const [hour, minute] = [Number(hours), Number(minutes ?? 0)]
  const none = { is: 'ask', text: `there is no time ${text}; when is meant?`, options: [] } as const
  if (minute > 59) return none
  if (half !== undefined) {
    if (hour < 1 || hour > 12) return none
    return timeAt((hour % 12) + (half === 'pm' ? 12 : 0), minute)
  }
  if (hour > 23) return none
  if (minutes !== undefined || hour > 12 || hour === 0) return timeAt(hour, minute)
  const two = [hour % 12, (hour % 12) + 12].map((one) => `at ${String(one).padStart(2, '0')}:00`)
  return { is: 'ask', text: `is "${text}" in the morning or in the evening?`, options: two }
}

function timeAt(hour: number, minute: number): Found<PlainTime> {
  return { is: 'value', value: new Temporal.PlainTime(hour, minute) }
}

/** Whether something in it says when: what is left of a time nobody understood must not become a title. */
export function speaksOfTime(text: string): boolean {
  return timeWords.test(text.toLowerCase())
}

const timeWords =
  /\b(?:today|tonight|tomorrow|yesterday|(?:mon|tues|wednes|thurs|fri|satur|sun)days?|noon|midnight|morning|afternoon|evening|every|daily|weekly|monthly|yearly|next|o'clock|weekends?)\b|\bat \d|\bin (?:an?|\d+|two|three|four|five|ten|half an) (?:minute|min|hour|day|week|month|year)s?\b|\b\d{1,2} ?(?:am|pm)\b|\b\d{1,2}:\d{2}\b|\bon the \d/
