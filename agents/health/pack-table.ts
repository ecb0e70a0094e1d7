// The table of packs, as an import fills and compares it, a pack at a time.

import type { PackRow, Store } from './health-store.ts'
import type { Series } from './metrics.ts'
import { pack, type Sample } from './samples.ts'

export interface PackKey {
  readonly series: Series
  /** Days since the epoch, UTC. */
  readonly day: number
  readonly source: number
}

export interface PackTable {
  /** Packs of one key: of the imports that are done, and of import `id`. */
  rowsOf(key: PackKey, id: number): readonly (PackRow & { readonly count: number })[]
  /** The samples that import `id` has added so far, packed. */
  ownOf(key: PackKey, id: number): Uint8Array | undefined
  /** Keys of import `id`, and where wanted of all exports, in the order of the table. */
  next(id: number, wanted: NextKeys): readonly PackKey[]
  /** Replaces the row of import `id`; an empty one is none. */
  put(key: PackKey, id: number, samples: PackedSamples): void
}

export interface NextKeys {
  readonly after: PackKey | undefined
  readonly most: number
  readonly exports: boolean
}

export interface PackedSamples {
  readonly added: readonly Sample[]
  readonly removed: readonly Sample[]
}

export function openPacks(store: Store): PackTable {
  const rows = store.prepare<PackRow & { count: number }>(
    `SELECT source, day, import, added, count, removed FROM packs JOIN imports ON imports.id = import
     WHERE series = ? AND day = ? AND source = ? AND (state = 'done' OR import = ?)`,
  )
  const own = store.prepare<{ added: Uint8Array }>(
    'SELECT added FROM packs WHERE series = ? AND day = ? AND source = ? AND import = ?',
  )
  const bounds = '(series, day, source) > (?, ?, ?) ORDER BY series, day, source LIMIT ?'
  const nextOwn = store.prepare<PackKey>(
    `SELECT series, day, source FROM packs WHERE import = ? AND ${bounds}`,
  )
  const nextExported = store.prepare<PackKey>(
    `SELECT DISTINCT series, day, source FROM packs
     WHERE source IN (SELECT id FROM sources WHERE origin = 'export') AND ${bounds}`,
  )
  const remove = store.prepare(
    'DELETE FROM packs WHERE series = ? AND day = ? AND source = ? AND import = ?',
  )
  const put = store.prepare(
    `INSERT INTO packs (series, day, source, import, added, count, removed)
     VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET added = excluded.added, count = excluded.count,
       removed = excluded.removed`,
  )
  return {
    rowsOf: ({ series, day, source }, id) => rows.all(series, day, source, id),
    ownOf: ({ series, day, source }, id) => own.get(series, day, source, id)?.added,
    next(id, { after, most, exports }) {
      const { series = '', day = -1, source = -1 } = after ?? {}
      const mine = nextOwn.all(id, series, day, source, most)
      if (!exports) return mine
      const all = new Map<string, PackKey>()
      for (const key of [...mine, ...nextExported.all(series, day, source, most)]) {
        all.set(`${key.series} ${key.day} ${key.source}`, key)
      }
      return [...all.values()].sort(inOrder).slice(0, most)
    },
    put({ series, day, source }, id, { added, removed }) {
      if (added.length + removed.length === 0) remove.run(series, day, source, id)
      else put.run(series, day, source, id, pack(added), added.length, pack(removed))
    },
  }
}

function inOrder(a: PackKey, b: PackKey): number {
  if (a.series !== b.series) return a.series < b.series ? -1 : 1
  return a.day - b.day || a.source - b.source
}
