// What the rules planner is given and what it answers. Plain data: another planner may answer in the same
// words (planner/evals holds them all to the same requests). Invariant: an answer is a plan, a question or
// a refusal, never a plan with a part that was guessed.

import type { InputValues, Recipe, WrittenPlan } from '../../plan/schema.ts'

/** What any planner may refuse words for: nothing here can do it, nothing here may, it cannot read them. */
export const refusalReasons = ['NO_ACTION', 'MOVES_MONEY', 'NOT_UNDERSTOOD'] as const
export type RefusalReason = (typeof refusalReasons)[number]

/** What came of a person's words. Literals in it are that person's own, or a recipe's. */
export type Planned =
  | { readonly kind: 'recipe'; readonly name: string; readonly inputs: InputValues }
  /** Two requests joined: a plan of its own, without inputs. */
  | { readonly kind: 'plan'; readonly name: string; readonly plan: WrittenPlan }
  | { readonly kind: 'question'; readonly text: string; readonly options: readonly Option[] }
  | { readonly kind: 'refusal'; readonly reason: RefusalReason; readonly text: string }

/** What may have been meant: a request to type, a recipe to run, or how a request looks (`<slot>`). */
export type Option =
  | { readonly is: 'say'; readonly text: string }
  | { readonly is: 'run'; readonly recipe: string; readonly inputs: InputValues }
  | { readonly is: 'like'; readonly text: string }

export interface PlannerContext {
  readonly recipes: readonly Recipe[]
  /** The clock on the wall where the person lives, `YYYY-MM-DDTHH:MM`. */
  readonly now: string
}
