// What the outside world saw, and what ledgers and notary have of it, once everything is quiet. Reads
// copies, so that looking changes nothing.

import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
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
  const notes = textsIn(join(state, 'agents', 'notes', 'data'))
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

function textsIn(folder: string): string {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.md'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('\n')
}

function query<T>(file: string, sql: string): readonly T[] {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-nemesis-'))
  const copy = join(folder, 'copy.db')
  for (const suffix of ['', '-wal']) {
    if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix)
  }
  const database = new Database(copy)
  try {
    return database.prepare<[], T>(sql).all()
  } finally {
    database.close()
    rmSync(folder, { recursive: true })
  }
}
