// `bulkhead chat`: a conversation, a line at a time. Each line is the person's for good before anything is
// made of it; then it is planned by the rules with what was said before, shown, agreed to, run and answered.
// Whatever was cut off is taken up at the next start where it was: a plan whose yes is on the disk is run
// without asking again, and an answer that nobody has seen is shown.

import { Temporal } from 'temporal-polyfill'
import { limits } from '../../plan/limits.ts'
import type { Decide } from '../../plan/policy.ts'
import type { KnownNames } from '../../plan/principals.ts'
import type { Priority } from '../../plan/schema.ts'
import { listRecipes } from '../../planner/recipes.ts'
import { planFromWords } from '../../planner/rules/plan-from-words.ts'
import type { Turn } from '../../workflows/assistant-contract.ts'
import type { Lines } from '../chat/input.ts'
import {
  type Draft,
  drafts,
  forgetTypedBut,
  forgetUnseen,
  hasTyped,
  isUnseen,
  keepDraft,
} from '../chat/outbox.ts'
import { answerLines, helpLines, questionLines, turnLine } from '../chat/shown.ts'
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
} from '../chat/turns.ts'
import { understand } from '../chat/understand.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { planWords } from '../plan-words.ts'
import type { RunDocument } from '../run-view.ts'
import { forgetYes, hasSaidYes } from '../said-yes.ts'
import type { Session } from '../session.ts'
import { askedLine, type ModelOptions } from './ask-model.ts'
import { compileRun, drawRequestId, followRun } from './run.ts'

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
interface Settled {
  readonly exitCode: ExitCode
  readonly line?: string
}

interface Chat extends ChatOptions {
  readonly session: Session
  readonly output: Output
}

/** @throws CommandError */
export async function chatCommand(
  open: () => Promise<Session>,
  output: Output,
  options: ChatOptions,
): Promise<ExitCode> {
  const leave = () => {
    output.talk('left; what runs goes on. Return with: npx bulkhead chat')
    process.exit(exitCodes.interrupted)
  }
  process.once('SIGINT', leave)
  const session = await open()
  try {
    return await converse({ ...options, session, output })
  } finally {
    process.off('SIGINT', leave)
    options.lines.close()
    await session.close()
  }
}

async function converse(chat: Chat): Promise<ExitCode> {
  const { lines, output } = chat
  let { exitCode, line }: Settled = await takeUp(chat)
  let anew = chat.anew
  if (lines.isTerminal) output.talk('say what you want; /help says how, /quit leaves')
  for (;;) {
    const typed = (line ?? (await lines.next('you: ')))?.trim()
    line = undefined
    if (typed === undefined || typed === '/quit' || typed === '/exit') break
    if (typed === '/help') for (const one of helpLines) output.talk(one)
    else if (typed === '/new') anew = true
    else if (typed.length > limits.wordsCharacters) {
      // Nobody would take it up, at no start either.
      output.problem(`a line has at most ${limits.wordsCharacters} characters`, 'say it shorter')
      exitCode = exitCodes.usage
    } else if (typed !== '') {
      keepDraft(chat.session.state, toDraft(typed, chat.zone, anew))
      anew = false
      const settled = await settleSaid(chat)
      exitCode = settled.exitCode
      line = settled.line
    }
  }
  return lines.isTerminal ? exitCodes.completed : exitCode
}

function toDraft(words: string, zone: string, anew: boolean): Draft {
  const at = Temporal.Now.plainDateTimeISO(zone).toString({ smallestUnit: 'minute' })
  const turnId = drawRequestId('chat', new Date())
  return { turnId, words, at, zone, ...(anew ? { anew } : {}) }
}

/** A pipe ends with what went wrong; at a terminal the person goes on, and the words are said with the next. */
async function settleSaid(chat: Chat): Promise<Settled> {
  try {
    const turn = await sayAll(chat)
    return turn === undefined ? nothing : await settle(chat, turn)
  } catch (error) {
    if (!chat.lines.isTerminal || !(error instanceof CommandError)) throw error
    chat.output.problem(error.message, error.next)
    return { exitCode: error.exitCode }
  }
}

const nothing: Settled = { exitCode: exitCodes.completed }

/** All that was typed and not taken up yet, in its order; what is followed by more is planned at least. */
async function sayAll(chat: Chat): Promise<Turn | undefined> {
  const { session } = chat
  let last: Turn | undefined
  for (const draft of drafts(session.state)) {
    if (last?.status === 'said') await plan(chat, await read(session, last))
    last = await say(session, draft)
  }
  return last
}

/** What was open when an earlier command ended, the oldest first. */
async function takeUp(chat: Chat): Promise<Settled> {
  const { session, output } = chat
  await sayAll(chat)
  const { turns, session: current } = await session.assistant.conversation()
  const isAsked = ({ status }: Turn) => status === 'said' || status === 'planned'
  forgetTypedBut(session.state, new Set(turns.filter(isAsked).map(({ turnId }) => turnId)))
  if (!chat.anew && !output.json) {
    await tellRecent(
      chat,
      turns.filter((turn) => turn.session === current),
    )
  }
  let settled = nothing
  for (const turn of turns) {
    try {
      if (!(await isOpen(chat, turn, turn === turns.at(-1)))) continue
      output.talk(`going on with ${turn.turnId}`)
      settled = await settle(chat, turn)
    } catch (error) {
      if (!(error instanceof CommandError)) throw error
      output.problem(error.message, error.next)
      settled = { exitCode: error.exitCode }
    }
  }
  return settled
}

async function isOpen(chat: Chat, turn: Turn, isLast: boolean): Promise<boolean> {
  const { session, anew } = chat
  if (turn.status === 'begun') return isUnseen(session.state, turn.turnId)
  if (turn.status === 'accepted') {
    const { answer: made } = await read(session, turn)
    return made?.is === 'plan' && (isLast || hasSaidYes(session.state, turn.turnId, made))
  }
  return isLast && !anew && (turn.status === 'said' || turn.status === 'planned')
}

const mostTold = 3

async function tellRecent({ session, output }: Chat, turns: readonly Turn[]): Promise<void> {
  for (const turn of turns.slice(-mostTold)) {
    for (const one of await readIfKept(session, turn)) output.talk(turnLine(one))
  }
}

/** From wherever the turn is to its end, or to a line that was typed instead. */
async function settle(chat: Chat, turn: Turn): Promise<Settled> {
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
    for (const line of planWords(compiled)) output.talk(line)
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

/** `bulkhead chat show`: the turns that are kept, the oldest first. */
export async function chatShowCommand(session: Session, output: Output): Promise<ExitCode> {
  const { turns } = await session.assistant.conversation()
  const kept: ReadTurn[] = []
  for (const turn of turns) kept.push(...(await readIfKept(session, turn)))
  output.rows(
    kept.map(({ turn, said, answer: made }) => ({
      ...{ turnId: turn.turnId, session: turn.session, status: turn.status, at: said.at },
      ...{ words: said.words, understood: made ?? null },
    })),
    ({ turnId }) =>
      kept
        .filter(({ turn }) => turn.turnId === turnId)
        .map(turnLine)
        .join(''),
  )
  return exitCodes.completed
}
