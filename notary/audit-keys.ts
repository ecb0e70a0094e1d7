// Which keys have signed this log, and from which row on; empty until the first rotation. Commits with
// the row that names the key, so that after a crash the notary knows which of two key files is the one
// in force without reading audit rows.

import { z } from 'zod'
import type { KeyPeriod } from '../security/audit/key-chain.ts'
import { type PublicJwk, publicJwkSchema } from '../security/verify/keys.ts'
import type { NotaryDatabase } from './database.ts'

export interface AuditKeys {
  all(): readonly KeyPeriod[]
  /** Inside the transaction of the row, whose number is `from`. */
  replace(keys: { readonly before: PublicJwk; readonly key: PublicJwk }, from: number): void
}

const stored = z.object({ first_row: z.number(), key: z.string() })

/** The table is made where it is missing: a log that was never rotated is the same log without it. */
export function createAuditKeys(db: NotaryDatabase): AuditKeys {
  db.exec(`CREATE TABLE IF NOT EXISTS audit_key (
    first_row INTEGER PRIMARY KEY, key TEXT NOT NULL
  ) STRICT`)
  const all = db.prepare('SELECT first_row, key FROM audit_key ORDER BY first_row')
  const add = db.prepare('INSERT INTO audit_key (first_row, key) VALUES (?, ?)')
  return {
    all: () =>
      all.all().map((row) => {
        const { first_row, key } = stored.parse(row)
        return { key: publicJwkSchema.parse(JSON.parse(key)), from: first_row }
      }),
    replace({ before, key }, from) {
      if (all.get() === undefined) add.run(0, JSON.stringify(before))
      add.run(from, JSON.stringify(key))
    },
  }
}
