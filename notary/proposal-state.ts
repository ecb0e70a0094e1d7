// What was proposed for requests in words: which proposals were judged, and the one that was accepted.
// Rows in, rows out; no rule lives here. The words themselves are a column of the request: whoever judges
// its plan needs them.

import type { NotaryDatabase } from './database.ts'

/** Made by the migration to version 9. */
export const proposalTables = `
  ALTER TABLE request ADD COLUMN words TEXT;
  CREATE TABLE proposal (
    request TEXT NOT NULL REFERENCES request (id), hash TEXT NOT NULL, accepted INTEGER NOT NULL,
    at INTEGER NOT NULL, PRIMARY KEY (request, hash)
  ) STRICT, WITHOUT ROWID;
`

export interface ProposalRecord {
  readonly request: string
  /** SHA-256 of its bytes. */
  readonly hash: string
  /** 1: its plan is the one of the request from then on. */
  readonly accepted: 0 | 1
  readonly at: number
}

export function createProposalState(db: NotaryDatabase) {
  const all = db.prepare<[string], ProposalRecord>('SELECT * FROM proposal WHERE request = ?')
  const insert = db.prepare<ProposalRecord>(
    'INSERT INTO proposal (request, hash, accepted, at) VALUES (:request, :hash, :accepted, :at)',
  )
  const fix = db.prepare<[string, string, string]>(
    'UPDATE request SET digest = ?, plan = ? WHERE id = ?',
  )
  return {
    /** At most as many as are judged for one request. */
    proposalsOf: (request: string): readonly ProposalRecord[] => all.all(request),
    insertProposal: (record: ProposalRecord) => {
      insert.run(record)
    },
    /** Of a request in words, once: the plan that it is held to. */
    fixPlan: (request: string, { digest, planText }: { digest: string; planText: string }) => {
      fix.run(digest, planText, request)
    },
  }
}
