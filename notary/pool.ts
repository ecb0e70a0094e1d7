// Which replica of an agent carries an effect out. Who has been given a token for it keeps it: another
// replica has a ledger of its own and would do it again. It moves only when nothing can happen twice
// (ADR 23), and the worker cannot ask for it: no call names a replica. Among those that are free to
// take it the least loaded is asked, and another one started before all are busy.
//
// Of an agent with `perUser` only the replicas of whoever asked the request are ever chosen from: that a
// person's data is out of reach of everybody else's runs is decided here and nowhere else.

import { numbersFor } from '../plan/replicas.ts'
import type { NotaryContext, Refusal } from './context.ts'
import type { Located } from './locate.ts'
import type { PoolLoad } from './pool-load.ts'
import type { State } from './state.ts'
import { canStillBegin, type Present } from './tokens-alive.ts'

/** `begin`: a token that may start it is asked for; `follow`: one that cannot. */
export type Purpose = 'begin' | 'follow'

/** Commands at work in one replica before another is started for the next. */
const spreadAt = 4

export function chooseReplica(
  context: NotaryContext,
  present: Present,
  located: Pick<Located, 'request' | 'step' | 'idem' | 'effect' | 'address' | 'done' | 'action'>,
  purpose: Purpose,
): { readonly n: number } | { readonly refusal: Refusal } {
  const { request, step, idem, effect, address, done } = located
  const { agent } = step
  const { state } = present
  // An undo and a probe are about what one ledger knows.
  const before = (address.kind === 'do' ? effect?.n : (effect?.n ?? done?.n)) ?? undefined
  const isFree = (n: number) => state.quarantine(agent, n) === undefined
  const all = replicasFor(context, agent, request.user)
  // One that serves somebody else is none of this request's, also where the manifest said otherwise once.
  if (all.length === 0 || (before !== undefined && !all.includes(before))) return nobodys(agent)
  const free = all.filter(isFree)
  if (before === undefined) return pick({ agent, idem, free }, context.load, present)
  const wanted = isFree(before) && (all.length === 1 || isRunning(state, agent, before))
  const isOpen = purpose === 'begin' && address.kind === 'do' && effect !== undefined
  if (wanted || !isOpen || free.length === 0) return keep(agent, before, isFree(before))
  if (mayMove(located, present)) return pick({ agent, idem, free }, context.load, present)
  // A read may go elsewhere as soon as its token is over; whoever asks waits for that.
  if (!isFree(before) && located.action.effect === 'read') {
    const message = 'its token for a replica that is shut out is alive'
    return { refusal: { code: 'TOKENS_ALIVE', message } }
  }
  return keep(agent, before, isFree(before))
}

/**
 * Whether an effect that has been given tokens may begin at another replica. A read, once none of its
 * tokens can begin it any more: what its first replica read then is no use to anyone. Anything else
 * only when the first replica has said of every token that it did nothing, in an envelope over it:
 * that it is silent, was stopped, or was never reached proves nothing, and the worker's word neither.
 */
export function mayMove(
  { effect, action }: Pick<Located, 'effect' | 'action'>,
  present: Present,
): boolean {
  if (effect === undefined || effect.outcome !== null) return false
  if (action.effect === 'read') return !canStillBegin(effect, present)
  return present.state.runTokens(effect.idem).every(({ answered }) => answered === 2)
}

function replicasFor(
  { catalogue, slots = {} }: Pick<NotaryContext, 'catalogue' | 'slots'>,
  agent: string,
  user: string,
): readonly number[] {
  const manifest = catalogue.get(agent)
  return manifest === undefined ? [] : numbersFor(manifest, user.slice('user:'.length), slots)
}

function nobodys(agent: string): { readonly refusal: Refusal } {
  const message = `no replica of ${agent} is this person's: who was enrolled since gets one with the next start`
  return { refusal: { code: 'NOT_PERMITTED', message } }
}

function keep(agent: string, n: number, isFree: boolean): ReturnType<typeof chooseReplica> {
  return isFree ? { n } : shutOut(agent)
}

function shutOut(agent: string): { readonly refusal: Refusal } {
  const message = `${agent} is quarantined; next: npx bulkhead agents show ${agent}`
  return { refusal: { code: 'QUARANTINED', message } }
}

/**
 * The least loaded of those that run. Where all of them are at work on several commands, or none runs,
 * one that does not: fixed by the effect's id, so that whoever has it started is sent there.
 */
function pick(
  { agent, idem, free }: { readonly agent: string; readonly idem: string; readonly free: number[] },
  load: PoolLoad,
  { state, now }: Present,
): ReturnType<typeof chooseReplica> {
  if (free.length <= 1) return free[0] === undefined ? shutOut(agent) : { n: free[0] }
  const start = Buffer.from(idem, 'base64url').readUInt32BE(0) % free.length
  const turned = [...free.slice(start), ...free.slice(0, start)]
  const loads = load.of(agent, state, now)
  const loadOf = (n: number) => loads.get(n) ?? 0
  const [least] = turned
    .filter((n) => isRunning(state, agent, n))
    .toSorted((one, other) => loadOf(one) - loadOf(other))
  if (least !== undefined && loadOf(least) < spreadAt) return { n: least }
  const asleep = turned.find((n) => !isRunning(state, agent, n))
  const n = asleep ?? least
  return n === undefined ? shutOut(agent) : { n }
}

function isRunning(state: State, agent: string, n: number): boolean {
  return state.replica(agent, n)?.running === 1
}
