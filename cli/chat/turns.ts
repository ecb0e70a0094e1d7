// The steps of a turn, from typed words to its run, each of which may be repeated after a crash: what was
// typed lies on the disk before it is said, a yes before it is told, and the run has the turn's id. What the
// assistant knows of a turn is a status and references; the words are the artifact store's.

import type { TurnReply } from '../../temporal/assistant-client.ts'
import type { TurnDocument } from '../../temporal/turn-document.ts'
import type { Turn } from '../../workflows/assistant-contract.ts'
import { registerRun } from '../commands/run.ts'
import { CommandError, exitCodes } from '../exit-codes.ts'
import { rememberYes } from '../said-yes.ts'
import type { Session } from '../session.ts'
import { readTurn, storeTurn } from '../turn-documents.ts'
import { contextOf } from './context.ts'
import { type Draft, forgetDraft, keepTyped, keepUnseen } from './outbox.ts'

export type Said = Extract<TurnDocument, { is: 'said' }>
export type AnswerDocument = Exclude<TurnDocument, Said>
export type PlanDocument = Extract<TurnDocument, { is: 'plan' }>

/** @throws CommandError, as all here */
export async function say(session: Session, draft: Draft): Promise<Turn> {
  const { turnId, words, at, zone, anew } = draft
  keepTyped(session.state, draft)
  const saidRef = await storeTurn(session, turnId, { is: 'said', words, at, zone })
  const turn = taken(
    await session.assistant.say({ turnId, saidRef, ...(anew === undefined ? {} : { anew }) }),
  )
  forgetDraft(session.state, turnId)
  return turn
}

const statusOf = { question: 'asked', refusal: 'refused', plan: 'planned' } as const

export async function answer(
  session: Session,
  turnId: string,
  document: AnswerDocument,
): Promise<Turn> {
  const answerRef = await storeTurn(session, turnId, document)
  return taken(await session.assistant.answer({ turnId, status: statusOf[document.is], answerRef }))
}

export async function drop(session: Session, turnId: string): Promise<Turn> {
  return taken(await session.assistant.answer({ turnId, status: 'dropped' }))
}

/** What the person has just said yes to. */
export async function accept(session: Session, turnId: string, plan: PlanDocument): Promise<Turn> {
  rememberYes(session.state, turnId, plan)
  return taken(await session.assistant.accept({ turnId }))
}

/** Its answer is owed from now on. */
export async function begin(session: Session, turnId: string, plan: PlanDocument): Promise<Turn> {
  const { inputs, priority, ...run } = plan.request
  const { kind, name } = run
  keepUnseen(session.state, turnId)
  const context = kind === 'text' ? await contextOf(session, turnId) : undefined
  const { requestRef } = await registerRun(
    session,
    kind === 'text' ? { ...run, kind } : { ...run, kind },
    { requestId: turnId, inputs, priority, ...(context === undefined ? {} : { context }) },
  )
  return taken(
    await session.assistant.begin({
      request: { requestId: turnId, requestRef, ...(kind === 'text' ? { text: true } : {}) },
      priority,
      ...(kind === 'recipe' ? { recipe: name } : {}),
    }),
  )
}

function taken(reply: TurnReply): Turn {
  if (reply.status === 'TAKEN') return reply.turn
  throw new CommandError(`the conversation does not take it up: ${reply.code}`, {
    exitCode: exitCodes.failed,
    next: 'npx bulkhead chat show   says where it is',
  })
}

/** A turn with what was said and what was made of it; undefined: nothing was made of it. */
export interface ReadTurn {
  readonly turn: Turn
  readonly said: Said
  readonly answer?: AnswerDocument
}

/** @throws CommandError where the words or the plan are not this person's, or are no longer kept */
export async function read(session: Session, turn: Turn): Promise<ReadTurn> {
  const { turnId, saidRef, answerRef } = turn
  const said = await readTurn(session, turnId, saidRef)
  const made = answerRef === undefined ? undefined : await readTurn(session, turnId, answerRef)
  if (said.is !== 'said' || made?.is === 'said') {
    throw new CommandError(`${turnId} is not what was said`, {
      exitCode: exitCodes.failed,
      next: 'npx bulkhead chat --new',
    })
  }
  return { turn, said, ...(made === undefined ? {} : { answer: made }) }
}

/** Nothing where it is too old, or not this person's. */
export async function readIfKept(session: Session, turn: Turn): Promise<readonly ReadTurn[]> {
  try {
    return [await read(session, turn)]
  } catch (error) {
    if (error instanceof CommandError && error.cause === undefined) return []
    throw error
  }
}
