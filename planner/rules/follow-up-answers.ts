// What somebody says who was asked: the number of an option, its own words, what tells it from the others, or
// the time that was missing. Whatever is none of that is no answer. Pure.

import type { Option, Planned } from './contract.ts'
import type { ConversationContext, EarlierTurn, Understood } from './conversation.ts'
import { readDay } from './days.ts'
import {
  dayOf,
  distinct,
  isRunnable,
  isTime,
  missing,
  plainOf,
  type Referring,
  someOf,
} from './follow-up-words.ts'
import { readNumber } from './numbers.ts'
import { readWords, typed, type Word } from './words.ts'

type Asked = EarlierTurn & { readonly planned: Extract<Planned, { kind: 'question' }> }

interface Reply {
  readonly turn: Asked
  readonly words: readonly Word[]
  /** What the words stand in. */
  readonly text: string
}

type Again = (text: string) => Understood

export const isAsked = (turn: EarlierTurn | undefined): turn is Asked =>
  turn?.planned.kind === 'question'

const ordinals = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth']
const assent = new Set(['yes', 'y', 'yes please', 'ok', 'okay', 'sure', 'right', 'exactly'])

/** @param read a request as it would be read before the question was asked */
export function answerTo(
  { turn, words, text }: Reply,
  context: ConversationContext,
  read: Again,
): Referring {
  const { options } = turn.planned
  const chosen = byNumber(words, options) ?? byWords(turn, words, context)
  if (chosen !== undefined) return { is: 'some', readings: [taken(chosen, turn, read)] }
  const unclear = 'that is none of what was asked; say its number, or the whole request'
  if (!isTime(words, context.now)) return missing(unclear)
  const given = typed(text, words, 0, words.length)
  return someOf(distinct([read(`${turn.text} ${given}`)].filter(isRunnable)), unclear)
}

function byNumber(words: readonly Word[], options: readonly Option[]): Option | undefined {
  const plain = plainOf(words)
  if (assent.has(plain)) return options.length === 1 ? options[0] : undefined
  const [word = '', ...more] = plain.replace(/^(?:number|option) /, '').split(' ')
  if (more.length > 1 || (more.length === 1 && more[0] !== 'one')) return undefined
  if (word === 'last') return options.at(-1)
  const number =
    ordinals.indexOf(word.replace(/[.)]$/, '')) + 1 || readNumber([word.replace(/[.)]$/, '')])
  return number === undefined ? undefined : options[number - 1]
}

/** The one option that has these words, where the question's own request has them not. */
function byWords(
  turn: Asked,
  words: readonly Word[],
  { now }: ConversationContext,
): Option | undefined {
  const { options } = turn.planned
  const plain = words.map((word) => word.plain)
  const whole = options.filter((option) => plainIn(sayOf(option)) === plainOf(words))
  if (whole.length === 1 || options.length === 1) return whole[0]
  const day = readDay(plain, dayOf(now), 'coming')
  const telling = [plainOf(words), ...(day?.is === 'value' ? [day.value] : [])]
  const has = (one: string) => telling.some((part) => ` ${one} `.includes(` ${part} `))
  if (has(plainIn(turn.text))) return undefined
  const [only, ...others] = options.filter(
    (option) => has(plainIn(sayOf(option))) || isAtThatHalf(plainOf(words), sayOf(option)),
  )
  return others.length === 0 ? only : undefined
}

const halves = new Map([
  ...['morning', 'in morning', 'am'].map((words) => [words, 0] as const),
  ...['evening', 'in evening', 'afternoon', 'in afternoon', 'pm'].map(
    (words) => [words, 12] as const,
  ),
])

/** Twelve itself is neither: nobody says of midnight or noon that it is in the morning or in the evening. */
function isAtThatHalf(words: string, option: string): boolean {
  const [hour] = /(?<=\bat )\d\d(?=:\d\d$)/.exec(option) ?? []
  const half = halves.get(words)
  return (
    hour !== undefined &&
    half !== undefined &&
    Number(hour) % 12 > 0 &&
    Number(hour) - half > 0 &&
    Number(hour) - half < 12
  )
}

const plainIn = (text: string) => plainOf(readWords(text) ?? [])

/** An option as it is shown to who chooses. */
export function sayOf(option: Option): string {
  if (option.is !== 'run') return option.text
  const values = Object.entries(option.inputs).map(([name, value]) => `${name} ${value}`)
  return [option.recipe, ...values].join(', ')
}

function taken(option: Option, turn: Asked, read: Again): Understood {
  if (option.is === 'run') {
    return {
      text: turn.text,
      planned: { kind: 'recipe', name: option.recipe, inputs: option.inputs },
    }
  }
  if (option.is === 'say' || !option.text.includes('<')) return read(option.text)
  const text = `say it like this, with your own words in it: ${option.text}`
  return { text: turn.text, planned: { kind: 'question', text, options: [] } }
}
