// What a person allowed each request, where they did: rows in, rows out. A request without a row has no limit
// of its own. What it has reserved is the sum of the charges of its effects, so both are lowered, given back
// and kept together.

import type { NotaryDatabase } from './database.ts'

/** Made by the migration that schema.ts names. */
export const requestLimitTable = `
  CREATE TABLE request_limit (
    request TEXT PRIMARY KEY REFERENCES request (id),
    deadline INTEGER, max_micro_usd INTEGER
  ) STRICT, WITHOUT ROWID;
`

export interface RequestLimitRecord {
  readonly request: string
  /** Milliseconds since the epoch. */
  readonly deadline: number | null
  readonly max_micro_usd: number | null
}

/** No more than a number of JavaScript holds. */
const most = Number.MAX_SAFE_INTEGER

export function createRequestLimitState(db: NotaryDatabase) {
  const insert = db.prepare<RequestLimitRecord>(
    `INSERT INTO request_limit (request, deadline, max_micro_usd)
     VALUES (:request, :deadline, :max_micro_usd)`,
  )
  const byRequest = db.prepare<[string], RequestLimitRecord>(
    'SELECT request, deadline, max_micro_usd FROM request_limit WHERE request = ?',
  )
  type Reserved = { readonly unit: string; readonly amount: number }
  const reserved = db.prepare<[string, string], Reserved>(
    `SELECT charge.unit AS unit, min(${most}, sum(charge.amount)) AS amount
     FROM effect JOIN charge USING (idem)
     WHERE effect.request IN (SELECT value FROM json_each(?)) AND effect.idem != ?
     GROUP BY charge.unit`,
  )
  return {
    insertRequestLimit: (record: RequestLimitRecord) => {
      insert.run(record)
    },
    requestLimit: (request: string) => byRequest.get(request),
    /** By unit, of all effects of these requests but one. */
    reservedBy: (requests: readonly string[], except: string): readonly Reserved[] =>
      reserved.all(JSON.stringify(requests), except),
  }
}
