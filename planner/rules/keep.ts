// "... and put it in my notes": the second half of a request that keeps the answer of the first. Pure.

import { matchPhrase, type Sentence } from './match.ts'
import { parsePhrase } from './phrase.ts'

const it = '(it|that|this|them|these|everything|[the] (answer|result|results|list))'
const inputs = { note: { type: 'string' } } as const

/** The same, said first: `write down what is on friday`. */
export const keepFirst = ['write', 'note', 'jot', 'put'].map((word) => [word, 'down'])

export const keepPhrases = [
  `(put|write|save|keep|add|copy|store|note) ${it} (in|into|to|as|under|on) [{note:name}] (note|notes)`,
  `(put|write|note|jot|take) ${it} down`,
  `(put|write|note|jot|take) down ${it}`,
  `(note|save|keep) ${it}`,
  `make note of ${it}`,
].map((phrase) => parsePhrase(phrase, inputs))

/** The note that the words want it in, `null` for any; undefined: they want something else, or two things. */
export function keptIn(sentence: Sentence): string | null | undefined {
  const matches = keepPhrases.flatMap((phrase) => matchPhrase(phrase, sentence))
  const notes = new Set(matches.map(({ values }) => String(values.get('note') ?? '')))
  const [only, ...others] = notes
  if (only === undefined || others.length > 0) return undefined
  return only === '' ? null : only
}
