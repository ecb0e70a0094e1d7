// Fills an import's rows from a stream of samples, keeping only so many in memory. Within one file the
// later word of a source about the same interval counts. Invariant: what is flushed is a whole state of
// its packs, so that a flush can be repeated.

import { tooMuch } from './failures.ts'
import { maxSources, type Store, type WorkoutRow } from './health-store.ts'
import { type Intake, noSkips, type SkipCounts, type SkipReason, type Source } from './intake.ts'
import { allSeries } from './metrics.ts'
import { openPacks } from './pack-table.ts'
import { createPending } from './pending.ts'
import { keyOf, type Sample, sortSamples, unpack } from './samples.ts'

/** Together about one megabyte of numbers. */
const maxPending = 32_768
/** Written together: each transaction waits for the disk, and a person has thousands. */
const maxPendingWorkouts = 1_000

export interface Staging {
  add(source: Source, intake: Intake | SkipReason): void
  addWorkout(source: Source, workout: WorkoutRow | SkipReason): void
  flush(): void
  readonly skipped: SkipCounts
  /** Samples and workouts that were understood. */
  readonly taken: () => number
}

/** Rows of the import `id`, which is open. */
export function createStaging(store: Store, id: number): Staging {
  const skipped = noSkips()
  const pending = createPending(maxPending)
  const workouts: { readonly source: number; readonly row: WorkoutRow }[] = []
  const idOf = createSourceIds(store)
  const packs = openPacks(store)
  const putWorkout = store.prepare(
    `INSERT INTO workouts (import, source, type, start, end, offset, minutes, kcal, km)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  let taken = 0
  const flush = () =>
    store.transaction(() => {
      for (const { group, day, samples } of pending.take()) {
        const name = allSeries[group % allSeries.length]
        if (name === undefined) throw new Error('a series that is none')
        const key = { series: name, source: Math.floor(group / allSeries.length), day }
        const before = packs.ownOf(key, id)
        const added = before === undefined ? samples : merge(before, samples)
        packs.put(key, id, { added, removed: [] })
      }
      for (const { source, row } of workouts.splice(0)) {
        const { type, start, end, offset, minutes, kcal, km } = row
        putWorkout.run(id, source, type, start, end, offset, minutes, kcal, km)
      }
    })
  return {
    skipped,
    taken: () => taken,
    flush,
    add(source, intake) {
      if (typeof intake === 'string') {
        skipped[intake] += 1
        return
      }
      taken += 1
      const group = idOf(source) * allSeries.length + allSeries.indexOf(intake.series)
      if (pending.add(group, intake.sample)) flush()
    },
    addWorkout(source, workout) {
      if (typeof workout === 'string') {
        skipped[workout] += 1
        return
      }
      taken += 1
      workouts.push({ source: idOf(source), row: workout })
      if (workouts.length === maxPendingWorkouts) flush()
    },
  }
}

function merge(before: Uint8Array, samples: readonly Sample[]): readonly Sample[] {
  const all = new Map(unpack(before).map((sample) => [keyOf(sample), sample]))
  for (const sample of samples) all.set(keyOf(sample), sample)
  return sortSamples(all.values())
}

/** @throws ActionFailure LIMIT_EXCEEDED: a household has a dozen, a hostile file has millions */
function createSourceIds(store: Store): (source: Source) => number {
  const known = new Map<string, number>()
  const find = store.prepare<{ id: number }>(
    'SELECT id FROM sources WHERE origin = ? AND kind = ? AND name = ?',
  )
  const insert = store.prepare('INSERT INTO sources (origin, kind, name) VALUES (?, ?, ?)')
  const count = store.prepare<{ n: number }>('SELECT COUNT(*) AS n FROM sources')
  return ({ origin, kind, name }) => {
    const key = `${origin} ${kind} ${name}`
    const seen = known.get(key) ?? find.get(origin, kind, name)?.id
    if (seen !== undefined) {
      known.set(key, seen)
      return seen
    }
    if ((count.get()?.n ?? 0) >= maxSources) throw tooMuch(`more than ${maxSources} sources`)
    const id = insert.run(origin, kind, name).rowId
    known.set(key, id)
    return id
  }
}
