// A person's words in a conversation -> what they stand for, written out as a request of their own. Words that
// are whole by themselves are read as ever; where they would also go on with what was said, the person is
// asked. All that a follow-up comes to is read whole by the phrases again, so that no word of it is lost and
// none is made up; of what agents answered nothing is known here (R8). Pure.

import type { Option, Planned } from './contract.ts'
import type { ConversationContext, Understood } from './conversation.ts'
import { fitsNoRecipe } from './fits-no-recipe.ts'
import { answerTo, isAsked } from './follow-up-answers.ts'
import { halvesOf } from './follow-up-halves.ts'
import { aboutIt } from './follow-up-things.ts'
import { atAnotherTime } from './follow-up-times.ts'
import {
  asking,
  distinct,
  isRunnable,
  meantToday,
  missing,
  noReading,
  type Referring,
  someOf,
  withoutLeads,
} from './follow-up-words.ts'
import { keepPhrases, keptIn } from './keep.ts'
import { variantsOf } from './manners.ts'
import { articles, wordsIn } from './phrase.ts'
import { planFromWords } from './plan-from-words.ts'
import { readWords, typed, type Word } from './words.ts'

export function planFromConversation(text: string, context: ConversationContext): Understood {
  const alone = { text, planned: planFromWords(text, context) }
  const all = readWords(text)
  if (all === undefined) return alone
  const referring = variantsOf(all).map(({ words }) => refersTo(words, text, context))
  const readings = distinct(referring.flatMap((one) => (one.is === 'some' ? one.readings : [])))
  const runnable = distinct([alone, ...readings].filter(isRunnable))
  const [only, ...others] = runnable
  if (others.length > 0) return { ...asking(several, runnable), text }
  if (only !== undefined && only.text === text) return only
  const told = optionsOf(alone.planned)
  if (only !== undefined && told.length === 0) return only
  if (only !== undefined) {
    const options = [...told, { is: 'say', text: only.text } as const]
    return { text, planned: { kind: 'question', text: several, options } }
  }
  const [first] = readings
  if (first !== undefined) return { ...first, text: first.text === '' ? text : first.text }
  const [lacking] = referring.flatMap((one) => (one.is === 'missing' ? [one.text] : []))
  return lacking === undefined ? alone : notReferring(alone, lacking, context)
}

const several = 'this can be meant in more than one way'

/** Of words that are a question by themselves: what they may mean. */
function optionsOf(planned: Planned): readonly Option[] {
  return planned.kind === 'question' ? planned.options.filter(({ is }) => is !== 'like') : []
}

/** What is asked is not lost by an answer that is none: the question stands, with what is wrong before it. */
function notReferring(
  alone: Understood,
  lacking: string,
  { earlier }: ConversationContext,
): Understood {
  const last = earlier.at(-1)
  if (!isAsked(last))
    return { text: alone.text, planned: { ...notUnderstood, text: lacking }, refers: true }
  if (!fitsNoRecipe(alone.planned)) return alone
  const asked = last.planned.text.replace(`${lacking}: `, '')
  return { text: last.text, planned: { ...last.planned, text: `${lacking}: ${asked}` } }
}

const notUnderstood = { kind: 'refusal', reason: 'NOT_UNDERSTOOD' } as const

function refersTo(words: readonly Word[], text: string, context: ConversationContext): Referring {
  const last = context.earlier.at(-1)
  if (isAsked(last)) {
    const before = { ...context, earlier: context.earlier.slice(0, -1) }
    return answerTo({ turn: last, words, text }, context, (said) =>
      planFromConversation(said, before),
    )
  }
  const rest = withoutLeads(words)
  if (rest.length === 0) return noReading
  const repeated = onceMore(rest, text, context)
  if (repeated.is !== 'none') return repeated
  const it = aboutIt(rest, text, context)
  if (it.is !== 'none') return it
  const kept = keptAnswer(rest, text, context)
  if (kept.is !== 'none') return kept
  const otherTime = atAnotherTime({ words: rest, text, again: false }, context)
  if (otherTime.is !== 'none' || rest.length === words.length) return otherTime
  const said = typed(text, rest, 0, rest.length)
  const planned = planFromWords(said, context)
  return planned.kind === 'refusal'
    ? noReading
    : { is: 'some', readings: [{ text: said, planned }] }
}

const again = [
  ...['do it again', 'do that again', 'do same again', 'same again', 'run it again', 'repeat it'],
  ...['repeat that', 'once more', 'one more time', 'again'],
].map((row) => row.split(' '))

function onceMore(words: readonly Word[], text: string, context: ConversationContext): Referring {
  const plain = words.filter(({ plain: word }) => !articles.has(word))
  const row = again.find((one) => one.every((word, at) => plain[at]?.plain === word))
  if (row === undefined) return noReading
  const rest = plain.slice(row.length)
  if (rest.length > 0) return atAnotherTime({ words: rest, text, again: true }, context)
  const turn = context.earlier.findLast(isRunnable)
  const said = turn && meantToday(turn, context)
  if (turn === undefined) return missing('nothing was asked for before this that could be repeated')
  if (said === undefined) return missing('say the whole request, as it is to be now')
  return { is: 'some', readings: [{ text: said, planned: turn.planned }] }
}

const keepWords = new Set(keepPhrases.flatMap(wordsIn))

/** "Put it in my notes": the same is asked again and kept; what was answered is not known here. */
function keptAnswer(words: readonly Word[], text: string, context: ConversationContext): Referring {
  const note = keptIn({ text, words, now: context.now, known: keepWords })
  if (note === undefined) return noReading
  const turn = context.earlier.findLast(isRunnable)
  if (turn === undefined) return missing('there is no answer before this that could be kept')
  const said = meantToday(turn, context)?.replace(/[\s?!.,]+$/, '')
  if (said === undefined) return missing('say the whole request, and that it is to be kept')
  const and = `and ${typed(text, words, 0, words.length)}`
  const read = (one: string) => ({ text: one, planned: planFromWords(one, context) })
  const whole = turn.planned.kind === 'recipe' ? [read(`${said} ${and}`)] : []
  const halves = turn.planned.kind === 'plan' ? halvesOf(said, context) : []
  const each = halves.map((half) => read(`${half.text} ${and}`)).filter(isRunnable)
  const readings = each.length === 0 ? whole : [asking('which answer is to be kept?', each)]
  return someOf(readings, 'this answer cannot be kept')
}
