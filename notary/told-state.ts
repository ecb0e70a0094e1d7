// What was registered with words of the conversation that they belong to. Rows in, rows out; no rule lives
// here. Written with its request, and never changed.

import type { NotaryDatabase } from './database.ts'
import { type Context, contextSchema } from './handle-contract.ts'

export const toldTable = `
  CREATE TABLE told (
    request TEXT PRIMARY KEY REFERENCES request (id), context TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
`

export function createToldState(db: NotaryDatabase) {
  const one = db.prepare<[string], string>('SELECT context FROM told WHERE request = ?').pluck()
  const insert = db.prepare<[string, string]>('INSERT INTO told (request, context) VALUES (?, ?)')
  return {
    /** The turns before the words of this request, the oldest first; none where they stand alone. */
    turnsBefore: (request: string): Context['turns'] => {
      const text = one.get(request)
      return text === undefined ? [] : contextSchema.parse(JSON.parse(text)).turns
    },
    insertContext: (request: string, context: Context) => {
      insert.run(request, JSON.stringify(context))
    },
  }
}
