// The agent's own database in its folder. Invariant: what an import has brought counts only once its row
// says `done`, all at once; and each import's additions and removals stay apart, so that taking one back
// is deleting its rows. A series of one source and one UTC day is one row for each import that changed it.
// Not encrypted: whoever can read the folder can read it.

import { closeSync, existsSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ActionFailure } from '../define-agent.ts'
import { type Database, openDatabase, sqliteFault } from '../sqlite.ts'
import { groupBy } from './combine.ts'
import { corrupt } from './failures.ts'
import type { Source } from './intake.ts'
import type { Series } from './metrics.ts'
import {
  daySeconds,
  type InstantSeconds,
  keyOf,
  maxSampleSeconds,
  type Sample,
  sortSamples,
  unpack,
} from './samples.ts'

const fileName = 'health.db'
const copyName = '.health-try.db'
/** Below what a sandbox may write into one file, with room for SQLite's log beside it. */
const maxBytes = 52 * 1024 * 1024
const pageBytes = 4_096
const schemaVersion = 1
/** A household has a dozen; each name of a hostile file would be one. */
export const maxSources = 200

const schema = `
  CREATE TABLE sources (
    id INTEGER PRIMARY KEY, origin TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
    UNIQUE (origin, kind, name)
  ) STRICT;
  CREATE TABLE imports (
    id INTEGER PRIMARY KEY AUTOINCREMENT, idem TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('open', 'done', 'reverted')),
    exported INTEGER, result TEXT
  ) STRICT;
  CREATE TABLE packs (
    series TEXT NOT NULL, source INTEGER NOT NULL REFERENCES sources, day INTEGER NOT NULL,
    import INTEGER NOT NULL REFERENCES imports,
    added BLOB NOT NULL, count INTEGER NOT NULL, removed BLOB NOT NULL,
    PRIMARY KEY (series, day, source, import)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX packs_of_import ON packs (import, series, day, source);
  CREATE TABLE workouts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, import INTEGER NOT NULL REFERENCES imports,
    source INTEGER NOT NULL REFERENCES sources, type TEXT NOT NULL,
    start INTEGER NOT NULL, end INTEGER NOT NULL, offset INTEGER NOT NULL,
    minutes REAL NOT NULL, kcal REAL, km REAL
  ) STRICT;
  CREATE INDEX workouts_by_start ON workouts (start);
  CREATE INDEX workouts_of_import ON workouts (import);
  CREATE TABLE workouts_removed (import INTEGER NOT NULL, workout INTEGER NOT NULL) STRICT;`

export interface WorkoutRow {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly offset: number
  readonly minutes: number
  readonly kcal: number | null
  readonly km: number | null
}

export interface PackRow {
  readonly source: number
  readonly day: number
  readonly import: number
  readonly added: Uint8Array
  readonly removed: Uint8Array
}

export interface Range {
  readonly from: InstantSeconds
  /** Exclusive. */
  readonly to: InstantSeconds
}

export type Store = Database

/** `look` leaves no file where there was none, `try` changes a copy that goes, `change` the database. */
export type StoreUse = 'look' | 'try' | 'change'

/**
 * Opens the database for as long as `use` takes.
 * @throws ActionFailure STORAGE_FULL, CORRUPT_DATA, UNAVAILABLE for what SQLite says of the file
 */
export async function withStore<Result>(
  folder: string,
  kind: StoreUse,
  use: (store: Store) => Result | Promise<Result>,
): Promise<Result> {
  const file = join(folder, fileName)
  const copy = join(folder, copyName)
  const isNew = !existsSync(file)
  let store: Store | undefined
  try {
    if (kind === 'change' && isNew) createPrivate(file)
    if (kind === 'try' && !isNew) copyStore(file, copy)
    store = openStore(kind === 'change' ? file : isNew ? ':memory:' : kind === 'try' ? copy : file)
    return await use(store)
  } catch (error) {
    throw toFailure(error)
  } finally {
    store?.close()
    if (kind === 'try') removeStore(copy)
  }
}

function copyStore(file: string, copy: string): void {
  // What a crash left; imports come one at a time.
  removeStore(copy)
  createPrivate(copy)
  const store = openStore(file)
  try {
    store.prepare('VACUUM INTO ?').run(copy)
  } finally {
    store.close()
  }
}

/** Empty, and the owner's alone: SQLite takes it, and gives its log the same mode. */
function createPrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    const isFull = error instanceof Error && 'code' in error && error.code === 'ENOSPC'
    const code = isFull ? 'STORAGE_FULL' : 'UNAVAILABLE'
    throw new ActionFailure(code, 'absent', 'the health database cannot be created', error)
  }
}

function removeStore(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(file + suffix, { force: true })
}

function openStore(file: string): Store {
  const store = openDatabase(file)
  try {
    prepareStore(store)
    return store
  } catch (error) {
    store.close()
    throw error
  }
}

function prepareStore(store: Store): void {
  store.pragma(`page_size = ${pageBytes}`)
  store.pragma('journal_mode = WAL')
  store.pragma('synchronous = FULL')
  store.pragma('trusted_schema = OFF')
  store.pragma('cell_size_check = ON')
  store.pragma('temp_store = MEMORY')
  store.pragma('cache_size = -2000')
  // What a person takes back is not to be found in the file afterwards.
  store.pragma('secure_delete = ON')
  store.pragma(`max_page_count = ${maxBytes / pageBytes}`)
  store.pragma('journal_size_limit = 4194304')
  const version = store.pragma('user_version')
  if (version === schemaVersion) return
  if (version !== 0) throw corrupt('the health database is of another release')
  store.transaction(() => {
    store.exec(schema)
    store.pragma(`user_version = ${schemaVersion}`)
  })
}

function toFailure(error: unknown): unknown {
  switch (sqliteFault(error)) {
    case undefined:
      return error
    case 'full':
      return new ActionFailure('STORAGE_FULL', 'absent', 'no space for health data', error)
    case 'corrupt':
      return corrupt('the health database is damaged', error)
    case 'other':
      return new ActionFailure('UNAVAILABLE', 'absent', 'the health database cannot be used', error)
  }
}

/** What counts after all imports that are done, in their order: the later word replaces the earlier. */
export function foldPacks(rows: readonly PackRow[]): Map<number, Sample> {
  const samples = new Map<number, Sample>()
  for (const { added, removed } of [...rows].sort((a, b) => a.import - b.import)) {
    for (const gone of unpack(removed)) samples.delete(keyOf(gone))
    for (const sample of unpack(added)) samples.set(keyOf(sample), sample)
  }
  return samples
}

/** Samples of a series that may touch a range, by source, each sorted. Ends exclusive. */
export function readSeries(
  store: Store,
  series: Series,
  { from, to }: Range,
): ReadonlyMap<number, readonly Sample[]> {
  const firstDay = Math.floor((from - maxSampleSeconds) / daySeconds)
  const rows = store
    .prepare<PackRow>(
      `SELECT source, day, import, added, removed FROM packs JOIN imports ON imports.id = import
       WHERE series = ? AND day BETWEEN ? AND ? AND state = 'done' ORDER BY source, day`,
    )
    .all(series, firstDay, Math.ceil(to / daySeconds))
  const found = new Map<number, Sample[]>()
  for (const [source, days] of groupBy(rows, (row) => row.source)) {
    const samples = [...groupBy(days, ({ day }) => day).values()].flatMap((packs) => {
      const [only, more] = packs
      // Packed in order, and mostly alone.
      if (only !== undefined && more === undefined) return unpack(only.added)
      return sortSamples(foldPacks(packs).values())
    })
    const near = samples.filter(({ start, end }) => start < to && (end > from || start >= from))
    if (near.length > 0) found.set(source, near)
  }
  return found
}

export function readSources(store: Store): ReadonlyMap<number, Source> {
  const rows = store.prepare<Source & { id: number }>('SELECT * FROM sources').all()
  return new Map(rows.map(({ id, ...source }) => [id, source]))
}

/** Workouts that begin in a range and count. */
export function readWorkouts(
  store: Store,
  { from, to }: Range,
): readonly (WorkoutRow & { readonly source: number })[] {
  return store
    .prepare<WorkoutRow & { source: number }>(
      `SELECT source, type, start, end, offset, minutes, kcal, km FROM workouts
       JOIN imports ON imports.id = import
       WHERE start >= ? AND start < ? AND state = 'done' AND workouts.id NOT IN (
         SELECT workout FROM workouts_removed
         JOIN imports AS later ON later.id = workouts_removed.import WHERE later.state = 'done')
       ORDER BY start, workouts.id`,
    )
    .all(from, to)
}
