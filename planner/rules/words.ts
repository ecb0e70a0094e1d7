// A person's text as words: each with the form that is compared, and where it stands, so that what is
// taken over is taken over to the letter. Bounded; a text that a terminal would obey is none. Pure.

/** Nobody types more in one request; the matching is more than linear in it. */
const maxCharacters = 500
const maxWords = 60

export interface Word {
  /** Lower case, without punctuation around it. */
  readonly plain: string
  /** Offsets of what it stands for in the text, without quotes, commas and the like. */
  readonly start: number
  readonly end: number
  /** It is the second half of a contraction: nothing begins between the two. */
  readonly inside: boolean
  /** Punctuation or a new line follows. */
  readonly pause: boolean
}

const contractions: Readonly<Record<string, readonly string[]>> = {
  whats: ['what', 'is'],
  hows: ['how', 'is'],
  whens: ['when', 'is'],
  wheres: ['where', 'is'],
  "i'm": ['i', 'am'],
  "i'd": ['i', 'would'],
  "i've": ['i', 'have'],
  "we've": ['we', 'have'],
  "we're": ['we', 'are'],
  "what're": ['what', 'are'],
  dont: ['do', 'not'],
  "don't": ['do', 'not'],
  plz: ['please'],
  pls: ['please'],
  tmr: ['tomorrow'],
  tmrw: ['tomorrow'],
  '&': ['and'],
}
const askers = /^(what|how|when|where|who|that|it|there|here)'s$/

/** Undefined: too long, empty, or with characters that nobody types. */
export function readWords(text: string): readonly Word[] | undefined {
  if (text.length > maxCharacters || !text.isWellFormed()) return undefined
  if (/(?![\n\r\t])\p{Cc}|\p{Cf}/u.test(text)) return undefined
  const words = [...text.matchAll(/\S+/g)].flatMap((found) => wordsOf(found[0], found.index, text))
  return words.length === 0 || words.length > maxWords ? undefined : words
}

function wordsOf(token: string, at: number, text: string): readonly Word[] {
  const quoted = /^["'“‘«]*/.exec(token)?.[0].length ?? 0
  const trailing = /[?!.,;:…"'”’»]*$/.exec(token)?.[0].length ?? 0
  const [start, end] = [at + quoted, at + token.length - trailing]
  // Nothing but punctuation: no word, and a pause that the word before it has lost.
  if (start >= end) return []
  const after = text.slice(end)
  const pause = /^(?:[^\s]*[?!.,;:…]|\s*\n|\s+[-–—;:|]\s)/.test(after)
  const plain = text
    .slice(start, end)
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll('’', "'")
    .replaceAll(/^[([]+|[)\]]+$/g, '')
  const parts = partsOf(plain)
  return parts.map((part, index) => ({
    plain: part,
    start,
    end,
    inside: index > 0,
    pause: pause && index === parts.length - 1,
  }))
}

function partsOf(plain: string): readonly string[] {
  if (Object.hasOwn(contractions, plain)) return contractions[plain] ?? [plain]
  const asker = askers.exec(plain)?.[1]
  return asker === undefined ? [plain] : [asker, 'is']
}

/** As it was typed, from one word to before another, with both marks of a quotation or none. */
export function typed(text: string, words: readonly Word[], from: number, to: number): string {
  const [start, end] = [words[from]?.start ?? 0, words[to - 1]?.end ?? 0]
  const taken = text.slice(start, end)
  if (taken.split('"').length % 2 === 1) return taken
  if (text[end] === '"') return `${taken}"`
  return text[start - 1] === '"' ? `"${taken}` : taken
}

/** One letter wrong, missing, too many, or two of them swapped. */
export function isOneSlip(one: string, other: string): boolean {
  if (one === other || Math.abs(one.length - other.length) > 1) return false
  const [long, short] = one.length < other.length ? [other, one] : [one, other]
  let at = 0
  while (at < short.length && long[at] === short[at]) at += 1
  if (long.length > short.length) return long.slice(at + 1) === short.slice(at)
  const swapped = long[at] === short[at + 1] && long[at + 1] === short[at]
  return (
    long.slice(at + 1) === short.slice(at + 1) ||
    (swapped && long.slice(at + 2) === short.slice(at + 2))
  )
}
