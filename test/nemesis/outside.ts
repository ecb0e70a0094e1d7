// What the outside world saw, and what ledgers and notary have of it, once everything is quiet.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readDatabase, readNotes } from '../support/state-on-disk.ts'
import { countsFile } from '../support/test-agent/manifest.ts'
import type { World } from './judge.ts'
import type { Job } from './workload.ts'

export function readWorld(state: string, jobs: readonly Job[]): World {
  const effects = new Map(
    query<{ request: string; idem: string }>(
      join(state, 'notary', 'audit.db'),
      `SELECT request, idem FROM effect WHERE step = 'act' AND kind = 'do'`,
    ).map(({ request, idem }) => [request, idem]),
  )
  const ledger = new Map(
    ['notes.0', 'test.0'].flatMap((replica) =>
      query<{ idem: string; state: string }>(
        join(state, 'agents', replica, 'ledger', 'ledger.db'),
        'SELECT idem, state FROM effects',
      ).map((row) => [row.idem, row.state] as const),
    ),
  )
  const notes = readNotes(state)
  const lines = readFileSync(join(state, 'counts', countsFile), 'utf8').split('\n')
  const jobOf = new Map(jobs.map((job) => [job.requestId, job]))
  return {
    times(requestId) {
      const job = jobOf.get(requestId)
      if (job?.kind === 'append') return notes.split(`${job.title} `).length - 1
      const idem = effects.get(requestId)
      return lines.filter((line) => line === idem).length
    },
    ledger: (requestId) => ledger.get(effects.get(requestId) ?? ''),
  }
}

function query<T>(file: string, sql: string): readonly T[] {
  return readDatabase(file, (database) => database.prepare<[], T>(sql).all())
}
