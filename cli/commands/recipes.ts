// `recipes` and `recipes show`: what can be run by name, what to say or give for it, and whether what it
// needs is set up. Works with the platform down.

import { catalogue } from '../../agents/catalogue.ts'
import { compileSource } from '../../plan/compile.ts'
import type { Effect } from '../../plan/effect.ts'
import type { Decide } from '../../plan/policy.ts'
import type { KnownNames } from '../../plan/principals.ts'
import type { InputDeclaration, Recipe } from '../../plan/schema.ts'
import { suggestionWords } from '../../plan/suggested-schedule.ts'
import { agentsOf, findRecipe, listRecipes, type RecipeFile } from '../../planner/recipes.ts'
import { waysToSay } from '../../planner/rules/phrase.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import { type Output, table } from '../output.ts'
import { type NeededAgent, neededAgents, readReach, type WrittenReach } from '../set-up-agents.ts'
import { suggest } from '../suggest.ts'

interface ListedRecipe extends Pick<Recipe, 'name' | 'title' | 'phrases' | 'inputs' | 'schedule'> {
  readonly agents: readonly NeededAgent[]
}

function toListed(recipe: RecipeFile, reach: WrittenReach | undefined): ListedRecipe {
  const { name, title, phrases, inputs, schedule } = recipe
  const agents = neededAgents(agentsOf(recipe), { catalogue, reach })
  const suggested = schedule === undefined ? {} : { schedule }
  return { name, title, phrases, inputs, ...suggested, agents }
}

export function recipesListCommand(output: Output, state: string): ExitCode {
  const reach = readReach(state)
  const recipes = listRecipes().map((recipe) => toListed(recipe, reach))
  output.data(recipes, () => recipes.flatMap((recipe) => [...recipeLines(recipe), '']))
  if (!output.json) output.talk('run one with: npx bulkhead run <name>')
  return exitCodes.completed
}

function recipeLines({ name, title, phrases, inputs, schedule, agents }: ListedRecipe): string[] {
  // Enough to see what it is for; the file has them all.
  const said = waysToSay({ phrases, inputs }).slice(0, 4)
  const facts = [
    ['say', said.map((phrase) => `"${phrase}"`).join(', ')],
    ['inputs', Object.entries(inputs).map(inputText).join(', ')],
    ['agents', agentsText(agents)],
    ['schedule', schedule === undefined ? '' : suggestionWords(schedule)],
  ]
  const shown = facts.filter(([, text]) => text !== '')
  return [
    name,
    `  ${title}`,
    ...table(shown.map(([label = '', text = '']) => [`  ${label}`, text])),
  ]
}

function inputText([name, { type, default: otherwise }]: readonly [string, InputDeclaration]) {
  if (otherwise === undefined) return `${name} (${type}, needed)`
  return `${name} (${type}, ${otherwise ?? 'if you like'})`
}

function agentsText(agents: readonly NeededAgent[]): string {
  if (agents.every(({ state }) => state === 'unknown')) {
    const names = agents.map(({ agent }) => agent).join(', ')
    return `${names} (whether they are set up is known after the first start)`
  }
  return agents.map(agentText).join(', ')
}

function agentText({ agent, state, missing }: NeededAgent): string {
  switch (state) {
    case 'set-up':
      return agent
    case 'partly':
      return `${agent} (without ${missing.join(', ')})`
    case 'not-set-up':
      return `${agent} (not set up: ${missing.join(', ')})`
    case 'unknown':
      return `${agent} (new since the last start)`
  }
}

interface Showing {
  readonly name: string
  readonly names: KnownNames
  readonly decide: Decide
}

/** @throws CommandError when there is no such recipe */
export function recipesShowCommand(
  output: Output,
  state: string,
  { name, names, decide }: Showing,
): ExitCode {
  const recipe = findRecipe(name)
  if (recipe === undefined) {
    const known = listRecipes().map((one) => one.name)
    throw new CommandError(`there is no recipe ${name}${suggest(name, known)}`, {
      exitCode: exitCodes.usage,
      next: 'npx bulkhead recipes',
    })
  }
  const listed = toListed(recipe, readReach(state))
  const { source } = recipe
  const result = compileSource({ kind: 'recipe', source, inputs: {}, catalogue, names, decide })
  const steps = recipe.plan.steps.map(({ id, agent, action }) => ({
    id,
    agent,
    action,
    effect: effectOf(agent, action),
  }))
  const needed = Object.entries(recipe.inputs).filter(([, one]) => one.default === undefined)
  // Null: known only once the inputs that are needed are given, or refused as it stands.
  const asks = result.ok ? result.report.approvals : null
  const issues = result.ok ? [] : result.issues
  output.data({ ...listed, steps, asks, issues }, () => [
    ...recipeLines(listed),
    '',
    ...table(steps.map((step) => [step.id, `${step.agent}.${step.action}`, step.effect ?? ''])),
    '',
    ...askLines(asks, issues, needed),
  ])
  const given = needed.map(([input]) => ` --input ${input}=...`).join('')
  const absent = listed.agents.filter((one) => one.state === 'not-set-up')
  const missing = absent.flatMap((one) => one.missing)
  if (!output.json && missing.length > 0) {
    output.talk(`set these below agents: in bulkhead.yaml: ${missing.join(', ')}`)
  }
  if (!output.json) output.talk(`run it with: npx bulkhead run ${name}${given}`)
  if (!output.json && listed.schedule !== undefined) {
    const when = suggestionWords(listed.schedule)
    output.talk(`have it run ${when} with: npx bulkhead schedule add ${name}${given}`)
  }
  return exitCodes.completed
}

function askLines(
  asks: readonly string[] | null,
  issues: readonly { readonly code: string; readonly path: string; readonly message: string }[],
  needed: readonly (readonly [name: string, declared: InputDeclaration])[],
): readonly string[] {
  if (asks === null) {
    const missing = new Set(needed.map(([name]) => `/inputs/${name}`))
    const others = issues.filter(({ path }) => !missing.has(path))
    if (others.length === 0) return ['whom it asks is known once its inputs are given']
    return others.map(({ code, path, message }) => `${code} ${path}: ${message}`)
  }
  if (asks.length === 0) return ['asks nobody']
  return [`asks you first about: ${asks.join(', ')}`]
}

/** Null for what this release does not know. */
function effectOf(agent: string, action: string): Effect | null {
  const actions = catalogue.get(agent)?.actions ?? {}
  return Object.hasOwn(actions, action) ? (actions[action]?.effect ?? null) : null
}
