// What may become of a turn, as data: each function takes the conversation and what somebody wants of
// it, and answers with the next conversation or a refusal. Pure, so that an update's validator and its
// handler ask the same. Invariants: what was taken up and is repeated changes nothing; a turn that was
// accepted is kept until it has its run; nothing but an accept makes one accepted.

import { firingPrefix, parseConsultationId, requestIdPattern } from '../plan/ids.ts'
import type { Priority } from '../plan/schema.ts'
import type {
  AcceptInput,
  AnswerInput,
  BeginInput,
  Conversation,
  SayInput,
  Turn,
  TurnRefusal,
  TurnStatus,
} from './assistant-contract.ts'

/** `turn` is as it stands now, whatever was wanted of it. */
export type Taken =
  | { readonly conversation: Conversation; readonly turn: Turn }
  | { readonly refusal: TurnRefusal }

/** What follow-ups can reach, and what a workflow that goes on is started with: some 20 KB. */
export const maxTurns = 50
/** Until it goes on as a new one. Each costs five events, a run's start some more: far from the limit. */
export const updatesPerRun = 250

/** An update may carry anything: nothing is taken as the type says before it was looked at. */
type Unproven<T> = { readonly [K in keyof T]?: unknown } | null | undefined

/** Whoever says something else no longer wants what was shown before and not answered. */
export function say(now: Conversation, input: Unproven<SayInput>, at: number): Taken {
  const { turnId, saidRef, anew } = input ?? {}
  if (!isTurnId(turnId) || !isRef(saidRef)) return refuse('MALFORMED')
  if (anew !== undefined && anew !== true) return refuse('MALFORMED')
  const known = now.turns.find((turn) => turn.turnId === turnId)
  if (known !== undefined) {
    return known.saidRef === saidRef ? same(now, known) : refuse('OTHER_WORDS')
  }
  const earlier = now.turns.map((turn) => (isOpen(turn) ? toStatus(turn, 'dropped') : turn))
  const kept = withRoom(earlier)
  if (kept === undefined) return refuse('UNFINISHED')
  // The first thing that is ever said begins the first session, not the second.
  const session = anew === true && now.turns.length > 0 ? now.session + 1 : now.session
  const turn: Turn = { turnId, session, status: 'said', saidRef, at }
  return { conversation: { session, turns: [...kept, turn] }, turn }
}

/** What was made of the words, or a no to what was shown. */
export function answer(now: Conversation, input: Unproven<AnswerInput>): Taken {
  const { turnId, status, answerRef } = input ?? {}
  if (!isTurnId(turnId) || !isAnswer(status)) return refuse('MALFORMED')
  const turn = now.turns.find((one) => one.turnId === turnId)
  if (status === 'dropped') {
    if (answerRef !== undefined) return refuse('MALFORMED')
    if (turn === undefined) return refuse('UNKNOWN_TURN')
    if (turn.status === 'dropped') return same(now, turn)
    return isOpen(turn) ? changed(now, toStatus(turn, 'dropped')) : refuse('NOT_OPEN')
  }
  if (!isRef(answerRef)) return refuse('MALFORMED')
  if (turn === undefined) return refuse('UNKNOWN_TURN')
  if (turn.answerRef === answerRef) return same(now, turn)
  return turn.status === 'said'
    ? changed(now, { ...toStatus(turn, status), answerRef })
    : refuse('NOT_OPEN')
}

/** A yes to the plan that was shown. */
export function accept(now: Conversation, input: Unproven<AcceptInput>): Taken {
  const { turnId } = input ?? {}
  if (!isTurnId(turnId)) return refuse('MALFORMED')
  const turn = now.turns.find((one) => one.turnId === turnId)
  if (turn === undefined) return refuse('UNKNOWN_TURN')
  if (turn.status === 'accepted' || turn.status === 'begun') return same(now, turn)
  return turn.status === 'planned' ? changed(now, toStatus(turn, 'accepted')) : refuse('NOT_OPEN')
}

/** May its run be started? Changes nothing: a turn has its run when Temporal has it. */
export function mayBegin(now: Conversation, input: Unproven<BeginInput>): Taken {
  const { request, priority, recipe } = input ?? {}
  if (!isRequest(request) || !isPriority(priority) || !isRecipe(recipe)) return refuse('MALFORMED')
  const turn = now.turns.find((one) => one.turnId === request.requestId)
  if (turn === undefined) return refuse('UNKNOWN_TURN')
  const mayBe = turn.status === 'accepted' || turn.status === 'begun'
  return mayBe ? same(now, turn) : refuse('NOT_OPEN')
}

/** Its run has been started, now or before. */
export function begun(now: Conversation, turnId: string): Taken {
  const turn = now.turns.find((one) => one.turnId === turnId)
  if (turn === undefined) return refuse('UNKNOWN_TURN')
  return turn.status === 'accepted' || turn.status === 'begun'
    ? changed(now, toStatus(turn, 'begun'))
    : refuse('NOT_OPEN')
}

const isOpen = ({ status }: Turn) => status === 'said' || status === 'planned'
const toStatus = (turn: Turn, status: TurnStatus): Turn => ({ ...turn, status })
const same = (conversation: Conversation, turn: Turn): Taken => ({ conversation, turn })
const refuse = (refusal: TurnRefusal): Taken => ({ refusal })

function changed({ session, turns }: Conversation, turn: Turn): Taken {
  const next = turns.map((one) => (one.turnId === turn.turnId ? turn : one))
  return { conversation: { session, turns: next }, turn }
}

/** Without the oldest that waits for nothing, where there are as many as are kept. */
function withRoom(turns: readonly Turn[]): readonly Turn[] | undefined {
  if (turns.length < maxTurns) return turns
  const oldest = turns.findIndex(({ status }) => status !== 'accepted')
  return oldest === -1 ? undefined : turns.filter((_, at) => at !== oldest)
}

/** A reference of the artifact store (activities/artifacts.ts). */
const refPattern = /^[0-9a-f]{64}$/
const recipePattern = /^[a-z][a-z0-9-]{0,79}$/

const isTurnId = (value: unknown): value is string =>
  // Firings are the schedules', consultations their run's: the notary would refuse to register it.
  typeof value === 'string' &&
  requestIdPattern.test(value) &&
  !value.startsWith(firingPrefix) &&
  parseConsultationId(value) === undefined
const isRef = (value: unknown): value is string =>
  typeof value === 'string' && refPattern.test(value)
const isRecipe = (value: unknown): value is string | undefined =>
  value === undefined || (typeof value === 'string' && recipePattern.test(value))

const answers: readonly unknown[] = [
  'asked',
  'refused',
  'planned',
  'dropped',
] satisfies readonly AnswerInput['status'][]
const isAnswer = (value: unknown): value is AnswerInput['status'] => answers.includes(value)
const priorities: readonly unknown[] = [
  'LOW',
  'MEDIUM',
  'HIGH',
  'CRITICAL',
] satisfies readonly Priority[]
const isPriority = (value: unknown): value is Priority => priorities.includes(value)

/** No firing and no consultation: those are begun by schedules and by runs alone. */
function isRequest(
  value: unknown,
): value is { readonly requestId: string; readonly requestRef: string } {
  if (typeof value !== 'object' || value === null) return false
  const { requestId, requestRef, lane, text, ...rest } = value as Readonly<Record<string, unknown>>
  const isLane = lane === undefined || lane === 'fast' || lane === 'regular'
  const isText = text === undefined || text === true
  return (
    isTurnId(requestId) && isRef(requestRef) && isLane && isText && Object.keys(rest).length === 0
  )
}
