// What crosses between an entry point and a person's assistant workflow, which remembers a conversation:
// what was said, what was made of it, and which run it became. References and codes only; words lie in the
// artifact store. What a run has come to is the run's own to say. Types and names only, as in contract.ts.

import type { Priority } from '../plan/schema.ts'
import type { RequestInput } from './contract.ts'

export const assistantWorkflowType = 'assistant'
export const sayUpdate = 'say'
export const answerUpdate = 'answer'
export const acceptUpdate = 'accept'
export const beginUpdate = 'begin'
export const conversationQuery = 'conversation'

/**
 * One for each person: `account` is that of the bus (`cli`, `cli-anna`). No request can have this id:
 * theirs begin with a letter or a digit.
 */
export const assistantWorkflowId = (account: string): string => `_assistant-${account}`

/**
 * `said`: nothing was made of it yet. `asked`: a question went back, `refused`: it cannot be done; either is
 * over. `planned`: a plan was shown, and nobody has said yes or no. `accepted`: they said yes, and its run is
 * still to be registered. `begun`: it has a run. `dropped`: they said no, or said something else instead.
 *
 * None of these is a person's word: whoever reaches Temporal can write them. An entry point goes on from
 * `accepted` without asking only where its own folder remembers the yes (cli/said-yes.ts).
 */
export type TurnStatus = 'said' | 'asked' | 'refused' | 'planned' | 'accepted' | 'begun' | 'dropped'

export interface Turn {
  /** Drawn by the entry point; saying the same again is the same turn. Also the run's request id. */
  readonly turnId: string
  /** Turns of an earlier session are not referred to. */
  readonly session: number
  readonly status: TurnStatus
  /** Artifact of kind `turn`: the words. */
  readonly saidRef: string
  /** Artifact of kind `turn`: the question, the refusal or the plan that was shown. */
  readonly answerRef?: string
  /** Milliseconds since the epoch. */
  readonly at: number
}

export interface SayInput {
  readonly turnId: string
  readonly saidRef: string
  /** Whatever was said before is not referred to any more. */
  readonly anew?: true
}

export interface AnswerInput {
  readonly turnId: string
  readonly status: 'asked' | 'refused' | 'planned' | 'dropped'
  /** Absent only where it is dropped. */
  readonly answerRef?: string
}

export interface AcceptInput {
  readonly turnId: string
}

/** Its request is registered with the notary: the assistant starts the run, whoever is still there. */
export interface BeginInput {
  /** The run's request id is the turn's. */
  readonly request: RequestInput
  readonly priority: Priority
  /** Name of the recipe, stored in clear. */
  readonly recipe?: string
}

/** The newest turns, the oldest first. A workflow that goes on is started with the last one's. */
export interface Conversation {
  /** The first is 1. */
  readonly session: number
  readonly turns: readonly Turn[]
}

/** What there is before anybody has said anything. */
export const emptyConversation: Conversation = { session: 1, turns: [] }

export const turnRefusals = [
  'MALFORMED',
  /** It was never said, or is no longer among the turns that are kept. */
  'UNKNOWN_TURN',
  /** The same id with other words: whoever drew it draws another. */
  'OTHER_WORDS',
  /** It has been answered otherwise, dropped, or nobody said yes to it: look at the conversation. */
  'NOT_OPEN',
  /** As many turns as are kept wait for their runs: those first. */
  'UNFINISHED',
] as const
export type TurnRefusal = (typeof turnRefusals)[number]
