// The state tables of standing registrations: what a person enabled, when it was not to fire, and which
// times of the past they asked for. Rows in, rows out; written only inside a job of the store, like all
// of state.ts. A removed one leaves no row: what it was is in the audit, and its firings are requests.

import type { NotaryDatabase } from './database.ts'

export interface StandingRecord {
  readonly id: string
  readonly kind: string
  readonly name: string
  readonly user: string
  readonly priority: string
  /** The bytes as the person gave them; compiled again for each firing. */
  readonly source: string
  /** JSON */
  readonly inputs: string
  /** JSON of plan/schedule.ts */
  readonly spec: string
  readonly policy: string
  readonly note: string
  /** Digest of all of the above but the note. */
  readonly content: string
  readonly created_at: number
  /** No firing that was due before it is admitted: added, or resumed last. */
  readonly active_since: number
  readonly paused_at: number | null
}

/** A stretch of time; both ends in milliseconds since the epoch. */
export interface Stretch {
  readonly from_at: number
  readonly to_at: number
}

/** Added to a database of any version: absent, nothing fires. */
export const standingTables = `
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

export interface FiringRow {
  readonly id: string
  readonly created_at: number
}

/** More pauses than this tell nobody anything new. */
const shownPauses = 50

export function createStandingState(db: NotaryDatabase) {
  const one = db.prepare<[string], StandingRecord>('SELECT * FROM standing WHERE id = ?')
  const all = db.prepare<[], StandingRecord>('SELECT * FROM standing ORDER BY id')
  const insert = db.prepare<StandingRecord>(
    `INSERT INTO standing (id, kind, name, user, priority, source, inputs, spec, policy, note,
       content, created_at, active_since, paused_at)
     VALUES (:id, :kind, :name, :user, :priority, :source, :inputs, :spec, :policy, :note,
       :content, :created_at, :active_since, :paused_at)`,
  )
  const pause = db.prepare<[number, string, string]>(
    'UPDATE standing SET paused_at = ?, note = ? WHERE id = ?',
  )
  const resume = db.prepare<[number, string, string]>(
    'UPDATE standing SET paused_at = NULL, active_since = ?, note = ? WHERE id = ?',
  )
  const remove = db.prepare<[string]>('DELETE FROM standing WHERE id = ?')
  const insertPause = db.prepare<[string, number, number]>(
    'INSERT INTO standing_pause (standing, from_at, to_at) VALUES (?, ?, ?)',
  )
  const pauses = db.prepare<[string, number], Stretch>(
    `SELECT from_at, to_at FROM standing_pause WHERE standing = ? ORDER BY from_at DESC LIMIT ?`,
  )
  const insertBackfill = db.prepare<[string, number, number]>(
    'INSERT INTO standing_backfill (standing, from_at, to_at) VALUES (?, ?, ?)',
  )
  const backfilled = db
    .prepare<[string, number, number], number>(
      'SELECT count(*) FROM standing_backfill WHERE standing = ? AND from_at <= ? AND to_at >= ?',
    )
    .pluck()
  // A colon ends the schedule's name, and the semicolon follows the colon.
  const firings = db.prepare<[string, string, number], FiringRow>(
    `SELECT id, created_at FROM request WHERE id > ? || ':' AND id < ? || ';'
     ORDER BY id DESC LIMIT ?`,
  )
  return {
    standing: (id: string) => one.get(id),
    standings: (): readonly StandingRecord[] => all.all(),
    insertStanding: (record: StandingRecord) => {
      insert.run(record)
    },
    pauseStanding: (id: string, at: number, note: string) => {
      pause.run(at, note, id)
    },
    resumeStanding: (
      { id, paused_at }: Pick<StandingRecord, 'id' | 'paused_at'>,
      at: number,
      note: string,
    ) => {
      if (paused_at !== null) insertPause.run(id, paused_at, at)
      resume.run(at, note, id)
    },
    removeStanding: (id: string) => {
      remove.run(id)
    },
    /** The latest, the newest first. */
    pausesOf: (id: string): readonly Stretch[] => pauses.all(id, shownPauses),
    insertBackfill: (id: string, { from_at, to_at }: Stretch) => {
      insertBackfill.run(id, from_at, to_at)
    },
    isBackfilled: (id: string, at: number) => (backfilled.get(id, at, at) ?? 0) > 0,
    /** Requests of its firings, the latest due first. */
    firingsOf: (id: string, limit: number): readonly FiringRow[] =>
      firings.all(`sched:${id}`, `sched:${id}`, limit),
  }
}
