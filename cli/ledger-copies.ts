// What the agents' ledgers say, for reconciliation: ids, states and digests of receipts. Results stay
// sealed, their key is not read. Works on copies, because opening a ledger in place would leave files
// in the agent's only volume and change what its SQLite finds there.

import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { z } from 'zod'
import type { LedgerCopy } from '../security/audit/reconciliation.ts'
import { sha256 } from '../security/verify/hash.ts'
import { copyFromVolume, unmountedVolume } from './ledger-volume.ts'

const replicaName = /^[a-z][a-z0-9-]*\.\d+$/
const effectRow = z.object({
  idem: z.string(),
  action: z.string(),
  state: z.enum(['RESERVED', 'EXECUTING', 'DONE', 'FAILED', 'UNKNOWN']),
  receipt: z.string().nullable(),
})

export interface LedgerCopies {
  readonly ledgers: readonly LedgerCopy[]
  /** Replicas whose ledger cannot be read by this user, or is damaged. */
  readonly unreached: readonly string[]
}

/** Every ledger of the state folder as it is now. */
export function copyLedgers(state: string): LedgerCopies {
  const folder = join(state, 'agents')
  const replicas = existsSync(folder) ? readdirSync(folder).filter((n) => replicaName.test(n)) : []
  const ledgers: LedgerCopy[] = []
  const unreached: string[] = []
  for (const replica of replicas.sort()) {
    try {
      ledgers.push({ replica, effects: readReplica(join(folder, replica)) })
    } catch (cause) {
      if (!(cause instanceof Error)) throw cause
      unreached.push(replica)
    }
  }
  return { ledgers, unreached }
}

/** Tries of copying a file that its owner writes to meanwhile. */
const tries = 5

function readReplica(replica: string): LedgerCopy['effects'] {
  const image = unmountedVolume(replica)
  if (image === undefined) return readCopy(join(replica, 'ledger'))
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-ledger-'))
  try {
    copyFromVolume(image, folder)
    return readCopy(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readCopy(ledger: string): LedgerCopy['effects'] {
  const file = join(ledger, 'ledger.db')
  // Prepared and never started, or lost: either way it knows of no effect. A folder that this user may
  // not read is another matter, and throws.
  if (!existsSync(file)) {
    readdirSync(existsSync(ledger) ? ledger : dirname(ledger))
    return []
  }
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-ledger-'))
  const copy = join(folder, 'ledger.db')
  try {
    for (let left = tries; left > 0; left -= 1) {
      const before = fingerprint(file)
      for (const suffix of ['-wal', '']) copyIfThere(file + suffix, copy + suffix)
      if (fingerprint(file) === before) break
      if (left === 1) throw new Error('the ledger does not keep still')
    }
    return readEffects(copy)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function fingerprint(file: string): string {
  return [file, `${file}-wal`]
    .map((part) => statSync(part, { throwIfNoEntry: false, bigint: true }))
    .map((facts) => (facts === undefined ? '-' : `${facts.size}/${facts.mtimeNs}`))
    .join(' ')
}

function copyIfThere(from: string, to: string): void {
  rmSync(to, { force: true })
  if (existsSync(from)) copyFileSync(from, to)
}

function readEffects(copy: string): LedgerCopy['effects'] {
  const database = new Database(copy)
  try {
    return database
      .prepare('SELECT idem, action, state, receipt FROM effects')
      .all()
      .map((row) => effectRow.parse(row))
      .map((row) => ({ ...row, receipt: row.receipt === null ? null : sha256(row.receipt) }))
  } finally {
    database.close()
  }
}
