// What notary and ledger have of a run's effects on the test agent.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readDatabase } from './state-on-disk.ts'

export interface SeenEffect {
  readonly idem: string
  /** State of the agent's ledger row, `absent` without one. */
  readonly ledger: string
  /** What the notary has recorded, `open` before it has settled. */
  readonly notary: string
}

/** The first rerun of each step, by its id. */
export function readEffects(state: string, requestId: string): ReadonlyMap<string, SeenEffect> {
  const rows = query<{ step: string; idem: string; notary: string }>(
    join(state, 'notary', 'audit.db'),
    `SELECT step, idem, coalesce(outcome, 'open') AS notary FROM effect
     WHERE request = ? AND kind = 'do' AND rerun = 0`,
    [requestId],
  )
  const file = join(state, 'agents', 'test.0', 'ledger', 'ledger.db')
  const ledger = new Map(
    query<{ idem: string; state: string }>(file, 'SELECT idem, state FROM effects', []).map(
      (row) => [row.idem, row.state],
    ),
  )
  return new Map(
    rows.map(({ step, idem, notary }) => [
      step,
      { idem, notary, ledger: ledger.get(idem) ?? 'absent' },
    ]),
  )
}

function query<T>(file: string, sql: string, values: readonly string[]): readonly T[] {
  if (!existsSync(file)) return []
  return readDatabase(file, (database) => {
    // Whoever makes it may not have come to its tables yet.
    const made = database.prepare('SELECT 1 FROM sqlite_master LIMIT 1').get()
    return made === undefined ? [] : database.prepare<string[], T>(sql).all(...values)
  })
}
