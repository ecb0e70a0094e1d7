// What a conversation goes on with when a command begins: whatever an earlier one left open, each where it was.

import { limits } from '../../plan/limits.ts'
import type { Turn } from '../../workflows/assistant-contract.ts'
import { exitCodes } from '../exit-codes.ts'
import { hasSaidYes } from '../said-yes.ts'
import { forgetBut, isUnseen } from './outbox.ts'
import { attempt, type Chat, nothing, type Settled, sayAll, settle } from './settle.ts'
import { turnLine } from './shown.ts'
import { read, readIfKept } from './turns.ts'

/** What was open when an earlier command ended, the oldest first. */
export async function takeUp(chat: Chat): Promise<Settled> {
  const { session, output } = chat
  const { settled: first, tried } = await settleAgreed(chat)
  const said = await sayLeft(chat, tried)
  if (said.line !== undefined) return said
  const { turns, session: current } = await session.assistant.conversation()
  forgetOld(session.state, turns)
  if (!chat.anew && !output.json) {
    await tellRecent(
      chat,
      turns.filter((turn) => turn.session === current),
    )
  }
  let settled = first
  for (const turn of turns.filter(({ turnId }) => !tried.has(turnId))) {
    settled = await attempt(chat, async () => {
      if (!(await isOpen(chat, turn, turn === turns.at(-1)))) return settled
      output.talk(`going on with ${turn.turnId}`)
      return await settle(chat, turn)
    })
  }
  return said.exitCode === exitCodes.completed ? settled : { ...settled, ...said }
}

/**
 * What this person has said yes to, before anything else is said: where as many turns as are kept wait for
 * their runs, nothing new is taken up until one of them has it.
 */
async function settleAgreed(chat: Chat) {
  const { session, output } = chat
  const { turns } = await session.assistant.conversation()
  const tried = new Set<string>()
  let settled = nothing
  for (const turn of turns.filter(({ status }) => status === 'accepted')) {
    settled = await attempt(chat, async () => {
      tried.add(turn.turnId)
      const { answer: made } = await read(session, turn)
      if (made?.is !== 'plan' || !hasSaidYes(session.state, turn.turnId, made)) {
        tried.delete(turn.turnId)
        return settled
      }
      output.talk(`going on with ${turn.turnId}`)
      return await settle(chat, turn)
    })
  }
  return { settled, tried }
}

/**
 * What was typed and not taken up yet. Where it cannot be, because nothing is kept but turns that wait for
 * their runs, the oldest of them is asked about, wherever its yes was said: else there never was room again.
 */
async function sayLeft(chat: Chat, tried: Set<string>): Promise<Settled> {
  const act = async () => {
    await sayAll(chat)
    return nothing
  }
  const said = await attempt(chat, act)
  if (said.exitCode === exitCodes.completed) return said
  const { turns } = await chat.session.assistant.conversation()
  const [oldest] = turns
  if (oldest === undefined || tried.has(oldest.turnId)) return said
  if (turns.some(({ status }) => status !== 'accepted')) return said
  tried.add(oldest.turnId)
  chat.output.talk(`going on with ${oldest.turnId}`)
  const settled = await attempt(chat, () => settle(chat, oldest))
  return settled.line === undefined ? await attempt(chat, act) : settled
}

async function isOpen(chat: Chat, turn: Turn, isLast: boolean): Promise<boolean> {
  const { session, anew } = chat
  if (turn.status === 'begun') return isUnseen(session.state, turn.turnId)
  if (!isLast) return false
  if (turn.status === 'accepted') return (await read(session, turn)).answer?.is === 'plan'
  return !anew && (turn.status === 'said' || turn.status === 'planned')
}

/** Of what was typed, the newest is what a model may be told of with the next turn. */
function forgetOld(state: string, turns: readonly Turn[]): void {
  const idsOf = (some: readonly Turn[]) => new Set(some.map(({ turnId }) => turnId))
  const isAsked = ({ status }: Turn) => status === 'said' || status === 'planned'
  const newest = turns.slice(-limits.contextTurns)
  forgetBut(state, 'typed', idsOf([...turns.filter(isAsked), ...newest]))
  const isToBegin = (turn: Turn) => isAsked(turn) || turn.status === 'accepted'
  forgetBut(state, 'context', idsOf(turns.filter(isToBegin)))
}

const mostTold = 3

async function tellRecent({ session, output }: Chat, turns: readonly Turn[]): Promise<void> {
  for (const turn of turns.slice(-mostTold)) {
    for (const one of await readIfKept(session, turn)) output.talk(turnLine(one))
  }
}
