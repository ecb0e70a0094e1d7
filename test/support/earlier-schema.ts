// Takes from an audit database what later versions of its schema added, so that a whole deployment
// stands on what an earlier release left. Only where a version added tables or columns and nothing else.

import Database from 'better-sqlite3'

interface Added {
  readonly version: number
  readonly tables: readonly string[]
  /** Of a table that stays. */
  readonly columns?: readonly (readonly [table: string, column: string])[]
}

/** Newest first: what to drop to come below each version. */
const added = [
  { version: 11, tables: ['told'] },
  { version: 10, tables: ['request_limit'] },
  { version: 9, tables: ['proposal'], columns: [['request', 'words']] },
  { version: 8, tables: ['charge', 'budget'] },
  { version: 7, tables: ['usage'] },
  {
    version: 6,
    tables: ['approval_use', 'approval_grant', 'approval'],
    columns: [['request', 'recipe']],
  },
  { version: 5, tables: ['start_time', 'loop'] },
  { version: 4, tables: ['standing_backfill', 'standing_pause', 'standing', 'quarantine'] },
] as const satisfies readonly Added[]

/** @param file of a notary that does not run @throws Error when the file has a version beyond those known here */
export function makeEarlier(file: string, version: 3 | 4): void {
  const db = new Database(file)
  try {
    const now = db.pragma('user_version', { simple: true })
    if (now !== added[0].version) throw new Error(`nobody said how to go back from ${now}`)
    for (const step of added as readonly Added[]) {
      if (step.version <= version) break
      for (const table of step.tables) db.exec(`DROP TABLE ${table}`)
      for (const [table, column] of step.columns ?? []) {
        db.exec(`ALTER TABLE ${table} DROP COLUMN ${column}`)
      }
    }
    db.pragma(`user_version = ${version}`)
  } finally {
    db.close()
  }
}
