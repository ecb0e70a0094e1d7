// The schema of `audit.db` as the list of steps that made it what it is. A new file goes through all
// of them, an old one through those that it lacks, so both end with the same schema. Invariant: a
// step that was released is never edited; a change of the schema is a new step at the end, and
// test/notary/migration.test.ts fails when the schema changes without one.

import { approvalTables } from './approval-state.ts'
import { budgetTables } from './budget-state.ts'
import { loopTables } from './loop-state.ts'
import { proposalTables } from './proposal-state.ts'
import { quarantineTable } from './quarantine-state.ts'
import { requestLimitTable } from './request-limit-state.ts'
import { standingTables } from './standing-state.ts'
import { toldTable } from './told-state.ts'
import { usageTable } from './usage-state.ts'

export interface Migration {
  /** Schema version (SQLite's `user_version`) that the step starts from; 0 is an empty file. */
  readonly from: number
  readonly to: number
  /** What it is for, as said to a person. */
  readonly what: string
  readonly sql: string
}

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

// Reruns that a person decided, tokens that follow instead of start, and who said
// what became of an effect that nobody knew of.
const recoveryTables = `
  CREATE TABLE rerun (
    request TEXT NOT NULL REFERENCES request (id), step TEXT NOT NULL, iteration INTEGER NOT NULL,
    rerun INTEGER NOT NULL, PRIMARY KEY (request, step, iteration)
  ) STRICT;
  ALTER TABLE token ADD COLUMN op TEXT NOT NULL DEFAULT 'run';
  ALTER TABLE effect ADD COLUMN resolved TEXT;
`

/** In order and without gaps, each from the version that the one before leads to. */
export const migrations: readonly Migration[] = [
  {
    from: 0,
    to: 1,
    what: 'the audit, and what the notary decides from',
    sql: auditTables + stateTables,
  },
  {
    from: 1,
    to: 2,
    what: 'a signed head over every row',
    // Rows after the last checkpoint that was kept are signed with the next row.
    sql: `${tipTable} INSERT INTO tip SELECT 1, size, root, at, jws FROM checkpoint
          ORDER BY size DESC LIMIT 1;`,
  },
  { from: 2, to: 3, what: 'what a person decides on a run', sql: recoveryTables },
  {
    from: 3,
    to: 4,
    what: 'agents that are shut out, and schedules',
    // Some files of version 3 have these tables already: they came before they had a number.
    sql: quarantineTable + standingTables,
  },
  { from: 4, to: 5, what: 'loops, and steps that begin at a time', sql: loopTables },
  { from: 5, to: 6, what: 'questions to a person, and what was granted', sql: approvalTables },
  { from: 6, to: 7, what: 'how much happened lately', sql: usageTable },
  { from: 7, to: 8, what: 'how much was spent in a day and a month', sql: budgetTables },
  { from: 8, to: 9, what: 'what is proposed for a person’s words', sql: proposalTables },
  { from: 9, to: 10, what: 'what one request may spend, and until when', sql: requestLimitTable },
  { from: 10, to: 11, what: 'what words go on with', sql: toldTable },
]
