// The life of one import in the database: begun, filled, compared with what was there, and then done, or
// gone without a trace. Invariant: rows of an import that is not done change no answer, so every step but
// the last may be lost. `compareImport` leaves of it only what was not known before, which makes the same
// file twice the same as once.

import { setImmediate as turn } from 'node:timers/promises'
import { ActionFailure } from '../define-agent.ts'
import { cancelled } from './failures.ts'
import { foldPacks, type Store } from './health-store.ts'
import { openPacks, type PackKey, type PackTable } from './pack-table.ts'
import { daySeconds, keyOf, type Sample, sortSamples, unpack } from './samples.ts'

/** Packs compared in one transaction: the log of SQLite stays small, and other commands get a turn. */
const packsAtOnce = 50

export interface KeptFacts {
  /** Imports that count. */
  readonly imports: number
  /** Samples and workouts that they hold, each word of a source counted. */
  readonly samples: number
  /** First and last UTC day with a sample. */
  readonly from: string | null
  readonly to: string | null
}

/** The row of a command that has already run. */
export function findImport(store: Store, idem: string) {
  return store
    .prepare<{ id: number; state: 'open' | 'done' | 'reverted'; result: string | null }>(
      'SELECT id, state, result FROM imports WHERE idem = ?',
    )
    .get(idem)
}

/** Clears what crashes left, and begins. */
export function beginImport(store: Store, idem: string): number {
  const left = store.prepare<{ id: number }>("SELECT id FROM imports WHERE state = 'open'").all()
  for (const { id } of left) discardImport(store, id)
  const { rowId } = store.prepare("INSERT INTO imports (idem, state) VALUES (?, 'open')").run(idem)
  return rowId
}

export function discardImport(store: Store, id: number): void {
  deleteRows(store, id, 'DELETE FROM imports WHERE id = ?')
}

/** All that an import added and removed, undone; the command is remembered as taken back. */
export function revertImport(store: Store, id: number): void {
  deleteRows(store, id, "UPDATE imports SET state = 'reverted', result = NULL WHERE id = ?")
}

function deleteRows(store: Store, id: number, last: string): void {
  store.transaction(() => {
    for (const table of ['packs', 'workouts', 'workouts_removed']) {
      store.prepare(`DELETE FROM ${table} WHERE import = ?`).run(id)
    }
    store.prepare(last).run(id)
    // The name that a person gave a device is theirs too.
    store.exec(
      `DELETE FROM sources WHERE id NOT IN (SELECT source FROM packs)
       AND id NOT IN (SELECT source FROM workouts)`,
    )
  })
}

/** What counts, were these imports all there were: those that are done, and one more. */
export function keptFacts(store: Store, more = -1): KeptFacts {
  const counted = "import IN (SELECT id FROM imports WHERE state = 'done' OR id = ?)"
  const packs = store
    .prepare<{ samples: number | null; first: number | null; last: number | null }>(
      `SELECT SUM(count) AS samples, MIN(day) AS first, MAX(day) AS last FROM packs
       WHERE count > 0 AND ${counted}`,
    )
    .get(more)
  const workouts = countOf(store, `SELECT COUNT(*) AS n FROM workouts WHERE ${counted}`, more)
  const imports = "SELECT COUNT(*) AS n FROM imports WHERE state = 'done' OR id = ?"
  const day = (value: number | null | undefined) =>
    value === null || value === undefined
      ? null
      : new Date(value * daySeconds * 1_000).toISOString().slice(0, 10)
  return {
    imports: countOf(store, imports, more),
    samples: (packs?.samples ?? 0) + workouts,
    from: day(packs?.first),
    to: day(packs?.last),
  }
}

function countOf(store: Store, sql: string, ...args: readonly number[]): number {
  return store.prepare<{ n: number }>(sql).get(...args)?.n ?? 0
}

export interface Changes {
  inserted: number
  updated: number
  deleted: number
}

export interface Finishing {
  readonly id: number
  /** Set: what earlier exports held until then and this one no longer holds is deleted. */
  readonly replaceUntil: number | undefined
  readonly signal: AbortSignal | undefined
}

/**
 * Compares what was filled in with what counted before.
 * @throws ActionFailure CANCELLED
 */
export async function compareImport(store: Store, finishing: Finishing): Promise<Changes> {
  const changes: Changes = { inserted: 0, updated: 0, deleted: 0 }
  const packs = openPacks(store)
  let after: PackKey | undefined
  for (;;) {
    if (finishing.signal?.aborted === true) throw cancelled()
    const keys = packs.next(finishing.id, {
      after,
      most: packsAtOnce,
      exports: finishing.replaceUntil !== undefined,
    })
    if (keys.length === 0) break
    store.transaction(() => {
      for (const key of keys) comparePack(packs, key, finishing, changes)
    })
    after = keys.at(-1)
    await turn()
  }
  compareWorkouts(store, finishing, changes)
  return changes
}

function comparePack(
  packs: PackTable,
  key: PackKey,
  { id, replaceUntil }: Finishing,
  changes: Changes,
): void {
  const rows = packs.rowsOf(key, id)
  const own = rows.find((row) => row.import === id)
  const earlier = rows.filter((row) => row.import !== id)
  if (own !== undefined && earlier.length === 0) {
    changes.inserted += own.count
    return
  }
  const before = foldPacks(earlier)
  const mine = new Map((own === undefined ? [] : unpack(own.added)).map((one) => [keyOf(one), one]))
  const added = [...mine].filter(([interval, sample]) => !isSame(before.get(interval), sample))
  const removed =
    replaceUntil === undefined
      ? []
      : [...before].filter(([interval, { end }]) => end <= replaceUntil && !mine.has(interval))
  const updated = added.filter(([interval]) => before.has(interval)).length
  changes.updated += updated
  changes.inserted += added.length - updated
  changes.deleted += removed.length
  const samples = (entries: readonly (readonly [number, Sample])[]) =>
    sortSamples(entries.map(([, sample]) => sample))
  packs.put(key, id, { added: samples(added), removed: samples(removed) })
}

const isSame = (one: Sample | undefined, other: Sample) =>
  one !== undefined && one.value === other.value && one.offset === other.offset

const sameWorkout = `a.source = b.source AND a.type = b.type AND a.start = b.start AND a.end = b.end`
const counting = `b.import IN (SELECT id FROM imports WHERE state = 'done') AND b.id NOT IN
  (SELECT workout FROM workouts_removed JOIN imports ON imports.id = workouts_removed.import
   WHERE state = 'done')`

function compareWorkouts(store: Store, { id, replaceUntil }: Finishing, changes: Changes): void {
  store.transaction(() => {
    if (replaceUntil !== undefined) {
      const { changes: deleted } = store
        .prepare(
          `INSERT INTO workouts_removed (import, workout)
           SELECT ?, b.id FROM workouts b JOIN sources ON sources.id = b.source
           WHERE origin = 'export' AND b.end <= ? AND ${counting} AND NOT EXISTS
             (SELECT 1 FROM workouts a WHERE a.import = ? AND ${sameWorkout})`,
        )
        .run(id, replaceUntil, id)
      changes.deleted += deleted
    }
    store
      .prepare(
        `DELETE FROM workouts WHERE id IN (SELECT a.id FROM workouts a JOIN workouts b
           ON ${sameWorkout} WHERE a.import = ? AND (${counting} OR (b.import = ? AND b.id < a.id)))`,
      )
      .run(id, id)
    changes.inserted += countOf(store, 'SELECT COUNT(*) AS n FROM workouts WHERE import = ?', id)
  })
}

/** Makes it count. */
export function closeImport(
  store: Store,
  { id, exported, result }: { id: number; exported: number | undefined; result: unknown },
): void {
  store
    .prepare("UPDATE imports SET state = 'done', exported = ?, result = ? WHERE id = ?")
    .run(exported ?? null, JSON.stringify(result), id)
}

/**
 * An old export knows nothing of what was measured since, and must not delete it.
 * @throws ActionFailure CONFLICT ask
 */
export function requireNewest(store: Store, exported: number): void {
  const latest = store
    .prepare<{ at: number | null }>("SELECT MAX(exported) AS at FROM imports WHERE state = 'done'")
    .get()
  if ((latest?.at ?? 0) > exported) {
    throw new ActionFailure('CONFLICT', 'ask', 'a later export was imported already')
  }
}
