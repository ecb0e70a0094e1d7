// Opens `audit.db` and owns its schema. Invariant: a row of the audit table, once inserted, is never
// changed, replaced or deleted through this connection. The triggers are guard rails against our own
// bugs; whoever owns the file can drop them, which is what checkpoints and witnesses are for.

import Database from 'better-sqlite3'
import { quarantineTable } from './quarantine-state.ts'
import { standingTables } from './standing-state.ts'

export type NotaryDatabase = Database.Database

export type StoreErrorCode = 'AUDIT_UNAVAILABLE' | 'CLOCK_BACKWARDS' | 'CLOCK_MOVED'

/** The audit cannot be written (or not truthfully), so nothing may be decided. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  readonly code: StoreErrorCode
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

const schemaVersion = 3

const auditTables = `
  CREATE TABLE audit (
    seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, kind TEXT NOT NULL, actor TEXT NOT NULL,
    subject TEXT NOT NULL, correlation TEXT NOT NULL, trace TEXT NOT NULL, body TEXT NOT NULL,
    prev TEXT NOT NULL, leaf TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_correlation ON audit (correlation, seq);
  CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
  CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
    BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;
  CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE seq = NEW.seq)
    BEGIN SELECT RAISE(ABORT, 'audit rows are never replaced'); END;
  CREATE TABLE checkpoint (
    size INTEGER PRIMARY KEY, root TEXT NOT NULL, at INTEGER NOT NULL, jws TEXT NOT NULL
  ) STRICT;
  CREATE TRIGGER checkpoint_no_update BEFORE UPDATE ON checkpoint
    BEGIN SELECT RAISE(ABORT, 'checkpoints are never changed'); END;
  CREATE TRIGGER checkpoint_no_delete BEFORE DELETE ON checkpoint
    BEGIN SELECT RAISE(ABORT, 'checkpoints are never deleted'); END;
`

// The signed head of everything committed: one row, replaced in each transaction that appends, so that
// no row is ever acknowledged without a signature over it.
const tipTable = `
  CREATE TABLE tip (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    size INTEGER NOT NULL, root TEXT NOT NULL, at INTEGER NOT NULL, jws TEXT NOT NULL
  ) STRICT;
`

// What the notary decides from. It commits in the transaction of the row that says so.
const stateTables = `
  CREATE TABLE request (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, user TEXT NOT NULL,
    priority TEXT NOT NULL, content TEXT NOT NULL, digest TEXT NOT NULL, plan TEXT NOT NULL,
    created_at INTEGER NOT NULL, admitted_at INTEGER, cancelled_at INTEGER, aborted_by TEXT
  ) STRICT;
  CREATE INDEX request_created ON request (created_at);
  CREATE TABLE effect (
    idem TEXT PRIMARY KEY, request TEXT NOT NULL REFERENCES request (id), kind TEXT NOT NULL,
    step TEXT NOT NULL, iteration INTEGER NOT NULL, rerun INTEGER NOT NULL,
    agent TEXT, n INTEGER, args_hash TEXT, salt TEXT, sources TEXT NOT NULL,
    attempts INTEGER NOT NULL, tokens_until INTEGER NOT NULL,
    outcome TEXT, code TEXT, retry TEXT, result_hash TEXT, receipt TEXT, settled_at INTEGER,
    UNIQUE (request, kind, step, iteration, rerun)
  ) STRICT;
  CREATE TABLE token (
    jti TEXT PRIMARY KEY, idem TEXT NOT NULL REFERENCES effect (idem), boot_epoch TEXT NOT NULL,
    expires_at INTEGER NOT NULL, answered INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX token_idem ON token (idem);
  CREATE TABLE replica (
    agent TEXT NOT NULL, n INTEGER NOT NULL, boot_epoch TEXT NOT NULL, running INTEGER NOT NULL,
    PRIMARY KEY (agent, n)
  ) STRICT;
  CREATE TABLE epoch (
    agent TEXT NOT NULL, n INTEGER NOT NULL, boot_epoch TEXT NOT NULL, nkey TEXT NOT NULL,
    receipt_key TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (agent, n, boot_epoch)
  ) STRICT;
`

// Since version 3: reruns that a person decided, tokens that follow instead of start, and who said
// what became of an effect that nobody knew of.
const recoveryTables = `
  CREATE TABLE rerun (
    request TEXT NOT NULL REFERENCES request (id), step TEXT NOT NULL, iteration INTEGER NOT NULL,
    rerun INTEGER NOT NULL, PRIMARY KEY (request, step, iteration)
  ) STRICT;
  ALTER TABLE token ADD COLUMN op TEXT NOT NULL DEFAULT 'run';
  ALTER TABLE effect ADD COLUMN resolved TEXT;
`

/**
 * Opens or creates the file. Settings that durability and the guards rest on are set explicitly,
 * because better-sqlite3 is built with `synchronous=NORMAL` for WAL.
 * @throws StoreError AUDIT_UNAVAILABLE when the file cannot be opened, is damaged, or is newer
 */
export function openDatabase(file: string): NotaryDatabase {
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
    migrate(db)
    db.exec(quarantineTable)
    db.exec(standingTables)
    return db
  } catch (cause) {
    db?.close()
    if (cause instanceof StoreError) throw cause
    throw new StoreError('AUDIT_UNAVAILABLE', 'the audit database cannot be opened', { cause })
  }
}

function assertSound(db: NotaryDatabase): void {
  const verdict = db.pragma('quick_check(1)', { simple: true })
  if (verdict !== 'ok') {
    throw new StoreError('AUDIT_UNAVAILABLE', 'the audit database is damaged: quick_check failed')
  }
}

function migrate(db: NotaryDatabase): void {
  const version = db.pragma('user_version', { simple: true })
  if (version === schemaVersion) return
  if (version === 1 || version === 2) {
    db.transaction(() => {
      if (version === 1) {
        db.exec(tipTable)
        db.exec(`INSERT INTO tip SELECT 1, size, root, at, jws FROM checkpoint
                 ORDER BY size DESC LIMIT 1`)
      }
      db.exec(recoveryTables)
      db.pragma(`user_version = ${schemaVersion}`)
    })()
    return
  }
  if (version !== 0) {
    throw new StoreError('AUDIT_UNAVAILABLE', 'the audit database is of another version')
  }
  db.transaction(() => {
    db.exec(auditTables)
    db.exec(tipTable)
    db.exec(stateTables)
    db.exec(recoveryTables)
    db.pragma(`user_version = ${schemaVersion}`)
  })()
}
