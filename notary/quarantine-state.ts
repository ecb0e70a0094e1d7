// The state table of quarantine: which replicas are shut out, since when, by whom and why. Rows in,
// rows out; written only inside a job of the store, like all of state.ts.

import type { NotaryDatabase } from './database.ts'
import type { QuarantineEntry } from './quarantine-contract.ts'

/** Added to a database of any version: absent, nothing is shut out. */
export const quarantineTable = `
  CREATE TABLE IF NOT EXISTS quarantine (
    agent TEXT NOT NULL, n INTEGER NOT NULL, since INTEGER NOT NULL, by TEXT NOT NULL,
    code TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (agent, n)
  ) STRICT;
`

export function createQuarantineState(db: NotaryDatabase) {
  const all = db.prepare<[], QuarantineEntry>('SELECT * FROM quarantine ORDER BY agent, n')
  const one = db.prepare<[string, number], QuarantineEntry>(
    'SELECT * FROM quarantine WHERE agent = ? AND n = ?',
  )
  const insert = db.prepare<QuarantineEntry>(
    `INSERT INTO quarantine (agent, n, since, by, code, reason)
     VALUES (:agent, :n, :since, :by, :code, :reason)`,
  )
  const remove = db.prepare<[string, number]>('DELETE FROM quarantine WHERE agent = ? AND n = ?')
  return {
    quarantines: (): readonly QuarantineEntry[] => all.all(),
    quarantine: (agent: string, n: number) => one.get(agent, n),
    insertQuarantine: (entry: QuarantineEntry) => {
      insert.run(entry)
    },
    removeQuarantine: (agent: string, n: number) => {
      remove.run(agent, n)
    },
  }
}
