// "And the day after?": the last request once more, at another time. It is written out with the other time in
// the place of its own, or behind it, and counts where that, read whole, is the same recipe with at most one
// input changed, one that its phrases know as a time. What a write hangs on is asked about. Pure.

import type { InputValues, Recipe } from '../../plan/schema.ts'
import { withInputs } from './compose.ts'
import type { Planned } from './contract.ts'
import type { ConversationContext, Understood } from './conversation.ts'
import { halvesOf } from './follow-up-halves.ts'
import {
  asking,
  dayOf,
  distinct,
  isRunnable,
  isTime,
  meantToday,
  missing,
  noReading,
  plainOf,
  type Referring,
  withOtherTimes,
} from './follow-up-words.ts'
import { type Phrase, parsePhrase } from './phrase.ts'
import { planFromWords } from './plan-from-words.ts'
import type { SlotKind } from './slots.ts'
import { typed, type Word } from './words.ts'

/** Days from the one that the last request was about. */
const relative: Readonly<Record<string, number>> = {
  ...{ 'day after': 1, 'day after that': 1, 'next day': 1, 'following day': 1 },
  ...{ 'day before': -1, 'day before that': -1, 'previous day': -1 },
  ...{ 'week after': 7, 'week after that': 7, 'following week': 7 },
  ...{ 'week before': -7, 'previous week': -7 },
}

interface Other {
  readonly words: readonly Word[]
  /** What the words stand in. */
  readonly text: string
  /** The words say that it is to be done once more. */
  readonly again: boolean
}

export function atAnotherTime(other: Other, context: ConversationContext): Referring {
  const { words } = other
  const isRelative = Object.hasOwn(relative, plainOf(words))
  if (!isRelative && !isTime(words, context.now)) return noReading
  const turn = context.earlier.findLast(isRunnable)
  if (turn === undefined) return missing('nothing was asked for before this; say what it is about')
  const said = meantToday(turn, context)
  if (said === undefined) return missing('say the whole request, as it is to be now')
  const whole = rewritten(said, other, context)
  if (whole !== undefined) return { is: 'some', readings: [whole] }
  const halves = halvesOf(said, context).flatMap(({ text, kept }) => {
    const one = rewritten(text, other, context)
    if (one === undefined || !isRunnable(one)) return []
    return [one, ...(kept === undefined ? [] : [read(`${one.text} ${kept}`, context)])]
  })
  const runnable = distinct(halves.filter(isRunnable))
  if (runnable.length > 0) {
    return { is: 'some', readings: [asking('which of it is meant at that time?', runnable)] }
  }
  return missing(`"${said}" is not known at another time; say it as one request`)
}

function rewritten(
  said: string,
  other: Other,
  context: ConversationContext,
): Understood | undefined {
  const before = planFromWords(said, context)
  if (before.kind !== 'recipe') return undefined
  const recipe = context.recipes.find(({ name }) => name === before.name)
  if (recipe === undefined) return undefined
  const times = timeInputs(recipe)
  const texts = insteadOf(other, times, before.inputs, context).flatMap((time) => [
    ...withOtherTimes(said, context.now, () => time),
    `${said} ${time}`,
  ])
  const all = [...new Set(texts)].map((text) => read(text, context))
  const changedIn = ({ planned }: Understood) => changed(before, planned, times)
  const runnable = distinct(all.filter((one) => changedIn(one) !== undefined))
  const [only, ...more] = runnable
  if (only === undefined) {
    return all.find(({ planned }) => {
      if (planned.kind !== 'question') return false
      return planned.options.every(
        (option) => option.is === 'say' && changedIn(read(option.text, context)) !== undefined,
      )
    })
  }
  const mayWrite = runnable.some((one) => decidesWrite(recipe, changedIn(one) ?? [], context))
  if (more.length === 0 && (other.again || !mayWrite)) return only
  return asking('what is to be done at that time?', runnable)
}

const read = (text: string, context: ConversationContext): Understood => ({
  text,
  planned: planFromWords(text, context),
})

/** What the other time may be written as. */
function insteadOf(
  { words, text }: Other,
  times: ReadonlySet<string>,
  inputs: InputValues,
  context: ConversationContext,
): readonly string[] {
  const days = relative[plainOf(words)]
  if (days === undefined) {
    const from = ['on', 'for'].includes(words[0]?.plain ?? '') ? 1 : 0
    return [typed(text, words, 0, words.length), typed(text, words, from, words.length)]
  }
  const given = [...times].flatMap((name) => inputs[name] ?? [])
  const [base = times.size === 1 ? context.now : undefined, ...others] = given
  if (base === undefined || others.length > 0) return []
  const day = dayOf(String(base)).add({ days }).toString()
  return [day, `the week of ${day}`]
}

/** The inputs that its phrases know as a time. */
function timeInputs({ phrases, inputs }: Recipe): ReadonlySet<string> {
  const kinds: ReadonlySet<SlotKind> = new Set(['day', 'past', 'week', 'moment', 'time'])
  const slots = (phrase: Phrase): readonly string[] =>
    phrase.flatMap((node) => {
      if (node.is === 'slot') return kinds.has(node.kind) ? [node.name] : []
      return node.is === 'choice' ? node.options.flatMap(slots) : []
    })
  return new Set(phrases.flatMap((phrase) => slots(parsePhrase(phrase, inputs))))
}

/** Undefined: it is another recipe, or more is changed than a time. */
function changed(
  before: Extract<Planned, { kind: 'recipe' }>,
  planned: Planned,
  times: ReadonlySet<string>,
): readonly string[] | undefined {
  if (planned.kind !== 'recipe' || planned.name !== before.name) return undefined
  const names = new Set([...Object.keys(before.inputs), ...Object.keys(planned.inputs)])
  const other = [...names].filter((name) => before.inputs[name] !== planned.inputs[name])
  return other.length <= 1 && other.every((name) => times.has(name)) ? other : undefined
}

/** Whether a step that changes something is given one of them, or what another step makes of it. */
function decidesWrite(
  { plan: { steps } }: Recipe,
  inputs: readonly string[],
  { changes }: ConversationContext,
): boolean {
  const marks = Object.fromEntries(inputs.map((name) => [name, '']))
  const reached = new Set<string>()
  for (let before = -1; before < reached.size; ) {
    before = reached.size
    for (const step of steps) {
      const { args, when, forEach } = step
      const given = JSON.stringify([args, when, forEach])
      const isGiven = JSON.stringify(withInputs([args, when, forEach], marks)) !== given
      const uses = [...reached].some((id) => given.includes(`{"$from":"${id}#`))
      if (isGiven || uses) reached.add(step.id)
    }
  }
  return steps.some((step) => reached.has(step.id) && changes(step))
}
