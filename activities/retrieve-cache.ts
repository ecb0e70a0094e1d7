// A cache of the retriever: bounded, the least recently used goes first, nothing older than its age, and it
// counts. Only for what says nothing by itself (references, the project's own recipes): content is read anew
// each time, so that no cache outlives what is deleted, forgotten, or no longer somebody's to read.

import type { CacheCounts } from './retrieve-contract.ts'

export interface CountedCache<Value> {
  /** What is kept under that key, else what `load` brings. A load that fails is not kept. */
  read(key: string, load: () => Promise<Value>): Promise<Value>
  counts(): CacheCounts
}

export function createCountedCache<Value>(options: {
  readonly maxEntries: number
  readonly maxAgeMs: number
  readonly now: () => number
}): CountedCache<Value> {
  const { maxEntries, maxAgeMs, now } = options
  // In the order of use: a Map keeps that of insertion.
  const kept = new Map<string, { readonly value: Value; readonly until: number }>()
  let [hits, misses] = [0, 0]
  return {
    async read(key, load) {
      const known = kept.get(key)
      kept.delete(key)
      if (known !== undefined && now() < known.until) {
        hits += 1
        kept.set(key, known)
        return known.value
      }
      misses += 1
      const value = await load()
      kept.set(key, { value, until: now() + maxAgeMs })
      for (const oldest of kept.keys()) {
        if (kept.size <= maxEntries) break
        kept.delete(oldest)
      }
      return value
    },
    counts: () => ({ hits, misses }),
  }
}

export function totalOf(caches: readonly Pick<CountedCache<unknown>, 'counts'>[]): CacheCounts {
  return caches.reduce<CacheCounts>(
    (sum, cache) => {
      const { hits, misses } = cache.counts()
      return { hits: sum.hits + hits, misses: sum.misses + misses }
    },
    { hits: 0, misses: 0 },
  )
}
