// Whether a text has the words of a query: by their beginnings, without case and accents. The agent `memory`
// finds in the same way (agents/memory/word-index.ts). Bounded: a hostile text is as cheap as any. Pure.

/** Of a query; more say nothing more about what is meant. */
const maxWords = 24
/** Of a text, as much as is looked at. */
const maxLookedAt = 16_384

export interface WordMatcher {
  /** Of the query's words, how many the text has: 0 to 1; 0 for a query without words. */
  score(text: string): number
  /** The part of the text around its first word that fits, at most so many characters. */
  excerpt(text: string, maxCharacters: number): string
}

const word = /[\p{L}\p{N}\p{Co}][\p{L}\p{N}\p{Co}\p{M}]*/gu
const plain = (text: string) => text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()

export function createWordMatcher(query: string): WordMatcher {
  const wanted = [...new Set((query.match(word) ?? []).map(plain))].slice(0, maxWords)
  const fits = (candidate: string) => wanted.some((one) => candidate.startsWith(one))
  return {
    score(text) {
      if (wanted.length === 0) return 0
      const there = new Set((text.slice(0, maxLookedAt).match(word) ?? []).map(plain))
      const all = [...there]
      const had = wanted.filter((one) => there.has(one) || all.some((own) => own.startsWith(one)))
      return had.length / wanted.length
    },
    excerpt(text, maxCharacters) {
      const looked = text.slice(0, maxLookedAt)
      const first = [...looked.matchAll(word)].find(([found]) => fits(plain(found)))?.index ?? 0
      // A third before it, for the sentence that it stands in.
      const start = Math.max(0, first - Math.floor(maxCharacters / 3))
      const characters = [...looked.slice(start, start + 2 * maxCharacters).toWellFormed()]
      const room = maxCharacters - (start > 0 ? 1 : 0)
      const isCut = characters.length > room || start + 2 * maxCharacters < text.length
      const shown = isCut ? [...characters.slice(0, room - 1), '…'] : characters
      return `${start > 0 ? '…' : ''}${shown.join('')}`
    },
  }
}
