// What words were planned as -> what is registered for them, for whatever command took the words.

import type { InputValues } from '../plan/schema.ts'
import type { RecipeFile } from '../planner/recipes.ts'
import type { Planned } from '../planner/rules/contract.ts'
import type { RunSource } from './commands/run.ts'

export type Runnable = Extract<Planned, { kind: 'recipe' | 'plan' }>

/** The bytes that are registered: a recipe's own, or those of the plan that was put together. */
export function toRun(
  planned: Runnable,
  recipes: readonly RecipeFile[],
): { readonly run: RunSource; readonly inputs: InputValues } {
  if (planned.kind === 'plan') {
    const source = JSON.stringify(planned.plan, null, 2)
    return { run: { kind: 'plan', name: planned.name, source }, inputs: {} }
  }
  const { name, inputs } = planned
  const recipe = recipes.find((one) => one.name === name)
  if (recipe === undefined) throw new Error(`planned with a recipe that is not there: ${name}`)
  return { run: { kind: 'recipe', name, source: recipe.source }, inputs }
}
