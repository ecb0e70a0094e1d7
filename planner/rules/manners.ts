// What people say around what they want. It is taken off where nothing else could be meant; where it may
// belong to what they want ("remind me to say please"), taking it off costs, so that a reading that keeps
// it is as good, and the person is asked. Pure.

import { type Phrase, parsePhrase } from './phrase.ts'
import type { Word } from './words.ts'

const greetings = [
  '(hi|hello|hey) [there|bulkhead]',
  '(ok|okay|so|just|kindly|please|bulkhead)',
  '(can|could|would|will) you',
  '[would you] be so kind (and|to|as to)',
  '(tell|show|give) me',
  'let me know',
  'i (would like|want|need) (to know|you to)',
  'do you know',
]
const thanks = ['please', '(thanks|thx|cheers|bulkhead)', '[many] thanks', 'thank you', 'for me']

/** Every row of words that one of the phrases stands for, the longest first. */
function rowsOf(phrases: readonly string[]): readonly (readonly string[])[] {
  const rows = (nodes: Phrase): readonly (readonly string[])[] => {
    const [node, ...rest] = nodes
    if (node === undefined) return [[]]
    if (node.is === 'choice') return node.options.flatMap((option) => rows([...option, ...rest]))
    return node.is === 'word' || node.is === 'article'
      ? rows(rest).map((row) => [node.word, ...row])
      : []
  }
  return phrases
    .flatMap((phrase) => rows(parsePhrase(phrase, {})))
    .toSorted((one, other) => other.length - one.length)
}

const before = rowsOf(greetings)
const behind = rowsOf(thanks)

/** Words that belong to manners: a slip of none of them is anything else. */
export const mannerWords: readonly string[] = [...before, ...behind].flat()

export interface Variant {
  readonly words: readonly Word[]
  readonly cost: number
}

/** The words with and without what is said around them; the cheapest reading of them counts. */
export function variantsOf(given: readonly Word[]): readonly Variant[] {
  return withoutThanks(given, 0).flatMap((variant) => {
    const words = withoutGreeting(variant.words)
    return words.length === variant.words.length ? [variant] : [variant, { ...variant, words }]
  })
}

function withoutGreeting(words: readonly Word[]): readonly Word[] {
  const row = before.find((one) => one.length < words.length && isAt(words, 0, one))
  return row === undefined ? words : withoutGreeting(words.slice(row.length))
}

function withoutThanks(words: readonly Word[], cost: number): readonly Variant[] {
  const row = behind.find(
    (one) => one.length < words.length && isAt(words, words.length - one.length, one),
  )
  if (row === undefined) return [{ words, cost }]
  const rest = words.slice(0, words.length - row.length)
  // Behind a comma nobody means it as part of what they want.
  if (rest.at(-1)?.pause === true) return withoutThanks(rest, cost)
  return [{ words, cost }, ...withoutThanks(rest, cost + row.length)]
}

const isAt = (words: readonly Word[], at: number, row: readonly string[]) =>
  row.every((one, index) => words[at + index]?.plain === one)
