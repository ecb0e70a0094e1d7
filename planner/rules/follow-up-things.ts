// "Move it to friday": `it` is the one event that the person's own requests of this session name. Several are
// a question. Where something lies is known by what was said of it, never by what an agent answered. Pure.

import type { Planned } from './contract.ts'
import type { ConversationContext, Understood } from './conversation.ts'
import {
  asking,
  isRunnable,
  missing,
  noReading,
  plainOf,
  type Referring,
  someOf,
} from './follow-up-words.ts'
import { readClock, readMoment } from './moments.ts'
import { articles } from './phrase.ts'
import { planFromWords } from './plan-from-words.ts'
import { readWords, typed, type Word } from './words.ts'

/** An event, as the person named it. */
interface Thing {
  readonly calendar: string
  /** A day, or a time on the clock on the wall. */
  readonly at: string
  /** Words of it; none where only its time was said. */
  readonly called?: string
}

const moves = new Set(['move', 'reschedule', 'shift', 'push', 'postpone'])
const pointers = new Set(['it', 'that', 'this', 'event', 'appointment', 'meeting'])
const removals = new Set(['cancel', 'delete', 'remove', 'drop', 'undo'])

export function aboutIt(
  words: readonly Word[],
  text: string,
  context: ConversationContext,
): Referring {
  const [verb = '', ...rest] = plainOf(words).split(' ')
  if (removals.has(verb) && rest.length === 1 && pointers.has(rest[0] ?? '')) {
    return missing('no recipe takes anything away again: take it out where it lies')
  }
  const to = words.findIndex(({ plain }) => plain === 'to')
  const behind = words.slice(to + 1)
  const [, it = '', ...more] = plainOf(words.slice(0, Math.max(0, to))).split(' ')
  if (!moves.has(verb) || !pointers.has(it) || more.length > 0 || behind.length === 0) {
    return noReading
  }
  const things = thingsIn(context)
  if (things.length === 0) {
    return missing(
      `nothing that was asked for names an event; say which one: move <what> <when> to <when>`,
    )
  }
  const readings = things.flatMap((thing) => moved(thing, behind, text, context))
  if (things.length === 1) return someOf(readings, 'to when it is to be moved is not clear')
  const runnable = readings.filter(isRunnable)
  return someOf(
    runnable.length === 0 ? readings : [asking('which one is meant?', runnable)],
    'to when it is to be moved is not clear',
  )
}

function thingsIn({ earlier, recipes }: ConversationContext): readonly Thing[] {
  const defaultOf = (recipe: string, input: string) =>
    recipes.find(({ name }) => name === recipe)?.inputs[input]?.default
  return earlier
    .filter(({ agreed }) => agreed)
    .reduce<readonly Thing[]>((things, { planned }) => {
      if (planned.kind !== 'recipe') return things
      const { name, inputs } = planned
      const calendar = String(inputs['calendar'] ?? defaultOf(name, 'calendar') ?? '')
      if (name === 'add-event') {
        const added = {
          calendar,
          at: String(inputs['at']),
          called: withoutArticle(String(inputs['what'])),
        }
        return [...things.filter((one) => !isSame(one, added)), added]
      }
      if (name !== 'move-event') return things
      const called = inputs['with']
      const from = {
        calendar,
        at: String(inputs['at']),
        ...(called === undefined ? {} : { called: String(called) }),
      }
      return [...things.filter((one) => !isSame(one, from)), { ...from, at: String(inputs['to']) }]
    }, [])
}

/** As a phrase takes it up again. */
function withoutArticle(text: string): string {
  const words = readWords(text) ?? []
  const from = words.findIndex(({ plain }) => !articles.has(plain))
  return from <= 0 ? text : typed(text, words, from, words.length)
}

/** Two names of one event: what one of them leaves open says nothing against the other. */
function isSame(one: Thing, other: Thing): boolean {
  const isCalled =
    one.called === other.called || one.called === undefined || other.called === undefined
  return one.calendar === other.calendar && one.at === other.at && isCalled
}

const weekday = /\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b/

/** Each way to read where it is moved to; what is clear first. */
function moved(
  thing: Thing,
  to: readonly Word[],
  text: string,
  context: ConversationContext,
): readonly Understood[] {
  const { calendar, at, called = 'the event' } = thing
  const plain = to.map((word) => word.plain)
  const itsDay = `${at.slice(0, 10)}T00:00`
  const fromThere = readClock(plain) !== undefined
  // A name of a day is the next one from now, or the next one behind the day that it is on.
  const bases = fromThere
    ? [itsDay]
    : [context.now, ...(weekday.test(plain.join(' ')) ? [itsDay] : [])]
  const times = bases.flatMap((base) => {
    const found = readMoment(plain, base)
    if (found === undefined) return []
    return [found.is === 'value' ? written(found.value) : typed(text, to, 0, to.length)]
  })
  const time = at.slice(11)
  return [...new Set(times)].flatMap((one) => {
    const whole = time === '' || readsClock(one) ? one : `${one} at ${time}`
    const said = `move ${called} in my ${calendar} calendar from ${written(at)} to ${whole}`
    const planned = planFromWords(said, context)
    const options = planned.kind === 'question' ? planned.options : []
    const meant = options.flatMap((option) =>
      option.is === 'say' ? [planFromWords(option.text, context)] : [],
    )
    const all = planned.kind === 'question' ? meant : [planned]
    return all.length >= options.length && all.every((one) => movesIt(one, thing))
      ? [{ text: said, planned }]
      : []
  })
}

const written = (at: string) => at.replace('T', ' at ')
const readsClock = (text: string) => / at |\d:\d\d|\d ?[ap]m$/.test(text)

/** It is that event that the request moves, and no other that its words might be read as. */
function movesIt(planned: Planned, { calendar, at, called }: Thing): boolean {
  if (planned.kind !== 'recipe' || planned.name !== 'move-event') return false
  const { inputs } = planned
  return inputs['calendar'] === calendar && inputs['at'] === at && inputs['with'] === called
}
