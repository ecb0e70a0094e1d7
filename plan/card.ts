// The card: all that a person decides on, as data. Its canonical bytes are what is shown, digested and
// signed; nothing that an agent or a model wrote about itself is on it except as a quoted value. Types
// only; plan/card-words.ts says it in words, notary/cards.ts makes it.

import type { Effect } from './effect.ts'
import type { Json } from './schema.ts'

/** What an approval is good for: exactly one of these, once, unless a grant says otherwise. */
export type CardSubject =
  /** Before anything runs: steps whose arguments the plan tells whole. */
  | { readonly is: 'plan'; readonly request: string }
  /** One effect with its actual arguments, which agents' results are part of. */
  | {
      readonly is: 'step'
      readonly request: string
      readonly step: string
      readonly iteration: number
      readonly rerun: number
    }
  /** A loop with its actual list. */
  | { readonly is: 'list'; readonly request: string; readonly step: string; readonly rerun: number }
  /** Enabling a standing registration: every firing of these very bytes. */
  | { readonly is: 'schedule'; readonly schedule: string }

/** The DAG, whole: a person sees around what it happens. */
export interface CardStep {
  readonly id: string
  /** `agent.action` */
  readonly action: string
  readonly effect: Effect
  readonly reversible: boolean
  readonly needs: readonly string[]
  /** The guard's expression. */
  readonly when: string | null
  /** At most so many times; null: once. */
  readonly repeats: number | null
}

/** What agents decide about a step besides its arguments: the subject of rules R3 and R6. */
export interface CardCondition {
  /** `when`: its guard, which was true. `forEach`: its list. `join`: whichever need came first. */
  readonly by: 'when' | 'forEach' | 'join'
  /** The guard's expression; null: there is none. */
  readonly cel: string | null
  /** Where it comes from: `step#/pointer`, the first of them. */
  readonly from: readonly string[]
  /** What the guard has read, by its names. Of a loop nothing: each item is its own. */
  readonly values: Readonly<Record<string, Json>>
}

/** One step that a person decides on. */
export interface CardAsk {
  readonly step: string
  /** Ids of the rules that ask: `ask.irreversible`, `FLOW_R3`. */
  readonly rules: readonly string[]
  /**
   * As they will be sent; a reference where only a later result tells. Of a loop: one per item, and null
   * for one whose guard is not true.
   */
  readonly args: Json
  /** Who will see it: principals, or PUBLIC. */
  readonly audience: 'PUBLIC' | readonly string[]
  /**
   * Of each argument that decides something: where it comes from, `written` by whoever asks or said by
   * them, `proposed` by a planner and never said, or `step#/pointer`.
   */
  readonly decides: readonly { readonly pointer: string; readonly from: string }[]
  /** Where a flow rule asks: what it asks about. Cards of before have none. */
  readonly conditions?: readonly CardCondition[] | undefined
}

export interface Card {
  readonly version: 1
  /** `notary:<deployment>`: a signature is good in one house. */
  readonly deployment: string
  /** Whose request it is, `user:<id>`. */
  readonly user: string
  readonly subject: CardSubject
  readonly plan: {
    readonly digest: string
    /** SHA-256 of the registered bytes: the same recipe has the same one every day. */
    readonly recipe: string
    readonly name: string
    readonly goal: string
    readonly steps: readonly CardStep[]
  }
  readonly asks: readonly CardAsk[]
  /** What differs from the version that was approved last; null: none ever was. */
  readonly changes: readonly string[] | null
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly expiresAt: number
}
