// Databases of the notary as earlier releases made them: their schema word for word, a chain of rows
// under real hashes and a real signature, and one run with an effect and a token. Frozen: whoever
// changes this text no longer tests what lies on people's disks.

import Database from 'better-sqlite3'
import type { SealHead } from '../../security/audit/checkpoint.ts'
import { genesisHash, sealRow } from '../../security/audit/format.ts'
import { appendLeaf, emptyTree, treeRoot } from '../../security/audit/tree.ts'

const version1 = `
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

const version2 = `
  CREATE TABLE tip (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    size INTEGER NOT NULL, root TEXT NOT NULL, at INTEGER NOT NULL, jws TEXT NOT NULL
  ) STRICT;
`
const version3 = `
  CREATE TABLE rerun (
    request TEXT NOT NULL REFERENCES request (id), step TEXT NOT NULL, iteration INTEGER NOT NULL,
    rerun INTEGER NOT NULL, PRIMARY KEY (request, step, iteration)
  ) STRICT;
  ALTER TABLE token ADD COLUMN op TEXT NOT NULL DEFAULT 'run';
  ALTER TABLE effect ADD COLUMN resolved TEXT;
`
/** Version 3 as its later programs left it: a table more, under the same number. */
const quarantine = `
  CREATE TABLE IF NOT EXISTS quarantine (
    agent TEXT NOT NULL, n INTEGER NOT NULL, since INTEGER NOT NULL, by TEXT NOT NULL,
    code TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (agent, n)
  ) STRICT;
`

const version4 = `
  CREATE TABLE IF NOT EXISTS standing (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, user TEXT NOT NULL,
    priority TEXT NOT NULL, source TEXT NOT NULL, inputs TEXT NOT NULL, spec TEXT NOT NULL,
    policy TEXT NOT NULL, note TEXT NOT NULL, content TEXT NOT NULL, created_at INTEGER NOT NULL,
    active_since INTEGER NOT NULL, paused_at INTEGER
  ) STRICT;
  CREATE TABLE IF NOT EXISTS standing_pause (
    standing TEXT NOT NULL REFERENCES standing (id) ON DELETE CASCADE,
    from_at INTEGER NOT NULL, to_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS standing_backfill (
    standing TEXT NOT NULL REFERENCES standing (id) ON DELETE CASCADE,
    from_at INTEGER NOT NULL, to_at INTEGER NOT NULL
  ) STRICT;
`

const version5 = `
  CREATE TABLE loop (
    request TEXT NOT NULL REFERENCES request (id), step TEXT NOT NULL, rerun INTEGER NOT NULL,
    count INTEGER NOT NULL, settled INTEGER NOT NULL, skipped INTEGER NOT NULL,
    failed INTEGER NOT NULL, unknown INTEGER NOT NULL,
    outcome TEXT, code TEXT, sources TEXT NOT NULL, hash TEXT,
    PRIMARY KEY (request, step, rerun)
  ) STRICT;
  CREATE TABLE start_time (
    request TEXT NOT NULL REFERENCES request (id), step TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (request, step)
  ) STRICT;
`

const version6 = `
  CREATE TABLE approval (
    id TEXT PRIMARY KEY, subject TEXT NOT NULL, kind TEXT NOT NULL, user TEXT NOT NULL,
    name TEXT NOT NULL, request TEXT, schedule TEXT, step TEXT, digest TEXT NOT NULL UNIQUE,
    card TEXT NOT NULL, title TEXT NOT NULL, created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL, state TEXT NOT NULL, decided_at INTEGER, statement TEXT, key TEXT,
    batch TEXT, batch_of TEXT, voided_at INTEGER
  ) STRICT;
  CREATE INDEX approval_subject ON approval (subject, created_at);
  CREATE INDEX approval_request ON approval (request);
  CREATE INDEX approval_user ON approval (user, created_at);
  CREATE TABLE approval_grant (
    id TEXT PRIMARY KEY, approval TEXT NOT NULL REFERENCES approval (id), statement TEXT NOT NULL,
    user TEXT NOT NULL, recipe TEXT NOT NULL, name TEXT NOT NULL, step TEXT NOT NULL,
    action TEXT NOT NULL, matter TEXT NOT NULL, per TEXT NOT NULL, count INTEGER NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, revoked_at INTEGER
  ) STRICT;
  CREATE INDEX approval_grant_of ON approval_grant (user, recipe, step);
  CREATE TABLE approval_use (
    idem TEXT PRIMARY KEY, approval TEXT NOT NULL REFERENCES approval (id),
    grant_id TEXT REFERENCES approval_grant (id), statement TEXT NOT NULL, at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX approval_use_grant ON approval_use (grant_id, at);
  ALTER TABLE request ADD COLUMN recipe TEXT;
`

const version7 = `
  CREATE TABLE usage (
    user TEXT NOT NULL, slot INTEGER NOT NULL, agent TEXT NOT NULL, effects INTEGER NOT NULL,
    PRIMARY KEY (user, slot, agent)
  ) STRICT, WITHOUT ROWID;
`

const version8 = `
  CREATE TABLE budget (
    user TEXT NOT NULL, unit TEXT NOT NULL, span TEXT NOT NULL, slot INTEGER NOT NULL,
    agent TEXT NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (user, unit, span, slot, agent)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE charge (
    idem TEXT NOT NULL REFERENCES effect (idem), unit TEXT NOT NULL, user TEXT NOT NULL,
    agent TEXT NOT NULL, at INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (idem, unit)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX charge_at ON charge (at);
`

const version9 = `
  ALTER TABLE request ADD COLUMN words TEXT;
  CREATE TABLE proposal (
    request TEXT NOT NULL REFERENCES request (id), hash TEXT NOT NULL, accepted INTEGER NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (request, hash)
  ) STRICT, WITHOUT ROWID;
`

const upTo6 = version1 + version2 + version3 + quarantine + version4 + version5 + version6

export const oldVersions = [
  { name: 'version 1', version: 1, schema: version1 },
  { name: 'version 2', version: 2, schema: version1 + version2 },
  { name: 'version 3', version: 3, schema: version1 + version2 + version3 },
  {
    name: 'version 3 with quarantine',
    version: 3,
    schema: version1 + version2 + version3 + quarantine,
  },
  {
    name: 'version 4',
    version: 4,
    schema: version1 + version2 + version3 + quarantine + version4,
  },
  {
    name: 'version 5',
    version: 5,
    schema: version1 + version2 + version3 + quarantine + version4 + version5,
  },
  {
    name: 'version 6',
    version: 6,
    schema: upTo6,
  },
  { name: 'version 7', version: 7, schema: upTo6 + version7 },
  { name: 'version 8', version: 8, schema: upTo6 + version7 + version8 },
  { name: 'version 9', version: 9, schema: upTo6 + version7 + version8 + version9 },
] as const
export type OldVersion = (typeof oldVersions)[number]

/** Makes the file with six rows and, of version 2 on, the signed head over them. */
export function makeOldAudit(
  file: string,
  { version, schema }: Pick<OldVersion, 'version' | 'schema'>,
  { seal, at }: { readonly seal: SealHead; readonly at: number },
): void {
  const db = new Database(file)
  db.pragma('journal_mode = WAL')
  db.exec(schema)
  const insert = db.prepare(
    `INSERT INTO audit (seq, at, kind, actor, subject, correlation, trace, body, prev, leaf)
     VALUES (@seq, @at, @kind, @actor, @subject, @correlation, @trace, @body, @prev, @leaf)`,
  )
  let tree = emptyTree()
  let prev = genesisHash
  for (let seq = 1; seq <= 6; seq += 1) {
    const entry = {
      at: at + seq,
      kind: 'life-cycle' as const,
      actor: 'notary',
      subject: 'notary',
      correlation: 'r-1',
      trace: '',
      body: { event: 'started', seq },
    }
    const row = sealRow(entry, { seq, prev })
    insert.run(row)
    prev = row.leaf
    tree = appendLeaf(tree, row.leaf)
  }
  const head = seal({ size: 6, root: treeRoot(tree), at: at + 6 })
  db.prepare('INSERT INTO checkpoint VALUES (@size, @root, @at, @jws)').run(head)
  if (version > 1) db.prepare('INSERT INTO tip VALUES (1, @size, @root, @at, @jws)').run(head)
  db.exec(`
    INSERT INTO request (id, kind, name, user, priority, content, digest, plan, created_at)
      VALUES ('r-1', 'recipe', 'briefing', 'owner', 'NORMAL', '', 'd', '{"steps":[]}', ${at});
    INSERT INTO effect (idem, request, kind, step, iteration, rerun, sources, attempts, tokens_until,
      outcome) VALUES ('i-1', 'r-1', 'do', 's', 0, 0, '[]', 1, ${at}, 'done');
    INSERT INTO token (jti, idem, boot_epoch, expires_at, answered)
      VALUES ('j-1', 'i-1', 'e', ${at}, 1);
  `)
  db.pragma(`user_version = ${version}`)
  db.close()
}
