// The small language of a recipe's phrases: words, `{slot}` or `{slot:kind}`, `(one|other)`, and `[what may
// be left out]`. Articles count for nothing. Parsed once into a tree; matching is match.ts. Pure.

import type { Recipe } from '../../plan/schema.ts'
import { isSlotKind, type SlotKind, takesWords } from './slots.ts'

export type Node =
  /** Shown, and never looked for. */
  | { readonly is: 'article'; readonly word: string }
  | { readonly is: 'word'; readonly word: string }
  | { readonly is: 'slot'; readonly name: string; readonly kind: SlotKind }
  | { readonly is: 'choice'; readonly options: readonly (readonly Node[])[] }

export type Phrase = readonly Node[]

/** A phrase that is none; a bug of whoever wrote the recipe. */
export class PhraseError extends Error {
  override readonly name = 'PhraseError'
}

/** Words that change nothing where a phrase has them or has not. */
export const articles: ReadonlySet<string> = new Set([
  ...['a', 'an', 'the', 'my', 'our', 'your', 'any', 'some'],
])

const tokenPattern = /\{[^{}]*\}|[()[\]|]|[^\s()[\]{}|]+/g
const kindByType = { date: 'day', integer: 'number', string: 'text', boolean: undefined } as const

/** @throws PhraseError when brackets do not close, or a slot is no input of the recipe */
export function parsePhrase(phrase: string, inputs: Recipe['inputs']): Phrase {
  const tokens = phrase.match(tokenPattern) ?? []
  let at = 0
  const fail = (why: string) => new PhraseError(`the phrase ${JSON.stringify(phrase)} ${why}`)

  const slotOf = (token: string): Node => {
    const [name = '', given] = token.slice(1, -1).split(':')
    const declared = Object.hasOwn(inputs, name) ? inputs[name] : undefined
    if (declared === undefined) throw fail(`has a slot ${name}, which is no input`)
    const kind = given ?? kindByType[declared.type]
    if (kind === undefined || !isSlotKind(kind))
      throw fail(`has a slot of an unknown kind: ${token}`)
    return { is: 'slot', name, kind }
  }
  const optionsUntil = (close: string | undefined): readonly (readonly Node[])[] => {
    const options: Node[][] = [[]]
    for (;;) {
      const token = tokens[at]
      if (token === close) return options
      at += 1
      if (token === undefined) throw fail(`lacks ${close}`)
      if (token === '|') options.push([])
      else options.at(-1)?.push(...nodesOf(token))
    }
  }
  const nodesOf = (token: string): readonly Node[] => {
    if (token === '(' || token === '[') {
      const options = optionsUntil(token === '(' ? ')' : ']')
      at += 1
      return [{ is: 'choice', options: token === '(' ? options : [...options, []] }]
    }
    if (token === ')' || token === ']') throw fail('closes what it has not opened')
    if (token.startsWith('{')) return [slotOf(token)]
    const word = token.toLowerCase()
    return [{ is: articles.has(word) ? 'article' : 'word', word }]
  }
  const options = optionsUntil(undefined)
  const [only = []] = options
  if (options.length > 1) throw fail('has | outside of brackets')
  if (mayBeNothing(only)) throw fail('may be nothing at all')
  return only
}

function mayBeNothing(phrase: Phrase): boolean {
  return phrase.every((node) => {
    if (node.is === 'choice') return node.options.some(mayBeNothing)
    return node.is === 'article' || (node.is === 'slot' && !takesWords(node.kind))
  })
}

/** Every word that it may contain. */
export function wordsIn(phrase: Phrase): readonly string[] {
  return phrase.flatMap((node) => {
    if (node.is === 'word') return [node.word]
    return node.is === 'choice' ? node.options.flatMap(wordsIn) : []
  })
}

/** The shortest that it stands for, as a person would read it: `remind me to <what>`. */
export function spoken(phrase: Phrase): string {
  const words = phrase.flatMap((node) => {
    if (node.is === 'word' || node.is === 'article') return [node.word]
    if (node.is === 'slot') return takesWords(node.kind) ? [`<${node.name}>`] : []
    const isOptional = node.options.some((option) => option.length === 0)
    return isOptional ? [] : [spoken(node.options[0] ?? [])]
  })
  return words.join(' ')
}

/** How a recipe is asked for, a line for each of its phrases that reads differently. */
export function waysToSay({
  phrases,
  inputs,
}: Pick<Recipe, 'phrases' | 'inputs'>): readonly string[] {
  return [...new Set(phrases.map((phrase) => spoken(parsePhrase(phrase, inputs))))]
}
