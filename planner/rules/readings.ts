// Which of several readings is meant: the one that takes least on trust, if it is alone. Pure.

import type { Recipe } from '../../plan/schema.ts'
import type { Option } from './contract.ts'
import type { Ask, Match } from './match.ts'

/** One way to read all of the words as one recipe. */
export interface Reading extends Match {
  readonly recipe: Recipe
  /** The words, as typed. */
  readonly said: string
}

export type Settled =
  | { readonly is: 'none' }
  | { readonly is: 'one'; readonly reading: Reading }
  | { readonly is: 'question'; readonly question: Ask }

export function settle(readings: readonly Reading[]): Settled {
  const least = Math.min(...readings.map(({ cost }) => cost))
  const best = distinct(readings.filter(({ cost }) => cost === least))
  const [first, ...others] = best
  if (first === undefined) return { is: 'none' }
  // What was taken for a slip may have been meant, wherever the words also have a reading without it.
  const literal = first.slips === 0 ? [] : readings.filter(({ slips }) => slips === 0)
  const rivals = distinct([first, ...others, ...literal])
  if (rivals.length > 1) return { is: 'question', question: whichOf(rivals) }
  const [ask] = first.asks
  if (ask !== undefined) return { is: 'question', question: ask }
  return { is: 'one', reading: first }
}

function distinct(readings: readonly Reading[]): readonly Reading[] {
  return [...new Map(readings.map((one) => [keyOf(one), one])).values()]
}

function keyOf({ recipe, values, asks }: Reading): string {
  const sorted = [...values].toSorted(([one], [other]) => one.localeCompare(other, 'en'))
  return JSON.stringify([recipe.name, sorted, asks])
}

function whichOf(readings: readonly Reading[]): Ask {
  // Where all of them stumble over one thing, that is the question.
  const [first] = readings
  const asks = readings.flatMap((one) => one.asks)
  if (asks.length > 0 && asks.length === readings.length && first?.asks[0] !== undefined) {
    return first.asks[0]
  }
  return { text: 'this can be meant in more than one way', options: readings.flatMap(optionsOf) }
}

/** How to say that this one is meant; of one that stumbles, what would make it clear. */
function optionsOf({ recipe, values, asks }: Reading): readonly Option[] {
  if (asks.length > 0) return asks.flatMap(({ options }) => options)
  return [{ is: 'run', recipe: recipe.name, inputs: Object.fromEntries(values) }]
}
