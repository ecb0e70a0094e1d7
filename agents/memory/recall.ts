// What was found by words and what was found by meaning, as one list. Each way ranks in its own measure, so
// what counts is the place in each list (reciprocal rank fusion: Cormack, Clarke, Büttcher, SIGIR 2009, with
// their constant). Pure.

import type { EntryId } from './entry.ts'
import type { Near } from './vectors.ts'
import type { Found } from './word-index.ts'

export interface Match {
  readonly id: EntryId
  /** Undefined: found by meaning alone, where no word stands out. */
  readonly snippet: string | undefined
  readonly by: 'words' | 'meaning' | 'both'
  readonly similarity: number | null
}

const flatness = 60
/** Four digits: the rest is the model's rounding. */
const shown = (similarity: number) => Math.round(similarity * 10_000) / 10_000

export function fuse(words: Found, near: Near | undefined, limit: number): readonly Match[] {
  const similar = new Map(near?.matches.map(({ id, similarity }) => [id, similarity]))
  const snippets = new Map(words.matches.map(({ id, snippet }) => [id, snippet]))
  const lists = [[...snippets.keys()], [...similar.keys()]]
  const scores = new Map<EntryId, number>()
  for (const list of lists) {
    for (const [place, id] of list.entries()) {
      scores.set(id, (scores.get(id) ?? 0) + 1 / (flatness + place))
    }
  }
  return [...scores]
    .toSorted(([, one], [, other]) => other - one)
    .slice(0, limit)
    .map(([id]) => {
      const [snippet, similarity = null] = [snippets.get(id), similar.get(id)]
      const by = similarity === null ? 'words' : snippet === undefined ? 'meaning' : 'both'
      return { id, snippet, by, similarity: similarity === null ? null : shown(similarity) }
    })
}
