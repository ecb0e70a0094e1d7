// A ledger that a newer release wrote is refused as what it is, and left alone.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { databaseFile, LedgerError, markerFile, openLedgerFile } from '../../agents/ledger-file.ts'
import { parseSealingKey } from '../../agents/ledger-seal.ts'

const key = parseSealingKey('A'.repeat(43))
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-ledger-'))
  writeFileSync(join(folder, markerFile), 'mine')
})

afterEach(() => rmSync(folder, { recursive: true }))

const open = () => openLedgerFile({ folder, id: 'mine', key, maxBytes: 1024 * 1024 }).close()

function setVersion(version: number): void {
  const db = new Database(join(folder, databaseFile))
  db.prepare('UPDATE meta SET version = ?').run(version)
  db.close()
}

it.each([
  [2, 'NEWER', /start the newer release/],
  [0, 'CORRUPT', /description/],
] as const)('a ledger of version %i is refused as %s, and opens again as it was', (...row) => {
  const [version, reason, message] = row
  open()
  setVersion(version)
  const refused = expect.objectContaining({ reason, message: expect.stringMatching(message) })
  expect(open).toThrow(LedgerError)
  expect(open).toThrow(refused)
  setVersion(1)
  open()
})
