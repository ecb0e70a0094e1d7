// `keys.db`: the key of each entry, and of what was forgotten that it was. A row has a fixed size and is never
// deleted, but overwritten and used again, so that SQLite moves no row to another page, where it would leave
// the old bytes behind; within a page secure_delete clears them. The log is emptied with each destruction.
// What the disk itself keeps of overwritten blocks is beyond this file.

import type { Database } from '../sqlite.ts'
import { type EntryId, keyBytes } from './entry.ts'
import { countChange } from './memory-file.ts'

/** A run's life and a day: until then a repeated command must not bring back what was forgotten. */
const forgottenKeptMs = 31 * 24 * 60 * 60 * 1_000
/** Rows of keys; beyond it the oldest forgotten one is used again at once. */
const maxKeyRows = 100_000

/** As many characters as an instant, because a row must not change its size; orders behind all instants. */
export const alive = '9999-12-31T23:59:59.999Z'
/** In place of a command, as long as its id: an entry that expired, a key whose entry was never written. */
export const nobody = 'expired'.padEnd(16, '-')
export const strayKey = 'stray'.padEnd(16, '-')
const noKey = new Uint8Array(keyBytes)

export const keysSchema = `
  CREATE TABLE keys (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL, key BLOB NOT NULL, forgotten TEXT NOT NULL, by TEXT NOT NULL
  ) STRICT;
  CREATE INDEX keys_by_id ON keys (id);
  CREATE INDEX keys_by_time ON keys (forgotten);`

export function readKeys(keys: Database): ReadonlyMap<EntryId, Uint8Array> {
  const rows = keys
    .prepare<{ id: string; key: Uint8Array }>('SELECT id, key FROM keys WHERE forgotten = ?')
    .all(alive)
  return new Map(rows.map(({ id, key }) => [id, key]))
}

/** Into the row of this id, as a crash left it, or of what was forgotten long ago, or a new one. */
export function putKey(
  keys: Database,
  { id, key, now }: { readonly id: EntryId; readonly key: Uint8Array; readonly now: number },
): void {
  // None is ever deleted.
  const rows = keys.prepare<{ last: number }>('SELECT max(row) AS last FROM keys').get()?.last ?? 0
  const before = new Date(rows < maxKeyRows ? now - forgottenKeptMs : now).toISOString()
  const free =
    keys
      .prepare<{ row: number }>('SELECT row FROM keys WHERE id = ? AND forgotten = ?')
      .get(id, alive) ??
    keys
      .prepare<{ row: number }>(
        'SELECT row FROM keys WHERE forgotten < ? ORDER BY forgotten LIMIT 1',
      )
      .get(before)
  if (free === undefined) {
    keys
      .prepare('INSERT INTO keys (id, key, forgotten, by) VALUES (?, ?, ?, ?)')
      .run(id, key, alive, nobody)
  } else {
    keys
      .prepare('UPDATE keys SET id = ?, key = ?, forgotten = ?, by = ? WHERE row = ?')
      .run(id, key, alive, nobody, free.row)
  }
  countChange(keys)
}

/** All that makes them readable. Durable, and not in the log either, when this returns. */
export function destroyKeys(
  keys: Database,
  ids: readonly EntryId[],
  { by, now }: { readonly by: string; readonly now: number },
): void {
  const at = new Date(now).toISOString()
  keys.transaction(() => {
    const destroy = keys.prepare(
      'UPDATE keys SET key = ?, forgotten = ?, by = ? WHERE id = ? AND forgotten = ?',
    )
    const changed = ids.map((id) => destroy.run(noKey, at, by, id, alive).changes)
    if (changed.some((rows) => rows > 0)) countChange(keys)
  })
  emptyLog(keys)
}

/** A reader in another process is waited for; one that never ends leaves the outcome unknown. */
function emptyLog(database: Database): void {
  if (database.pragma('wal_checkpoint(TRUNCATE)') !== 0) throw new Error('the log is in use')
}
