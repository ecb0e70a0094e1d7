// The ledger as a file: who it belongs to, that it is whole, and that one process has it. Invariant:
// an empty ledger is either new (the supervisor's marker is there, and no effect has ever run) or
// missing (no marker), never both, so a lost volume cannot make old effects look absent. The marker
// goes only after the database is durable, and nothing runs before the marker has gone. Not covered:
// a volume replaced by an older copy of itself; whoever can do that is the host's administrator.

import { existsSync, readFileSync, rmSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { openSealed, type SealingKey, seal } from './ledger-seal.ts'
import { syncFolder } from './sync-folder.ts'

/** Written into a new volume by the supervisor, holding the ledger's id; removed by the agent. */
export const markerFile = 'INITIALISE'
export const databaseFile = 'ledger.db'
const lockFile = 'owner.lock'

/** Why no effect can be recorded. To the outside all of them are LEDGER_UNAVAILABLE. */
export type LedgerReason =
  | 'MISSING'
  | 'FOREIGN'
  | 'CORRUPT'
  | 'NEWER'
  | 'WRONG_KEY'
  | 'IN_USE'
  | 'FULL'
  | 'NOT_WRITABLE'

export class LedgerError extends Error {
  override readonly name = 'LedgerError'
  readonly code = 'LEDGER_UNAVAILABLE'
  readonly reason: LedgerReason
  constructor(reason: LedgerReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.reason = reason
  }
}

export interface LedgerFileOptions {
  /** The agent's only writable volume. */
  readonly folder: string
  /** Given by the supervisor when it created the volume. */
  readonly id: string
  readonly key: SealingKey
  readonly maxBytes: number
  /** Path of better-sqlite3's addon, where the package's own search cannot work. */
  readonly nativeBinding?: string
}

export interface LedgerFile {
  readonly database: Database.Database
  close(): void
}

const schema = `
  CREATE TABLE meta (id TEXT NOT NULL, version INTEGER NOT NULL, key_check BLOB NOT NULL) STRICT;
  CREATE TABLE tokens (jti TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE effects (
    idem TEXT PRIMARY KEY,
    args_hash TEXT NOT NULL,
    action TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('RESERVED', 'EXECUTING', 'DONE', 'FAILED', 'UNKNOWN')),
    code TEXT, retry TEXT, result BLOB, receipt TEXT,
    updated_at INTEGER NOT NULL,
    CHECK ((state = 'DONE') = (result IS NOT NULL)),
    CHECK ((state = 'FAILED') = (code IS NOT NULL AND retry IS NOT NULL)),
    CHECK ((state IN ('DONE', 'FAILED')) = (receipt IS NOT NULL))
  ) STRICT;`
const schemaVersion = 1

/**
 * Opens the ledger, creating it only where the marker says that it is new.
 * @throws LedgerError
 */
export function openLedgerFile(options: LedgerFileOptions): LedgerFile {
  const lock = takeLock(options)
  let database: Database.Database | undefined
  try {
    initialiseIfNew(options)
    if (!existsSync(join(options.folder, databaseFile))) {
      throw new LedgerError('MISSING', 'the ledger should exist and does not')
    }
    database = openDatabase(options)
    assertWhole(database)
    assertOwn(database, options)
  } catch (cause) {
    database?.close()
    lock.close()
    throw toLedgerError(cause)
  }
  const opened = database
  return {
    database: opened,
    close() {
      opened.close()
      lock.close()
    },
  }
}

/** SQLite's own failures, said in the ledger's terms; anything else is a bug and stays what it is. */
export function toLedgerError(cause: unknown): unknown {
  if (!(cause instanceof Database.SqliteError)) return cause
  if (cause.code.startsWith('SQLITE_FULL')) return new LedgerError('FULL', 'ledger is full', cause)
  if (cause.code.startsWith('SQLITE_CORRUPT') || cause.code === 'SQLITE_NOTADB') {
    return new LedgerError('CORRUPT', 'ledger is damaged', cause)
  }
  return new LedgerError('NOT_WRITABLE', `ledger cannot be used: ${cause.code}`, cause)
}

/** Two processes on one ledger would each take the other's running effects for lost ones. */
function takeLock({ folder, nativeBinding }: LedgerFileOptions): Database.Database {
  let lock: Database.Database | undefined
  try {
    // Long enough for the kernel to let go of a predecessor that was just killed.
    lock = new Database(join(folder, lockFile), { timeout: 2_000, ...binding(nativeBinding) })
    lock.pragma('locking_mode = EXCLUSIVE')
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (cause) {
    lock?.close()
    throw new LedgerError(
      'IN_USE',
      'the ledger is held by another process, or its folder is not writable',
      cause,
    )
  }
}

function initialiseIfNew(options: LedgerFileOptions): void {
  const marker = join(options.folder, markerFile)
  if (!existsSync(marker)) return
  if (readFileSync(marker, 'utf8').trim() !== options.id) {
    throw new LedgerError('FOREIGN', 'the volume was created for another ledger')
  }
  // A crash between the two steps below leaves marker and database: the database is whole then, and
  // kept. Without a whole one nothing has ever run here, because the marker is still there.
  if (!isInitialised(options)) createDatabase(options)
  unlinkSync(marker)
  syncFolder(options.folder)
}

function isInitialised(options: LedgerFileOptions): boolean {
  if (!existsSync(join(options.folder, databaseFile))) return false
  let database: Database.Database | undefined
  try {
    database = openDatabase(options)
    assertOwn(database, options)
    return true
  } catch {
    return false
  } finally {
    database?.close()
  }
}

function createDatabase(options: LedgerFileOptions): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) {
    rmSync(join(options.folder, databaseFile + suffix), { force: true })
  }
  const database = openDatabase(options, { create: true })
  try {
    database.transaction(() => {
      database.exec(schema)
      database
        .prepare('INSERT INTO meta (id, version, key_check) VALUES (?, ?, ?)')
        .run(options.id, schemaVersion, seal(options.key, options.id, options.id))
    })()
    database.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    database.close()
  }
  syncFolder(options.folder)
}

function openDatabase(options: LedgerFileOptions, mode = { create: false }): Database.Database {
  const database = new Database(join(options.folder, databaseFile), {
    fileMustExist: !mode.create,
    ...binding(options.nativeBinding),
  })
  try {
    database.pragma('journal_mode = WAL')
    // Said explicitly: better-sqlite3 builds SQLite so that WAL would default to NORMAL, which
    // loses the last commits at a power cut, and with them the memory that an effect has run.
    database.pragma('synchronous = FULL')
    database.pragma('trusted_schema = OFF')
    database.pragma('cell_size_check = ON')
    database.pragma('temp_store = MEMORY')
    database.pragma(`max_page_count = ${Math.floor(options.maxBytes / pageBytes(database))}`)
    return database
  } catch (cause) {
    database.close()
    throw cause
  }
}

function assertWhole(database: Database.Database): void {
  if (database.pragma('integrity_check(1)', { simple: true }) !== 'ok') {
    throw new LedgerError('CORRUPT', 'the integrity check found damage')
  }
}

function assertOwn(database: Database.Database, options: LedgerFileOptions): void {
  const row = database
    .prepare<[], { id: string; version: number; key_check: Buffer }>(
      'SELECT id, version, key_check FROM meta',
    )
    .get()
  if (row !== undefined && row.version > schemaVersion) {
    throw new LedgerError(
      'NEWER',
      `the ledger is of version ${row.version}, written by a newer release; this one knows ${schemaVersion}: start the newer release`,
    )
  }
  if (row === undefined || row.version !== schemaVersion) {
    throw new LedgerError('CORRUPT', 'the ledger has no description of itself that we can read')
  }
  if (row.id !== options.id) throw new LedgerError('FOREIGN', 'this is another ledger')
  if (openSealed(options.key, options.id, row.key_check) !== options.id) {
    throw new LedgerError('WRONG_KEY', 'the ledger was sealed with another key')
  }
}

/** Bytes of one database page. */
export function pageBytes(database: Database.Database): number {
  return Number(database.pragma('page_size', { simple: true }))
}

function binding(nativeBinding: string | undefined): { nativeBinding?: string } {
  return nativeBinding === undefined ? {} : { nativeBinding }
}
