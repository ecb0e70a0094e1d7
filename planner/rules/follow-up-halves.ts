// A request that was two: each half that is one alone, and of an answer that was kept the words that say so.
// Pure.

import type { PlannerContext } from './contract.ts'
import { keptIn } from './keep.ts'
import { planFromWords } from './plan-from-words.ts'
import { readWords, typed } from './words.ts'

export interface Half {
  readonly text: string
  /** `and put it in my notes`, where that is the other half. */
  readonly kept?: string
}

export function halvesOf(text: string, context: PlannerContext): readonly Half[] {
  const words = readWords(text) ?? []
  return words.flatMap(({ plain }, at): readonly Half[] => {
    if (plain !== 'and' && plain !== 'then') return []
    const before = typed(text, words, 0, at)
    const behind = words.slice(at + 1)
    if (!isRecipe(before, context)) return []
    const sentence = { text, words: behind, now: context.now, known: new Set<string>() }
    if (keptIn(sentence) !== undefined) {
      return [{ text: before, kept: typed(text, words, at, words.length) }]
    }
    const after = typed(text, words, at + 1, words.length)
    return isRecipe(after, context) ? [{ text: before }, { text: after }] : []
  })
}

const isRecipe = (text: string, context: PlannerContext) =>
  planFromWords(text, context).kind === 'recipe'
