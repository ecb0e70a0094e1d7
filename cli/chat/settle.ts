// One turn of a conversation, from where it is to its end: planned by the rules with what was said before,
// shown, agreed to, run and answered. What it is at is on the disk before anything else happens, so that each
// step may be repeated.

import type { Decide } from '../../plan/policy.ts'
import type { KnownNames } from '../../plan/principals.ts'
import type { Priority } from '../../plan/schema.ts'
import { listRecipes } from '../../planner/recipes.ts'
import { planFromWords } from '../../planner/rules/plan-from-words.ts'
import type { Turn } from '../../workflows/assistant-contract.ts'
import { askedLine, type ModelOptions } from '../commands/ask-model.ts'
import { compileRun, followRun } from '../commands/run.ts'
import { estimateLine, estimateOf } from '../estimate-words.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { planWords } from '../plan-words.ts'
import type { RunDocument } from '../run-view.ts'
import { forgetYes, hasSaidYes } from '../said-yes.ts'
import type { Session } from '../session.ts'
import type { Lines } from './input.ts'
import { type Draft, drafts, forgetUnseen, hasTyped } from './outbox.ts'
import { answerLines, questionLines } from './shown.ts'
import {
  accept,
  answer,
  begin,
  drop,
  type PlanDocument,
  type ReadTurn,
  read,
  readIfKept,
  say,
} from './turns.ts'
import { understand } from './understand.ts'

export interface ChatOptions extends ModelOptions {
  readonly yes: boolean
  readonly anew: boolean
  readonly priority: Priority
  readonly names: KnownNames
  readonly decide: Decide
  /** IANA name: where "tomorrow" is meant. */
  readonly zone: string
  readonly lines: Lines
}

/** What came of one turn, and the line that was typed in place of a yes or a no. */
export interface Settled {
  readonly exitCode: ExitCode
  readonly line?: string
}

export interface Chat extends ChatOptions {
  readonly session: Session
  readonly output: Output
}

export const nothing: Settled = { exitCode: exitCodes.completed }

/** What cannot be gone on with is told, and keeps nobody from the rest. */
export async function attempt({ output }: Chat, act: () => Promise<Settled>): Promise<Settled> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    output.problem(error.message, error.next)
    return { exitCode: error.exitCode }
  }
}

/** All that was typed and not taken up yet, in its order; what is followed by more is planned at least. */
export async function sayAll(chat: Chat): Promise<Turn | undefined> {
  const { session } = chat
  let last: Turn | undefined
  for (const draft of drafts(session.state)) {
    if (last?.status === 'said') {
      const one = await plan(chat, await read(session, last))
      if (chat.output.json && one.answer?.is !== 'plan') tell(chat, one)
    }
    const ended = await endedBy(chat, draft)
    last = await say(session, draft)
    for (const one of ended) tell(chat, one)
  }
  return last
}

/** With `--json`: turns that come to their end, without a run, as soon as this is said instead of a yes. */
async function endedBy({ session, output }: Chat, { turnId }: Draft): Promise<readonly ReadTurn[]> {
  if (!output.json) return []
  const { turns } = await session.assistant.conversation()
  // Said before, by a command that was killed: it ended then what it ended.
  if (turns.some((turn) => turn.turnId === turnId)) return []
  const ended: ReadTurn[] = []
  for (const turn of turns.filter(({ status }) => status === 'said' || status === 'planned')) {
    ended.push(...(await readIfKept(session, { ...turn, status: 'dropped' })))
  }
  return ended
}

/** From wherever the turn is to its end, or to a line that was typed instead. */
export async function settle(chat: Chat, turn: Turn): Promise<Settled> {
  const { session } = chat
  let one = await read(session, turn)
  if (one.turn.status === 'said') one = await plan(chat, one)
  const made = one.answer
  if (made?.is !== 'plan' || one.turn.status === 'dropped') return tell(chat, one)
  const { turnId } = turn
  const { status } = one.turn
  if (status !== 'begun' && !hasSaidYes(session.state, turnId, made)) {
    const typed = await askYes(chat, one, made)
    if (typed === 'no') return await sayNo(chat, one)
    if (typed !== 'yes') return { exitCode: exitCodes.usage, ...typed }
  }
  if (status !== 'begun') one = { ...one, turn: await accept(session, turnId, made) }
  if (one.turn.status === 'accepted')
    one = { ...one, turn: await beginAgreed(session, turnId, made) }
  const isProposed = made.request.kind === 'text'
  const { document, exitCode } = await followRun(session, turnId, chat.output, {
    yes: isProposed && chat.yes,
    // Nobody is there to say yes to it: the question stays, and says which command answers it.
    leaves: isProposed && !chat.yes && !chat.lines.isTerminal,
  })
  tell(chat, one, document)
  if (document.status === 'waiting-approval') return { exitCode }
  // Also of what was begun and cut off before it could be forgotten.
  forgetYes(session.state, turnId)
  forgetUnseen(session.state, turnId)
  return { exitCode }
}

/** What is denied once is not tried at each start. */
async function beginAgreed(session: Session, turnId: string, made: PlanDocument): Promise<Turn> {
  try {
    return await begin(session, turnId, made)
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === exitCodes.denied) {
      forgetYes(session.state, turnId)
      forgetUnseen(session.state, turnId)
    }
    throw error
  }
}

/** Also of words that were said before a crash: by the clock of then. */
async function plan(chat: Chat, one: ReadTurn): Promise<ReadTurn> {
  const { session } = chat
  const made = await understand(session, one, chat)
  return { ...one, answer: made, turn: await answer(session, one.turn.turnId, made) }
}

/** `yes`, `no`, or what was typed instead; nothing at the end of the input. */
async function askYes(
  chat: Chat,
  { turn, said }: ReadTurn,
  made: PlanDocument,
): Promise<'yes' | 'no' | { readonly line?: string }> {
  const { lines, output, names, decide } = chat
  const { kind, name, source, inputs } = made.request
  // Words that were not typed here are shown first, whatever `--yes` says.
  const isOwn = hasTyped(chat.session.state, turn.turnId, said.words)
  if (!isOwn) output.talk(`not typed here: ${JSON.stringify(said.words)}`)
  if (kind === 'text') {
    // What is proposed waits for its yes in the run, which asks for it by itself.
    const planned = planFromWords(source, { recipes: listRecipes(), now: said.at })
    output.talk(askedLine(planned, chat.models))
    if (isOwn && source === said.words) return 'yes'
    output.talk(`  of: ${JSON.stringify(source)}`)
  } else {
    if (isOwn && chat.yes) return 'yes'
    const compiled = compileRun({ kind, name, source }, { inputs, names, decide })
    if (!compiled.ok) return 'no'
    if (made.written !== undefined) output.talk(`taken as: ${made.written}`)
    const estimate = estimateOf(compiled.plan, { now: Date.now(), zone: chat.zone })
    for (const line of [...planWords(compiled), estimateLine(estimate)]) output.talk(line)
  }
  const typed = await lines.next('run it? [y/N] ')
  if (typed === undefined) {
    output.problem(`nothing was run: nobody said yes to ${JSON.stringify(said.words)}`)
    output.talk(`  next: npx bulkhead chat   asks again about ${turn.turnId}`)
    return {}
  }
  const plain = typed.trim().toLowerCase()
  if (plain === 'y' || plain === 'yes') return 'yes'
  return ['', 'n', 'no'].includes(plain) ? 'no' : { line: typed }
}

async function sayNo(chat: Chat, one: ReadTurn): Promise<Settled> {
  const { turn } = one
  const isOpen = turn.status === 'planned'
  return tell(chat, { ...one, turn: isOpen ? await drop(chat.session, turn.turnId) : turn })
}

function tell(
  { output }: Chat,
  { turn, said, answer: made }: ReadTurn,
  run?: RunDocument,
): Settled {
  const { turnId, status } = turn
  if (output.json) {
    output.line({ turnId, words: said.words, status, understood: made ?? null, run: run ?? null })
  } else if (run !== undefined) output.data(run, () => answerLines(run))
  else if (made?.is === 'question') {
    output.data(made, () => questionLines(made.text, made.options))
  } else if (made?.is === 'refusal') {
    const next = 'npx bulkhead recipes   says what can be asked for, and how'
    output.problem(`${made.text} (${made.reason})`, next)
  } else output.talk('nothing was run')
  return { exitCode: made?.is === 'plan' ? exitCodes.failed : exitCodes.usage }
}
