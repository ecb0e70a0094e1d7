// From a person's words to a plan, a question or a refusal, by the phrases of recipes alone: no key, no
// network, the same answer every time. Invariant: every word is accounted for, and where two readings are
// as good as each other the person is asked; what is not understood is never run. Pure.

import type { Recipe } from '../../plan/schema.ts'
import { beyond } from './beyond.ts'
import { type Chosen, keptAsNote, sideBySide } from './compose.ts'
import type { Planned, PlannerContext } from './contract.ts'
import { keepFirst, keepPhrases, keptIn } from './keep.ts'
import { variantsOf } from './manners.ts'
import { matchPhrase, type Sentence } from './match.ts'
import { suggestions } from './near-miss.ts'
import { type Phrase, parsePhrase, wordsIn } from './phrase.ts'
import { type Reading, type Settled, settle } from './readings.ts'
import { readWords, typed, type Word } from './words.ts'

/** All that is looked for, parsed once. */
interface Book {
  readonly recipes: readonly { readonly recipe: Recipe; readonly phrases: readonly Phrase[] }[]
  readonly sentence: (words: readonly Word[]) => Sentence
}

/** What two halves came to, and what it cost. */
interface Joined {
  readonly cost: number
  readonly planned: Planned
}

const anything = { x: { type: 'string' }, y: { type: 'string' } } as const
const beyondPhrases = beyond.map((one) => ({
  ...one,
  phrases: one.phrases.map((phrase) => parsePhrase(phrase, anything)),
}))
const joiners = new Set(['and', 'then'])

/**
 * @param text as the person typed it
 * @throws PhraseError when a recipe has a phrase that is none
 */
export function planFromWords(text: string, context: PlannerContext): Planned {
  const words = readWords(text)
  if (words === undefined) return notUnderstood
  const book = openBook(text, context)
  const variants = variantsOf(words)
  const whole = settle(variants.flatMap((variant) => readingsOf(variant.words, book, variant.cost)))
  const halves = variants.flatMap((variant) => joinsOf(variant.words, book, variant.cost))
  const runnable = halves.filter(({ planned }) => isRunnable(planned))
  if (whole.is === 'one') {
    return runnable.length === 0 ? toPlanned(whole.reading) : oneOrTwo(whole.reading)
  }
  return (
    oneOf(runnable) ??
    (whole.is === 'question' ? { kind: 'question', ...whole.question } : undefined) ??
    halves.find(({ planned }) => !isRunnable(planned))?.planned ??
    variants.flatMap((variant) => refusedBeyond(variant.words, book) ?? [])[0] ??
    suggestions(context.recipes, book.sentence(words)) ??
    notUnderstood
  )
}

const notUnderstood: Planned = {
  kind: 'refusal',
  reason: 'NOT_UNDERSTOOD',
  text: 'no phrase of any recipe fits these words',
}

const isRunnable = ({ kind }: Planned) => kind === 'recipe' || kind === 'plan'

function openBook(text: string, { recipes, now }: PlannerContext): Book {
  const { parsed, known } = parsedOnce(recipes)
  return { recipes: parsed, sentence: (words) => ({ text, words, now, known }) }
}

type Parsed = Book['recipes']
const parsedBefore = new WeakMap<
  readonly Recipe[],
  { readonly parsed: Parsed; readonly known: ReadonlySet<string> }
>()

/** A follow-up is read whole some dozen times, by the same recipes. */
function parsedOnce(recipes: readonly Recipe[]) {
  const before = parsedBefore.get(recipes)
  if (before !== undefined) return before
  const parsed = recipes.map((recipe) => ({
    recipe,
    phrases: recipe.phrases.map((phrase) => parsePhrase(phrase, recipe.inputs)),
  }))
  const phrases = [...parsed.flatMap((one) => one.phrases), ...keepPhrases]
  const all = { parsed, known: new Set(phrases.flatMap(wordsIn)) }
  parsedBefore.set(recipes, all)
  return all
}

function readingsOf(words: readonly Word[], book: Book, cost: number): readonly Reading[] {
  const sentence = book.sentence(words)
  const said = typed(sentence.text, words, 0, words.length)
  return book.recipes.flatMap(({ recipe, phrases }) =>
    phrases
      .flatMap((phrase) => matchPhrase(phrase, sentence))
      .map((match) => ({ ...match, cost: match.cost + cost, recipe, said })),
  )
}

const toChosen = ({ recipe, values, said }: Reading): Chosen => ({
  recipe,
  inputs: Object.fromEntries(values),
  said,
})

function toPlanned({ recipe, values }: Reading): Planned {
  return { kind: 'recipe', name: recipe.name, inputs: Object.fromEntries(values) }
}

function oneOrTwo({ said }: Reading): Planned {
  return {
    kind: 'question',
    text: `is "${said}" one request or two? Ask for one at a time, or put what belongs together otherwise`,
    options: [],
  }
}

function oneOf(all: readonly Joined[]): Planned | undefined {
  const least = Math.min(...all.map(({ cost }) => cost))
  const best = new Map(
    all
      .filter(({ cost }) => cost === least)
      .map((one) => [JSON.stringify(one.planned), one.planned]),
  )
  const [first, ...others] = best.values()
  if (others.length === 0) return first
  return {
    kind: 'question',
    text: 'this can be divided in more than one way; ask for one at a time',
    options: [],
  }
}

/** Every way to divide the words so that both halves are a request. */
function joinsOf(words: readonly Word[], book: Book, cost: number): readonly Joined[] {
  return [...joinedByAnd(words, book, cost), ...keptFirst(words, book)]
}

/** "Write down what is on friday": what is kept is said last. */
function keptFirst(words: readonly Word[], book: Book): readonly Joined[] {
  return keepFirst.flatMap((row) => {
    if (!row.every((word, index) => words[index]?.plain === word)) return []
    const rest = settle(readingsOf(words.slice(row.length), book, 0))
    return rest.is === 'one' ? kept(rest.reading, null) : []
  })
}

function joinedByAnd(words: readonly Word[], book: Book, cost: number): readonly Joined[] {
  return words.flatMap((word, at) => {
    const skipped = words[at + 1]?.plain === 'then' || words[at + 1]?.plain === 'also' ? 2 : 1
    if (!joiners.has(word.plain) || at === 0 || at + skipped >= words.length) return []
    return joined(words.slice(0, at), words.slice(at + skipped), book).map((one) => ({
      ...one,
      cost: one.cost + cost,
    }))
  })
}

function joined(before: readonly Word[], after: readonly Word[], book: Book): readonly Joined[] {
  const first = settle(readingsOf(before, book, 0))
  const second = settle(readingsOf(after, book, 0))
  const note = keptIn(book.sentence(after))
  if (first.is === 'one' && note !== undefined) return kept(first.reading, note)
  const [question] = [first, second].flatMap((one) => (one.is === 'question' ? one.question : []))
  const isWhole = first.is !== 'none' && (second.is !== 'none' || note !== undefined)
  if (question !== undefined && isWhole) {
    return [{ cost: 0, planned: { kind: 'question', ...question } }]
  }
  if (first.is !== 'one') return halfOf(second, before, book)
  if (second.is !== 'one') return halfOf(first, after, book)
  const [one, other] = [toPlanned(first.reading), toPlanned(second.reading)]
  if (JSON.stringify(one) === JSON.stringify(other)) return [{ cost: 0, planned: one }]
  const plan = sideBySide(toChosen(first.reading), toChosen(second.reading))
  if (plan === undefined) return []
  const name = `${first.reading.recipe.name}-and-${second.reading.recipe.name}`
  const cost = first.reading.cost + second.reading.cost
  return [{ cost, planned: { kind: 'plan', name, plan } }]
}

/** One half is understood, the other is not: the first is not run alone. */
function halfOf(known: Settled, unknown: readonly Word[], book: Book): readonly Joined[] {
  if (known.is !== 'one') return []
  const refused = refusedBeyond(unknown, book)
  if (refused !== undefined) return [{ cost: 0, planned: refused }]
  const { text } = book.sentence(unknown)
  const other = typed(text, unknown, 0, unknown.length)
  const question = {
    kind: 'question',
    text: `"${other}" is not understood; the other half is, and can be asked for alone`,
    options: [{ is: 'say', text: known.reading.said }],
  } as const
  return [{ cost: 0, planned: question }]
}

function kept(reading: Reading, note: string | null): readonly Joined[] {
  const { recipe, cost } = reading
  const keepsItself = recipe.plan.steps.some(
    ({ agent, action }) => agent === 'notes' && action === 'append',
  )
  if (keepsItself && note === null) return [{ cost, planned: toPlanned(reading) }]
  const plan = keptAsNote(toChosen(reading), note ?? recipe.name)
  if (plan === undefined) return []
  return [{ cost, planned: { kind: 'plan', name: `${recipe.name}-kept`, plan } }]
}

function refusedBeyond(words: readonly Word[], book: Book): Planned | undefined {
  const sentence = book.sentence(words)
  const found = beyondPhrases.find(({ phrases }) =>
    phrases.some((phrase) => matchPhrase(phrase, sentence).some(({ slips }) => slips === 0)),
  )
  return found && { kind: 'refusal', reason: found.reason, text: found.text }
}
