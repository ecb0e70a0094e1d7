// The two files of a memory. `memory.db` holds each entry as sealed bytes, `keys.db` the key of each;
// copies of the first alone say nothing, and nothing at all once a key is gone. Invariant: an entry counts
// when both its key and its bytes are there. A key is written before its entry and destroyed before it,
// always under the write lock of `memory.db`, so that no process and no crash ever makes half an entry count.

import { closeSync, existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, openDatabase, sqliteFault } from '../sqlite.ts'
import { type Entry, type EntryId, openEntry, sealEntry } from './entry.ts'
import { corrupt, toFailure } from './failures.ts'
import { alive, destroyKeys, keysSchema, putKey, readKeys, strayKey } from './keys.ts'
import { countChange, create, metaOf, prepare } from './memory-file.ts'

export const entriesFile = 'memory.db'
export const keysFile = 'keys.db'
const entriesSchema = `
  CREATE TABLE entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, sealed BLOB NOT NULL
  ) STRICT;`

export interface KeptEntry {
  readonly seq: number
  readonly id: EntryId
  /** Undefined: its key does not open it. */
  readonly entry: Entry | undefined
}

/** By whom an entry was forgotten: the id of the command. */
export interface Forgotten {
  readonly by: string
}

/** Where a test stops the process: each is between two commits. */
export type StorePoint = 'key-written' | 'key-destroyed'

export interface StoreOptions {
  readonly onPoint?: (point: StorePoint) => void
}

/** One look at both files, for as long as they are open. */
export interface OpenStore {
  /** Another text whenever anything that counts may have changed. */
  readonly version: string
  /** True where nothing was ever remembered. */
  readonly isEmpty: boolean
  /** Of those that count. */
  ids(): readonly EntryId[]
  /** Those that count. */
  read(ids: readonly EntryId[]): Iterable<KeptEntry>
  forgotten(id: EntryId): Forgotten | undefined
}

export interface ChangingStore extends OpenStore {
  put(id: EntryId, entry: Entry, now: number): void
  /** Destroys keys, then bytes. Once more for one that is forgotten: what was left of that is done. */
  forget(ids: readonly EntryId[], by: string, now: number): void
  /** What crashes left: keys without an entry, entries without a key. */
  sweep(now: number): void
}

const emptyStore: OpenStore = {
  version: 'empty',
  isEmpty: true,
  ids: () => [],
  read: () => [],
  forgotten: () => undefined,
}

/**
 * Opens what is there, and creates nothing.
 * @throws ActionFailure CORRUPT_DATA, UNAVAILABLE
 */
export function lookAtStore<Result>(folder: string, use: (store: OpenStore) => Result): Result {
  return withFiles(folder, 'look', ({ entries, keys }) => {
    requireOneStore(entries, keys)
    return use(
      entries === undefined || keys === undefined ? emptyStore : toOpenStore(entries, keys),
    )
  })
}

/**
 * Opens both files, alone: nobody else changes them meanwhile. One call either puts or forgets.
 * @throws ActionFailure STORAGE_FULL, CORRUPT_DATA, UNAVAILABLE, with nothing changed; a plain Error when
 *   a key is destroyed and what belongs to that is not done: the same again does it
 */
export function changeStore<Result>(
  folder: string,
  { onPoint = () => undefined }: StoreOptions,
  use: (store: ChangingStore) => Result,
): Result {
  return withFiles(folder, 'create', ({ entries, keys }) => {
    if (entries === undefined || keys === undefined) throw corrupt(without(entriesFile, keysFile))
    const dead: EntryId[] = []
    let used: { readonly result: Result; readonly hasPut: boolean } | undefined
    try {
      entries.transaction(() => {
        createOrRequire(entries, keys)
        let hasPut = false
        const destroy = (ids: readonly EntryId[], by: string, now: number) => {
          dead.push(...ids)
          destroyKeys(keys, ids, { by, now })
          onPoint('key-destroyed')
        }
        const result = use({
          ...toOpenStore(entries, keys),
          put(id, entry, now) {
            hasPut = true
            const { key, sealed } = sealEntry(id, entry)
            keys.transaction(() => putKey(keys, { id, key, now }))
            onPoint('key-written')
            entries.prepare('INSERT INTO entries (id, sealed) VALUES (?, ?)').run(id, sealed)
            countChange(entries)
          },
          forget: destroy,
          sweep(now) {
            const known = new Set(readIds(entries))
            const opened = readKeys(keys)
            const stray = [...opened.keys()].filter((id) => !known.has(id))
            if (stray.length > 0) destroyKeys(keys, stray, { by: strayKey, now })
            dead.push(...[...known].filter((id) => !opened.has(id)))
          },
        })
        used = { result, hasPut }
        dropEntries(entries, dead)
      })
    } catch (error) {
      if (dead.length === 0) throw error
      // They are forgotten: what is left opens with nothing, and is swept away when there is room.
      const isForgotten = used?.hasPut === false && sqliteFault(error) === 'full'
      if (!isForgotten)
        throw new Error('keys are destroyed, and not all that follows', { cause: error })
    }
    if (used === undefined) throw new Error('the transaction did nothing')
    return used.result
  })
}

interface Files {
  /** Undefined: it is not there, and was not to be created. */
  readonly entries: Database | undefined
  readonly keys: Database | undefined
}

function withFiles<Result>(
  folder: string,
  mode: 'look' | 'create',
  use: (files: Files) => Result,
): Result {
  const opened: Database[] = []
  const open = (name: string, mayCreate: boolean): Database | undefined => {
    const file = join(folder, name)
    if (!existsSync(file)) {
      if (!mayCreate) return undefined
      createPrivate(file)
    }
    const database = openDatabase(file)
    opened.push(database)
    prepare(database)
    return database
  }
  try {
    const entries = open(entriesFile, mode === 'create')
    // Where there are entries, an empty file in place of their keys would only hide that they are missing.
    const isNew = entries !== undefined && metaOf(entries) === undefined
    return use({ entries, keys: open(keysFile, mode === 'create' && isNew) })
  } catch (error) {
    throw toFailure(error)
  } finally {
    for (const database of opened) database.close()
  }
}

/** Empty, and the owner's alone: SQLite takes it, and gives its log the same mode. */
function createPrivate(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600))
  } catch (error) {
    // Another process of this agent was first.
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  }
}

const without = (one: string, other: string) => `${one} without its ${other}`

/** Keys of another memory, or none, would make every entry here read as forgotten, and be swept away. */
function requireOneStore(entries: Database | undefined, keys: Database | undefined): void {
  const mine = entries && metaOf(entries)
  const theirs = keys && metaOf(keys)
  if (mine !== undefined && mine.store !== theirs?.store) {
    throw corrupt(without(entriesFile, keysFile))
  }
  if (mine === undefined && keys !== undefined && theirs !== undefined && readKeys(keys).size > 0) {
    throw corrupt(without(keysFile, entriesFile))
  }
}

function createOrRequire(entries: Database, keys: Database): void {
  requireOneStore(entries, keys)
  if (metaOf(entries) !== undefined) return
  // The keys' file first: a crash leaves one without a key, which any new memory may have.
  const store = metaOf(keys)?.store ?? keys.transaction(() => create(keys, keysSchema))
  create(entries, entriesSchema, store)
}

function toOpenStore(entries: Database, keys: Database): OpenStore {
  if (metaOf(entries) === undefined) return emptyStore
  // Read before anything else is: what changes meanwhile is found at the next look.
  const version = [metaOf(entries), metaOf(keys)].map((one) => `${one?.store}:${one?.changes}`)
  return {
    version: version.join(' '),
    isEmpty: false,
    ids() {
      const there = readIds(entries)
      const readable = readKeys(keys)
      return there.filter((id) => readable.has(id))
    },
    *read(ids) {
      const sealedOf = entries.prepare<{ seq: number; sealed: Uint8Array }>(
        'SELECT seq, sealed FROM entries WHERE id = ?',
      )
      const keyOf = keys.prepare<{ key: Uint8Array }>(
        'SELECT key FROM keys WHERE id = ? AND forgotten = ?',
      )
      for (const id of ids) {
        const row = sealedOf.get(id)
        const key = keyOf.get(id, alive)?.key
        if (row === undefined || key === undefined) continue
        const { seq, sealed } = row
        yield { seq, id, entry: openEntry(id, { key, sealed }) }
      }
    },
    forgotten: (id) =>
      keys
        .prepare<Forgotten>('SELECT by FROM keys WHERE id = ? AND forgotten < ? AND by <> ?')
        .get(id, alive, strayKey),
  }
}

function readIds(entries: Database): readonly EntryId[] {
  const rows = entries.prepare<{ id: string }>('SELECT id FROM entries ORDER BY seq').all()
  return rows.map(({ id }) => id)
}

function dropEntries(entries: Database, ids: readonly EntryId[]): void {
  const drop = entries.prepare('DELETE FROM entries WHERE id = ?')
  const changed = ids.map((id) => drop.run(id).changes)
  if (changed.some((rows) => rows > 0)) countChange(entries)
}
