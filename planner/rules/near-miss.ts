// What somebody may have meant whose words fit no phrase: recipes that share a telling word with them. Only
// a question is made of it. Pure.

import type { Recipe } from '../../plan/schema.ts'
import type { Option, Planned } from './contract.ts'
import type { Sentence } from './match.ts'
import { articles, parsePhrase, spoken, wordsIn } from './phrase.ts'
import { isOneSlip } from './words.ts'

/** Words that say nothing of what is wanted. */
const common: ReadonlySet<string> = new Set([
  ...[
    'what',
    'which',
    'when',
    'how',
    'who',
    'where',
    'is',
    'are',
    'was',
    'were',
    'am',
    'be',
    'been',
  ],
  ...['do', 'did', 'does', 'have', 'has', 'had', 'got', 'can', 'could', 'will', 'would', 'i', 'we'],
  ...[
    'me',
    'us',
    'it',
    'that',
    'this',
    'them',
    'there',
    'to',
    'of',
    'in',
    'into',
    'on',
    'at',
    'for',
  ],
  ...['from', 'with', 'and', 'or', 'not', 'no', 'all', 'down', 'out', 'up', 'show', 'tell', 'give'],
  ...[
    'put',
    'set',
    'add',
    'make',
    'get',
    'go',
    'use',
    'much',
    'many',
    'long',
    'most',
    'last',
    'next',
  ],
  ...[
    'today',
    'tomorrow',
    'now',
    'new',
    'please',
    'read',
    'find',
    'look',
    'like',
    'through',
    'day',
  ],
])
const mostShown = 3

export function suggestions(
  recipes: readonly Recipe[],
  { words }: Pick<Sentence, 'words'>,
): Planned | undefined {
  const telling = words.map(({ plain }) => plain).filter((word) => isTelling(word))
  const scored = recipes.flatMap((recipe) => {
    const [best] = recipe.phrases
      .map((phrase) => ({ phrase, score: sharedWith(phrase, recipe, telling) }))
      .toSorted((one, other) => other.score - one.score || one.phrase.length - other.phrase.length)
    return best === undefined || best.score === 0 ? [] : [{ ...best, recipe }]
  })
  if (scored.length === 0) return undefined
  const options = scored
    .toSorted((one, other) => other.score - one.score)
    .slice(0, mostShown)
    .map(
      ({ recipe, phrase }): Option => ({
        is: 'like',
        text: spoken(parsePhrase(phrase, recipe.inputs)),
      }),
    )
  return { kind: 'question', text: 'this is not understood; is one of these meant?', options }
}

const isTelling = (word: string) => word.length > 2 && !common.has(word) && !articles.has(word)

function sharedWith(phrase: string, recipe: Recipe, telling: readonly string[]): number {
  const own = new Set(wordsIn(parsePhrase(phrase, recipe.inputs)).filter(isTelling))
  return [...own].filter((word) => telling.some((one) => one === word || isOneSlip(one, word)))
    .length
}
