// Opens `audit.db`; its schema is schema.ts's. Invariant: a row of the audit table, once inserted, is never
// changed, replaced or deleted through this connection. The triggers are guard rails against our own
// bugs; whoever owns the file can drop them, which is what checkpoints and witnesses are for.

import Database from 'better-sqlite3'
import { MigrationError, type MigrationOptions, migrate } from './migration.ts'
import { migrations } from './schema.ts'

export type NotaryDatabase = Database.Database

export type StoreErrorCode = 'AUDIT_UNAVAILABLE' | 'CLOCK_BACKWARDS' | 'CLOCK_MOVED'

/** The audit cannot be written (or not truthfully), so nothing may be decided. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  /** What a person does about it, where there is one thing to do. */
  readonly next: string | undefined
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions & { next?: string }) {
    super(message, options)
    this.code = code
    this.next = options?.next
  }
}

export type OpenOptions = Partial<Omit<MigrationOptions, 'migrations' | 'file'>>

/**
 * Opens or creates the file, and brings an older one up to date after a copy was made. Settings that durability and the guards rest on are set explicitly,
 * because better-sqlite3 is built with `synchronous=NORMAL` for WAL.
 * @throws StoreError AUDIT_UNAVAILABLE when the file cannot be opened, is damaged, is newer than this
 *   release, or is older and cannot be copied first
 */
export function openDatabase(file: string, options: OpenOptions = {}): NotaryDatabase {
  let db: NotaryDatabase | undefined
  try {
    db = new Database(file, { timeout: 2_000 })
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    db.pragma('fullfsync = ON')
    db.pragma('trusted_schema = OFF')
    db.pragma('cell_size_check = ON')
    // Without it INSERT OR REPLACE deletes the old row without firing the DELETE trigger.
    db.pragma('recursive_triggers = ON')
    db.pragma('foreign_keys = ON')
    // No temporary file may fail for want of disk in the middle of recording a refusal.
    db.pragma('temp_store = MEMORY')
    assertSound(db)
    migrate(db, { migrations, file, now: Date.now, ...options })
    return db
  } catch (cause) {
    db?.close()
    if (cause instanceof StoreError) throw cause
    if (cause instanceof MigrationError) {
      throw new StoreError('AUDIT_UNAVAILABLE', cause.message, { cause, next: cause.next })
    }
    throw new StoreError('AUDIT_UNAVAILABLE', 'the audit database cannot be opened', { cause })
  }
}

function assertSound(db: NotaryDatabase): void {
  const verdict = db.pragma('quick_check(1)', { simple: true })
  if (verdict !== 'ok') {
    throw new StoreError('AUDIT_UNAVAILABLE', 'the audit database is damaged: quick_check failed')
  }
}
