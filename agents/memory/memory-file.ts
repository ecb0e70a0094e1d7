// How each of the two files is opened, and what both have: which memory they are of, and a count of changes.

import { randomUUID } from 'node:crypto'
import type { Database } from '../sqlite.ts'
import { corrupt } from './failures.ts'

/** Below what a sandbox may write into one file, with room for SQLite's log beside it. */
const maxBytes = 52 * 1024 * 1024
const pageBytes = 4_096
const schemaVersion = 1
const metaSchema = 'CREATE TABLE meta (store TEXT NOT NULL, changes INTEGER NOT NULL) STRICT;'

export function prepare(database: Database): void {
  database.pragma(`page_size = ${pageBytes}`)
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.pragma('trusted_schema = OFF')
  database.pragma('cell_size_check = ON')
  database.pragma('temp_store = MEMORY')
  database.pragma('secure_delete = ON')
  database.pragma(`max_page_count = ${maxBytes / pageBytes}`)
  const version = database.pragma('user_version')
  if (version !== 0 && version !== schemaVersion) throw corrupt('a memory of another release')
}

export interface Meta {
  readonly store: string
  readonly changes: number
}

/** Undefined: nothing was kept in it yet. */
export function metaOf(database: Database): Meta | undefined {
  if (database.pragma('user_version') === 0) return undefined
  return database.prepare<Meta>('SELECT store, changes FROM meta').get()
}

/** @returns which memory it is of */
export function create(database: Database, schema: string, store: string = randomUUID()): string {
  database.exec(metaSchema + schema)
  database.prepare('INSERT INTO meta VALUES (?, 0)').run(store)
  database.pragma(`user_version = ${schemaVersion}`)
  return store
}

export function countChange(database: Database): void {
  database.prepare('UPDATE meta SET changes = changes + 1').run()
}
