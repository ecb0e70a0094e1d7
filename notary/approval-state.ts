// What the notary remembers of questions to a person: the cards, what became of them, which effects they
// were used for, and what was granted. Rows in, rows out; written only inside a job of the store, like
// all of state.ts. A card holds the values that a person was shown, so that the decision can be checked
// later; no audit row does.

import type { NotaryDatabase } from './database.ts'

export type ApprovalState = 'open' | 'approved' | 'denied' | 'expired' | 'used'

export interface ApprovalRecord {
  readonly id: string
  /** What it is good for, as a text; see subjectOf in ask.ts. A later question about it is another row. */
  readonly subject: string
  readonly kind: 'plan' | 'step' | 'list' | 'schedule'
  /** Whose request it is, `user:<id>`. */
  readonly user: string
  readonly name: string
  readonly request: string | null
  readonly schedule: string | null
  readonly step: string | null
  /** SHA-256 of the card. */
  readonly digest: string
  /** RFC 8785 text; empty once it is no longer kept. */
  readonly card: string
  readonly title: string
  readonly created_at: number
  readonly expires_at: number
  readonly state: ApprovalState
  readonly decided_at: number | null
  /** Compact JWS, and the public key that it was checked with (`x` of the JWK). */
  readonly statement: string | null
  readonly key: string | null
  readonly batch: string | null
  /** JSON: the digests that the statement is about, where it decided a batch. */
  readonly batch_of: string | null
  /** What it was about is gone: of a removed schedule. */
  readonly voided_at: number | null
}

/** What a list tells of it: cards are long, and there may be years of them. */
export type ApprovalHead = Omit<
  ApprovalRecord,
  'subject' | 'kind' | 'name' | 'card' | 'statement' | 'key' | 'batch_of'
>

/** That an effect was covered, and by what: written with its first token. */
export interface ApprovalUse {
  readonly idem: string
  readonly approval: string
  readonly grant_id: string | null
  /** SHA-256 of the statement. */
  readonly statement: string
  readonly at: number
}

export interface GrantRecord {
  readonly id: string
  /** The approval whose statement gave it. */
  readonly approval: string
  /** SHA-256 of that statement. */
  readonly statement: string
  readonly user: string
  readonly recipe: string
  readonly name: string
  readonly step: string
  readonly action: string
  /** Digest of what it does and who sees it. */
  readonly matter: string
  readonly per: 'day' | 'week' | 'month'
  readonly count: number
  readonly created_at: number
  readonly expires_at: number
  readonly revoked_at: number | null
}

/** Made by the migration to version 6. */
export const approvalTables = `
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

export function createApprovalState(db: NotaryDatabase) {
  return { ...approvalTable(db), ...grantTable(db) }
}

function approvalTable(db: NotaryDatabase) {
  const one = db.prepare<[string], ApprovalRecord>('SELECT * FROM approval WHERE id = ?')
  const latest = db.prepare<[string], ApprovalRecord>(
    `SELECT * FROM approval WHERE subject = ? AND voided_at IS NULL
     ORDER BY created_at DESC LIMIT 1`,
  )
  const newestOf = db
    .prepare<[string], number | null>('SELECT max(created_at) FROM approval WHERE subject = ?')
    .pluck()
  const heads =
    'id, user, request, schedule, step, digest, title, created_at, expires_at, state, decided_at, batch, voided_at'
  const ofUser = db.prepare<[string, number], ApprovalHead>(
    `SELECT ${heads} FROM approval WHERE user = ? AND created_at >= ? ORDER BY created_at, id`,
  )
  const openOf = db.prepare<[string, number, number], ApprovalHead>(
    `SELECT ${heads} FROM approval WHERE request = ? AND state = 'open' AND voided_at IS NULL
       AND expires_at > ? ORDER BY created_at, id LIMIT ?`,
  )
  const ofBatch = db.prepare<[string], ApprovalRecord>(
    'SELECT * FROM approval WHERE batch = ? ORDER BY created_at, id',
  )
  const usedList = db.prepare<[string, string, string], ApprovalRecord>(
    `SELECT * FROM approval WHERE request = ? AND kind = 'list' AND state = 'used'
       AND substr(subject, 1, length(?)) = ?`,
  )
  const lastApproved = db.prepare<[string, string], ApprovalRecord>(
    `SELECT * FROM approval WHERE user = ? AND name = ? AND kind IN ('plan', 'schedule')
       AND state IN ('approved', 'used') AND card <> ''
     ORDER BY decided_at DESC, created_at DESC LIMIT 1`,
  )
  const insert = db.prepare<ApprovalRecord>(
    `INSERT INTO approval (id, subject, kind, user, name, request, schedule, step, digest, card,
       title, created_at, expires_at, state, decided_at, statement, key, batch, batch_of, voided_at)
     VALUES (:id, :subject, :kind, :user, :name, :request, :schedule, :step, :digest, :card,
       :title, :created_at, :expires_at, :state, :decided_at, :statement, :key, :batch, :batch_of,
       :voided_at)`,
  )
  const put = db.prepare<Decision>(
    `UPDATE approval SET state = :state, decided_at = :decided_at, statement = :statement,
       key = :key, batch_of = :batch_of WHERE id = :id`,
  )
  // What an approved schedule covers is on its card, for as long as it stands.
  const forget = db.prepare<[number, number]>(
    `UPDATE approval SET card = '' WHERE id IN (
       SELECT id FROM approval WHERE card <> ''
         AND coalesce(voided_at, decided_at, expires_at) < ?
         AND NOT (kind = 'schedule' AND voided_at IS NULL AND state IN ('approved', 'used'))
       LIMIT ?)`,
  )
  const voidAll = db.prepare<[number, string]>(
    'UPDATE approval SET voided_at = ? WHERE schedule = ? AND voided_at IS NULL',
  )
  return {
    approval: (id: string) => one.get(id),
    /** The present question about it, whatever became of it. */
    approvalOf: (subject: string) => latest.get(subject),
    /** When it was last asked about, also what is gone since. */
    lastAskedAbout: (subject: string) => newestOf.get(subject) ?? 0,
    /** Asked since then, the oldest first. */
    approvalsOf: (user: string, since: number): readonly ApprovalHead[] => ofUser.all(user, since),
    /** What is asked about a request now, the oldest first, the first hundred of them. */
    openApprovals: (request: string, now: number): readonly ApprovalHead[] =>
      openOf.all(request, now, 100),
    approvalsOfBatch: (batch: string): readonly ApprovalRecord[] => ofBatch.all(batch),
    /** The list that was approved for this expansion of the loop, and used by it. */
    usedList: (request: string, step: string, rerun: number) => {
      const key = `list:${request}:${step}:${rerun}:`
      return usedList.get(request, key, key)
    },
    /** Of the same name, for the same user: what a person approved last. */
    lastApproved: (user: string, name: string) => lastApproved.get(user, name),
    insertApproval: (record: ApprovalRecord) => {
      insert.run(record)
    },
    putDecision: ({ id, state, decided_at, statement, key, batch_of }: ApprovalRecord) => {
      put.run({ id, state, decided_at, statement, key, batch_of })
    },
    /** Of questions that were over before then, at most so many at once. How many those were. */
    forgetCards: (before: number, most: number): number => {
      // Else what a person was shown stays readable in the file until its pages are used again.
      db.pragma('secure_delete = ON')
      try {
        return forget.run(before, most).changes
      } finally {
        db.pragma('secure_delete = OFF')
      }
    },
    voidApprovals: (schedule: string, at: number) => {
      voidAll.run(at, schedule)
    },
  }
}

type Decision = Pick<
  ApprovalRecord,
  'id' | 'state' | 'decided_at' | 'statement' | 'key' | 'batch_of'
>

function grantTable(db: NotaryDatabase) {
  const use = db.prepare<[string], ApprovalUse>('SELECT * FROM approval_use WHERE idem = ?')
  const insertUse = db.prepare<ApprovalUse>(
    `INSERT INTO approval_use (idem, approval, grant_id, statement, at)
     VALUES (:idem, :approval, :grant_id, :statement, :at)`,
  )
  const one = db.prepare<[string], GrantRecord>('SELECT * FROM approval_grant WHERE id = ?')
  const ofStep = db.prepare<[string, string, string], GrantRecord>(
    `SELECT * FROM approval_grant WHERE user = ? AND recipe = ? AND step = ? AND revoked_at IS NULL
     ORDER BY created_at, id`,
  )
  const ofUser = db.prepare<[string], GrantRecord>(
    'SELECT * FROM approval_grant WHERE user = ? AND revoked_at IS NULL ORDER BY created_at, id',
  )
  const insert = db.prepare<GrantRecord>(
    `INSERT INTO approval_grant (id, approval, statement, user, recipe, name, step, action, matter,
       per, count, created_at, expires_at, revoked_at)
     VALUES (:id, :approval, :statement, :user, :recipe, :name, :step, :action, :matter, :per,
       :count, :created_at, :expires_at, :revoked_at)`,
  )
  const revoke = db.prepare<[number, string]>(
    'UPDATE approval_grant SET revoked_at = ? WHERE id = ?',
  )
  const uses = db
    .prepare<[string, number], number>(
      'SELECT count(*) FROM approval_use WHERE grant_id = ? AND at > ?',
    )
    .pluck()
  const lastUse = db
    .prepare<[string], number | null>('SELECT max(at) FROM approval_use WHERE grant_id = ?')
    .pluck()
  return {
    /** What covered an effect that was authorised. */
    approvalUse: (idem: string) => use.get(idem),
    insertApprovalUse: (record: ApprovalUse) => {
      insertUse.run(record)
    },
    grant: (id: string) => one.get(id),
    /** Not revoked; some may have expired. */
    grantsFor: (user: string, recipe: string, step: string): readonly GrantRecord[] =>
      ofStep.all(user, recipe, step),
    grantsOf: (user: string): readonly GrantRecord[] => ofUser.all(user),
    insertGrant: (record: GrantRecord) => {
      insert.run(record)
    },
    revokeGrant: (id: string, at: number) => {
      revoke.run(at, id)
    },
    grantUses: (id: string, since: number) => uses.get(id, since) ?? 0,
    lastGrantUse: (id: string) => lastUse.get(id) ?? null,
  }
}
