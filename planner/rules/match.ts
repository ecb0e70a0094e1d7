// A phrase against words: every way to read them so that none is left over. What a reading took on trust
// is its cost: words that went into a free slot, slips that were forgiven. Pure.

import type { Option } from './contract.ts'
import { dayWords, type Found } from './days.ts'
import { articles, type Node, type Phrase } from './phrase.ts'
import {
  type FreeKind,
  fixedValue,
  isFree,
  maxClosedWords,
  readClosed,
  readFree,
  type SlotKind,
  type SlotValue,
} from './slots.ts'
import { isOneSlip, typed, type Word } from './words.ts'

export interface Sentence {
  readonly text: string
  readonly words: readonly Word[]
  readonly now: string
  /** Every word that any phrase knows: one of them is no slip of another. */
  readonly known: ReadonlySet<string>
}

export interface Ask {
  readonly text: string
  /** To say: the whole text with something in place of what is unclear. */
  readonly options: readonly Option[]
}

export interface Match {
  readonly values: ReadonlyMap<string, SlotValue>
  readonly asks: readonly Ask[]
  readonly cost: number
  readonly slips: number
}

const nothingYet: Match = { values: new Map(), asks: [], cost: 0, slips: 0 }

export function matchPhrase(phrase: Phrase, sentence: Sentence): readonly Match[] {
  return walk(phrase, 0, nothingYet, sentence)
}

function walk(nodes: readonly Node[], at: number, so: Match, sentence: Sentence): readonly Match[] {
  const [node, ...rest] = nodes
  if (node === undefined) return at === sentence.words.length ? [so] : []
  if (node.is === 'article') return walk(rest, at, so, sentence)
  if (node.is === 'choice') {
    return node.options.flatMap((option) => walk([...option, ...rest], at, so, sentence))
  }
  if (node.is === 'word') {
    return startsFrom(at, sentence).flatMap((start) => {
      const slips = slipsTo(node.word, sentence.words[start], sentence.known)
      if (slips === undefined) return []
      return walk(rest, start + 1, withSlips(so, slips), sentence)
    })
  }
  const fixed = fixedValue(node.kind, sentence.now)
  if (fixed !== undefined) return walk(rest, at, withValue(so, node.name, fixed), sentence)
  const { kind } = node
  // A text is taken over with its articles.
  const starts = kind === 'text' || kind === 'task' ? [at] : startsFrom(at, sentence)
  const taken = starts.flatMap((start) =>
    isFree(kind) ? takeFree(kind, start, sentence) : takeClosed(kind, start, sentence),
  )
  return taken.flatMap(({ to, found, cost, slips, from }) => {
    const next = withSlips({ ...so, cost: so.cost + cost }, slips)
    return walk(rest, to, withFound(next, node.name, { found, from, to, sentence }), sentence)
  })
}

/** Here, or behind articles. */
function startsFrom(at: number, { words }: Sentence): readonly number[] {
  const starts = [at]
  for (let next = at; articles.has(words[next]?.plain ?? ''); next += 1) starts.push(next + 1)
  return starts
}

/** 0: the same word, 1: meant by a slip; undefined: another word. */
function slipsTo(
  wanted: string,
  word: Word | undefined,
  known: ReadonlySet<string>,
): number | undefined {
  if (word === undefined) return undefined
  if (word.plain === wanted) return 0
  // Of three letters any other three are near.
  if (word.plain.length < 4 || known.has(word.plain)) return undefined
  return isOneSlip(word.plain, wanted) ? 1 : undefined
}

interface Taken {
  readonly from: number
  readonly to: number
  readonly found: Found<SlotValue>
  readonly cost: number
  readonly slips: number
}

function takeFree(kind: FreeKind, from: number, { words, text }: Sentence): readonly Taken[] {
  const most = kind === 'name' ? from + 1 : words.length
  const taken: Taken[] = []
  if (words[from]?.inside === true) return taken
  if ((kind === 'name' || kind === 'term') && articles.has(words[from]?.plain ?? '')) return taken
  for (let to = from + 1; to <= Math.min(most, words.length); to += 1) {
    if (words[to]?.inside === true) continue
    const found = readFree(kind, typed(text, words, from, to))
    if (found !== undefined) taken.push({ from, to, found, cost: to - from, slips: 0 })
  }
  return taken
}

function takeClosed(
  kind: SlotKind,
  from: number,
  { words, now, known }: Sentence,
): readonly Taken[] {
  const taken: Taken[] = []
  const most = Math.min(words.length, from + maxClosedWords)
  for (let to = from + 1; to <= most; to += 1) {
    const plain = words.slice(from, to).map((word) => word.plain)
    const found = readClosed(kind, plain, now)
    if (found !== undefined) {
      taken.push({ from, to, found, cost: 0, slips: 0 })
      continue
    }
    const mended = plain.map((word) => dayWordOf(word, known))
    const slips = mended.filter((word, index) => word !== plain[index]).length
    const meant = slips === 0 ? undefined : readClosed(kind, mended, now)
    if (meant !== undefined) taken.push({ from, to, found: meant, cost: 0, slips })
  }
  return taken
}

/** The one word of a day that it is a slip of. */
function dayWordOf(word: string, known: ReadonlySet<string>): string {
  if (word.length < 4 || known.has(word)) return word
  const [only, ...others] = dayWords.filter((one) => isOneSlip(word, one))
  return only === undefined || others.length > 0 ? word : only
}

const withSlips = (so: Match, slips: number): Match =>
  slips === 0 ? so : { ...so, slips: so.slips + slips, cost: so.cost + slips }

const withValue = (so: Match, name: string, value: SlotValue): Match => ({
  ...so,
  values: new Map([...so.values, [name, value]]),
})

function withFound(
  so: Match,
  name: string,
  taken: {
    readonly found: Found<SlotValue>
    readonly from: number
    readonly to: number
    readonly sentence: Sentence
  },
): Match {
  const { found, from, to, sentence } = taken
  if (found.is === 'value') return withValue(so, name, found.value)
  const { text, words } = sentence
  const [start, end] = [words[from]?.start ?? 0, words[to - 1]?.end ?? 0]
  const isThere = ['on', 'for'].includes(words[from - 1]?.plain ?? '')
  const options = found.options.map((option): Option => {
    const instead = isThere ? option.replace(/^on /, '') : option
    return { is: 'say', text: text.slice(0, start) + instead + text.slice(end) }
  })
  return { ...so, asks: [...so.asks, { text: found.text, options }] }
}
