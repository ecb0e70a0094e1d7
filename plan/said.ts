// Whether a person said a value: it stands in their own words, as a word or as words that follow each
// other. What a planner proposes counts as the person's only so, or from one of their lists, because a
// planner may have been misled by anybody. Pure.
//
// Compared are characters, never looks: a Cyrillic "а" is no Latin one, and no spelling is mended, because
// the value is sent as it was proposed and not as it was said. Does not understand the words: who says
// "nothing to bob@x.org" has said the address.

import { normaliseAddress } from './principals.ts'

/** Two letters stand in many sentences by chance, and "a" in nearly all. */
const minCharacters = 3

/** What nobody sees, and so nobody has read: controls, formats, other line ends, wrong characters. */
const unseen = /[\p{Cc}\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]|\p{M}{3}/u
/** What may stand around a word and is no part of it. */
const before = /^[\p{Ps}\p{Pi}\p{Pf}"'¿¡]+/u
const after = /(?:['’]s)?[\p{Pe}\p{Pi}\p{Pf}"'.,;:!?…]*$/u

/**
 * True when `value`, as it is, occurs in `words` between spaces and punctuation. Case is ignored, but for
 * the part of an address before its @. A part of a word is not said, nor is an empty or very short value.
 */
export function isSaid(value: string, words: string): boolean {
  const plain = value.normalize('NFC')
  // Another form of the same text is another name to most systems; only one form can be what was said.
  if (plain !== value || value !== value.trim() || unseen.test(value)) return false
  if ([...value].length < minCharacters) return false
  const wanted = value.split(' ').map(spell)
  const said = tokensOf(words)
  return said.some((_, at) => isAt(said, at, wanted))
}

interface Token {
  /** Without what stands before it, and with all that stands after. */
  readonly open: string
  /** Without either. */
  readonly bare: string
  /** Whether something was taken away at its front. */
  readonly isOpened: boolean
}

/** A plan asks of each of its values in the same words. */
let last: { readonly words: string; readonly tokens: readonly Token[] } | undefined

function tokensOf(words: string): readonly Token[] {
  if (last?.words === words) return last.tokens
  const normal = words.normalize('NFC').replaceAll(/\s+/gu, ' ').trim()
  const tokens = normal.split(' ').map((token) => {
    const open = token.replace(before, '')
    const bare = open.replace(after, '')
    return { open: spell(open), bare: spell(bare), isOpened: open !== token }
  })
  last = { words, tokens }
  return tokens
}

function isAt(said: readonly Token[], at: number, wanted: readonly string[]): boolean {
  return wanted.every((word, index) => {
    const token = said[at + index]
    if (token === undefined || (index > 0 && token.isOpened)) return false
    return token.open === word || (index === wanted.length - 1 && token.bare === word)
  })
}

/** The same for all spellings that mean one thing: without case, but of an address as mail knows it. */
function spell(token: string): string {
  return token.includes('@') ? normaliseAddress(token) : token.toLowerCase()
}
