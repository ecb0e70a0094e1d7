// The folders of one test agent, as a supervisor would leave them: a new ledger volume with its marker,
// and the mount whose file counts the agent's effects.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { markerFile } from '../../agents/ledger-file.ts'
import { parseSealingKey } from '../../agents/ledger-seal.ts'
import { countsFile } from './test-agent/manifest.ts'

/** 32 zero bytes. */
export const ledgerKey = parseSealingKey('A'.repeat(43))
export const ledgerId = 'ledger-of-this-test'

export interface TestHome {
  readonly folder: string
  readonly ledger: string
  /** One line an effect: its id. */
  effects(): readonly string[]
  /** The ledger's rows, read beside whoever has it open. */
  rows(): readonly Readonly<Record<string, unknown>>[]
  remove(): void
}

/** A folder with a new ledger volume and a mount, as a supervisor would leave it. */
export function createHome(): TestHome {
  const folder = mkdtempSync(join(tmpdir(), 'bulkhead-agent-'))
  const ledger = join(folder, 'ledger')
  mkdirSync(ledger)
  mkdirSync(join(folder, 'data/counts'), { recursive: true })
  writeFileSync(join(ledger, markerFile), ledgerId)
  writeFileSync(join(folder, 'data/counts', countsFile), '')
  return openHome(folder)
}

/** The same folder, found again by another process. */
export function openHome(folder: string): TestHome {
  const ledger = join(folder, 'ledger')
  return {
    folder,
    ledger,
    effects: () =>
      readFileSync(join(folder, 'data/counts', countsFile), 'utf8')
        .split('\n')
        .slice(0, -1),
    rows() {
      const database = new Database(join(ledger, 'ledger.db'), { readonly: true })
      try {
        return database
          .prepare<[], Record<string, unknown>>('SELECT idem, state, code, retry FROM effects')
          .all()
      } finally {
        database.close()
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
