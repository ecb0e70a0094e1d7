// The recipes that come with the project: plans with a name, phrases and inputs, in YAML. Read from
// one folder; a recipe's name is its file's name, so that no two can claim one.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseSource } from '../plan/parse.ts'
import type { Recipe } from '../plan/schema.ts'

export interface RecipeFile extends Recipe {
  /** The bytes of the file, as the notary wants to compile them. */
  readonly source: string
}

const ownFolder = join(import.meta.dirname, 'recipes')
const namePattern = /^[a-z][a-z0-9-]{0,59}$/

/** A recipe file that cannot be used; a bug of whoever wrote it. */
export class RecipeError extends Error {
  override readonly name = 'RecipeError'
}

/** @throws RecipeError when a file is not a recipe or claims another name */
export function listRecipes(folder: string = ownFolder): readonly RecipeFile[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml') && !file.startsWith('.'))
    .toSorted((a, b) => a.localeCompare(b, 'en'))
    .map((file) => readRecipe(folder, file.slice(0, -'.yaml'.length)))
}

/** The recipe of that name; undefined where there is none, whatever the name looks like. */
export function findRecipe(name: string, folder: string = ownFolder): RecipeFile | undefined {
  if (!namePattern.test(name)) return undefined
  return readdirSync(folder).includes(`${name}.yaml`) ? readRecipe(folder, name) : undefined
}

/** Agents of a recipe's steps -> the actions that it asks of each, both in the order of the plan. */
export function agentsOf({ plan }: Pick<Recipe, 'plan'>): ReadonlyMap<string, readonly string[]> {
  const actions = new Map<string, readonly string[]>()
  for (const { agent, action } of plan.steps) {
    actions.set(agent, [...new Set([...(actions.get(agent) ?? []), action])])
  }
  return actions
}

function readRecipe(folder: string, name: string): RecipeFile {
  const source = readSource(folder, name)
  const parsed = parseSource('recipe', source)
  if (!parsed.ok || parsed.recipe === undefined) {
    const reasons = parsed.ok ? ['it is a plan'] : parsed.issues.map((issue) => issue.message)
    throw new RecipeError(`${name}.yaml is not a recipe: ${reasons.join('; ')}`)
  }
  if (parsed.recipe.name !== name) throw new RecipeError(`${name}.yaml is named otherwise inside`)
  return { ...parsed.recipe, source }
}

function readSource(folder: string, name: string): string {
  try {
    return readFileSync(join(folder, `${name}.yaml`), 'utf8')
  } catch (cause) {
    throw new RecipeError(`${name}.yaml cannot be read`, { cause })
  }
}
