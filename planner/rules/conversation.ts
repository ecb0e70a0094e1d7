// What the rules are told of a conversation: what the person said and what was made of it, and never a word
// of any answer (R8). A turn is kept as a request of its own, so that whatever refers to it can be written
// out as another one and read whole, by the same phrases. Types only.

import type { Planned, PlannerContext } from './contract.ts'

export interface EarlierTurn {
  /** What was said, written out as a request of its own. */
  readonly text: string
  readonly planned: Planned
  /** The clock on the wall when it was said, `YYYY-MM-DDTHH:MM`. */
  readonly now: string
  /** The person said yes: what it names may be there. */
  readonly agreed: boolean
}

export interface ConversationContext extends PlannerContext {
  /** The turns of this session, the oldest first. */
  readonly earlier: readonly EarlierTurn[]
  /** Whether an action changes anything. */
  readonly changes: (step: { readonly agent: string; readonly action: string }) => boolean
}

export interface Understood {
  /** The words, written out as a request of their own where they refer to an earlier turn. */
  readonly text: string
  readonly planned: Planned
  /** It goes on with something that is not there: no planner that knows less would know more of it. */
  readonly refers?: true
}
