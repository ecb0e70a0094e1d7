// `bulkhead chat`: a conversation, a line at a time. Each line is the person's for good before anything is
// made of it; then it is planned by the rules with what was said before, shown, agreed to, run and answered.
// Whatever was cut off is taken up at the next start where it was: a plan whose yes is on the disk is run
// without asking again, and an answer that nobody has seen is shown.

import { Temporal } from 'temporal-polyfill'
import { limits } from '../../plan/limits.ts'
import { type Draft, keepDraft } from '../chat/outbox.ts'
import {
  attempt,
  type Chat,
  type ChatOptions,
  nothing,
  type Settled,
  sayAll,
  settle,
} from '../chat/settle.ts'
import { helpLines, turnLine } from '../chat/shown.ts'
import { takeUp } from '../chat/take-up.ts'
import { type ReadTurn, readIfKept } from '../chat/turns.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import type { Session } from '../session.ts'
import { drawRequestId } from './run.ts'

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
  const act = async () => {
    const turn = await sayAll(chat)
    return turn === undefined ? nothing : await settle(chat, turn)
  }
  return chat.lines.isTerminal ? await attempt(chat, act) : await act()
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
