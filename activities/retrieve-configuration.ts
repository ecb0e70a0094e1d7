// What is set up, for the retriever: recipes, the names of people and places, and the person's schedules.
// Names only: an address, a path or a secret is in no finding. Recipes are the project's own and cached; whose
// a schedule is, its document's readers say, which are asked each time.

import { type KnownNames, namesFor } from '../plan/principals.ts'
import type { Recipe } from '../plan/schema.ts'
import type { ArtifactStore } from './artifacts.ts'
import { createWordMatcher } from './match-words.ts'
import { openBound } from './open-bound.ts'
import { standingOf } from './request-document.ts'
import type { Candidate, Source } from './retrieve.ts'
import type { CountedCache } from './retrieve-cache.ts'
import { type Finding, maxFoundCharacters } from './retrieve-contract.ts'

const limitMs = 3_000
const mostSchedules = 200

export interface ListedSchedule {
  readonly id: string
  readonly paused: boolean
  /** Of what it runs; undefined: it says none. */
  readonly recipe: string | undefined
  readonly requestRef: string
}

export interface ConfigurationSourceDeps {
  readonly recipes: () => readonly Pick<Recipe, 'name' | 'title' | 'phrases'>[]
  readonly recipeCache: CountedCache<readonly Pick<Recipe, 'name' | 'title' | 'phrases'>[]>
  readonly names: KnownNames
  /** Of everybody. Rejects where the server does not answer, or the signal is given. */
  readonly schedules: (most: number, signal: AbortSignal) => Promise<readonly ListedSchedule[]>
  readonly artifacts: Pick<ArtifactStore, 'get'>
  readonly limitMs?: number
}

type Known = Pick<Finding, 'kind' | 'name' | 'title' | 'text'> & {
  readonly integrity: Finding['label']['integrity']
  readonly readers: readonly string[]
  readonly from: string
}

export function createConfigurationSource(deps: ConfigurationSourceDeps): Source {
  return {
    name: 'configuration',
    limitMs: deps.limitMs ?? limitMs,
    async find({ user, query }, signal) {
      const matcher = createWordMatcher(query)
      const recipes = await deps.recipeCache.read('recipes', async () => deps.recipes())
      // Recipes and names are here: they are found whatever has become of the server.
      const schedules = await schedulesOf(user, deps, signal)
      const own = schedules ?? []
      const known = [...recipes.map(toRecipe(user)), ...namesOf(user, deps.names), ...own]
      const candidates = known.flatMap((one): readonly Candidate[] => {
        const score = matcher.score(`${one.name.replaceAll('-', ' ')} ${one.title} ${one.text}`)
        return score === 0 ? [] : [{ score, finding: toFinding(one) }]
      })
      return { ok: true, candidates, looked: known.length, complete: schedules !== undefined }
    },
  }
}

const toRecipe =
  (user: string) =>
  ({ name, title, phrases = [] }: Pick<Recipe, 'name' | 'title' | 'phrases'>): Known => ({
    ...{ kind: 'recipe', name, title, readers: [user], integrity: 'SYS', from: 'recipes' },
    text: phrases.join('; ').slice(0, maxFoundCharacters),
  })

/** Of the household, and the person's own addresses as theirs. */
function namesOf(user: string, names: KnownNames): readonly Known[] {
  const { people, places } = namesFor(user.replace(/^user:/, ''), names)
  const named = (kind: 'person' | 'place', lists: KnownNames['people'], from: string) =>
    Object.entries(lists).map(([name, values]): Known => {
      const text = `${values.length} ${kind === 'person' ? 'addresses' : 'values'}`
      return { kind, name, title: name, text, readers: [user], integrity: 'USER', from }
    })
  return [...named('person', people, 'people'), ...named('place', places, 'places')]
}

/** Theirs alone: what is counted of another's tells of it. Undefined: nobody says which there are. */
async function schedulesOf(
  user: string,
  { schedules, artifacts }: ConfigurationSourceDeps,
  signal: AbortSignal,
): Promise<readonly Known[] | undefined> {
  const listed = await schedules(mostSchedules, signal).catch(() => undefined)
  if (listed === undefined) return undefined
  const known = await Promise.all(
    listed.map(async ({ id, paused, recipe, requestRef }): Promise<readonly Known[]> => {
      const is = { kind: 'request', requestId: standingOf(id) } as const
      const readers = (await openBound(requestRef, is, artifacts))?.meta.readers
      if (readers?.includes(user) !== true) return []
      const text = paused ? 'paused' : 'enabled'
      const title = recipe ?? 'plan'
      return [
        { kind: 'schedule', name: id, title, text, readers, integrity: 'USER', from: 'schedules' },
      ]
    }),
  )
  return known.flat()
}

function toFinding({ kind, name, title, text, integrity, readers, from }: Known): Finding {
  return {
    ...{
      source: 'configuration',
      kind,
      name,
      title,
      text,
      at: null,
      status: null,
      answerRef: null,
    },
    label: { integrity, readers: [...readers], provenance: [from] },
  }
}
