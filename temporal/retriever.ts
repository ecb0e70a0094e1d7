// Composes the worker's retriever: its sources, their caches, and its place on the bus.

import type { ArtifactStore } from '../activities/artifacts.ts'
import { createCountedCache } from '../activities/retrieve-cache.ts'
import { createConfigurationSource } from '../activities/retrieve-configuration.ts'
import type { CacheCounts } from '../activities/retrieve-contract.ts'
import { createHistorySource, type RunRefs } from '../activities/retrieve-history.ts'
import { createMemorySource } from '../activities/retrieve-memory.ts'
import type { RetrieverCounts } from '../agents/protocol.ts'
import { type KnownNames, nobody } from '../plan/principals.ts'
import { listRecipes, type RecipeFile } from '../planner/recipes.ts'
import { type Bus, BusError } from '../security/bus.ts'
import type { SealingKeys } from './payload-keys.ts'
import { serveRetriever } from './retrieve-service.ts'
import { connectIndex } from './run-index.ts'

/** References of a few years of a household; a few hundred bytes each. */
const mostRefs = 5_000
const dayMs = 24 * 60 * 60 * 1_000
/** A release replaces the recipes, and with it the worker. */
const recipesKeptMs = 10 * 60 * 1_000

/** Serves from now on. Close it last: what is asked meanwhile still reaches Temporal. */
export async function startRetriever(
  bus: Pick<Bus, 'serve' | 'publish'>,
  deps: {
    readonly temporal: { readonly address: string; readonly namespace: string }
    readonly payloadKeys: SealingKeys
    readonly artifacts: ArtifactStore
    readonly names?: KnownNames | undefined
    readonly now: () => number
  },
): Promise<{ close(): Promise<void> }> {
  const { temporal, payloadKeys, artifacts, names = nobody, now } = deps
  const index = await connectIndex({ ...temporal, payloadKeys })
  const cache = createCountedCache<RunRefs | undefined>({
    ...{ maxEntries: mostRefs, maxAgeMs: dayMs, now },
  })
  const recipeCache = createCountedCache<readonly RecipeFile[]>({
    ...{ maxEntries: 1, maxAgeMs: recipesKeptMs, now },
  })
  const { schedules } = index
  const set = { artifacts, names, schedules, recipes: listRecipes, recipeCache }
  serveRetriever(bus, {
    caches: [cache, recipeCache],
    onCounted: (counts) => tell(bus, counts),
    sources: [
      createMemorySource({ artifacts, runs: index, now }),
      createHistorySource({ artifacts, runs: index, cache, now }),
      createConfigurationSource(set),
    ],
  })
  return index
}

/** For `bulkhead status`; lost where nobody listens. */
function tell(bus: Pick<Bus, 'publish'>, counts: CacheCounts): void {
  const head = { receiver: 'supervisor', type: 'STATUS_UPDATE', correlationId: '' } as const
  const told: RetrieverCounts = counts
  try {
    bus.publish('supervisor.retriever', head, told)
  } catch (error) {
    // Without a bus this worker is about to leave.
    if (!(error instanceof BusError)) throw error
  }
}
