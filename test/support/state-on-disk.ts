// What the files of a deployment say while it runs. Databases are read from copies, so that looking
// changes nothing.

import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'

/** Reads a database with what its write-ahead log holds. */
export function readDatabase<T>(file: string, read: (database: Database.Database) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-seen-'))
  const copy = join(folder, 'copy.db')
  for (const suffix of ['', '-wal']) {
    if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix)
  }
  const database = new Database(copy)
  try {
    return read(database)
  } finally {
    database.close()
    rmSync(folder, { recursive: true })
  }
}

/** The text of all notes. */
export function readNotes(state: string): string {
  const folder = join(state, 'agents', 'notes', 'data')
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
}
