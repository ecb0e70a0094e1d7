// Which ledgers are opened: a volume that is new, lost, foreign, damaged or in use.

import { existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { databaseFile, markerFile } from '../../agents/ledger-file.ts'
import { parseSealingKey } from '../../agents/ledger-seal.ts'
import { claim, done, execute, reasonOf, useLedger } from '../support/ledger-bench.ts'

const otherKey = parseSealingKey(`${'B'.repeat(42)}A`)
const bench = useLedger()
const { start, stop } = bench

describe('an empty ledger is new or missing, never both', () => {
  it('new: created where the marker holds its id, and the marker is gone afterwards', () => {
    start()
    expect(existsSync(join(bench.folder, markerFile))).toBe(false)
  })

  it('missing: refused where there is no marker', () => {
    rmSync(join(bench.folder, markerFile))
    expect(reasonOf(start)).toBe('MISSING')
    expect(existsSync(join(bench.folder, databaseFile))).toBe(false)
  })

  it('missing: refused when the database was deleted later', () => {
    execute(start())
    stop()
    rmSync(join(bench.folder, databaseFile))
    expect(reasonOf(start)).toBe('MISSING')
  })

  it('foreign: refused where the marker or the database holds another id', () => {
    expect(reasonOf(() => start({ id: 'yours' }))).toBe('FOREIGN')
    start()
    stop()
    expect(reasonOf(() => start({ id: 'yours' }))).toBe('FOREIGN')
  })

  it('finishes a creation that a crash cut off before the database was whole', () => {
    writeFileSync(join(bench.folder, databaseFile), 'SQLite format 3\0 and no more')
    writeFileSync(join(bench.folder, `${databaseFile}-wal`), 'torn')
    expect(start().reserve(claim())).toEqual({ status: 'RESERVED' })
    expect(existsSync(join(bench.folder, markerFile))).toBe(false)
  })

  it('keeps a whole database beside which a crash has left the marker', () => {
    const ledger = start()
    execute(ledger)
    ledger.record('effect', done, 1_000)
    stop()
    writeFileSync(join(bench.folder, markerFile), 'mine')
    expect(start().reserve(claim())).toEqual(done)
    expect(existsSync(join(bench.folder, markerFile))).toBe(false)
  })
})

describe('a ledger is not opened', () => {
  it('with another key', () => {
    start()
    stop()
    expect(reasonOf(() => start({ key: otherKey }))).toBe('WRONG_KEY')
  })

  it('while another process has it', () => {
    start()
    expect(reasonOf(start)).toBe('IN_USE')
  })

  it('when its bytes are damaged', () => {
    const ledger = start()
    for (let at = 0; at < 50; at += 1) execute(ledger, { idem: `effect-${at}` })
    stop()
    const file = join(bench.folder, databaseFile)
    const bytes = readFileSync(file)
    bytes.fill(0x5a, 4_096 * 3, 4_096 * 3 + 200)
    writeFileSync(file, bytes)
    expect(reasonOf(start)).toBe('CORRUPT')
  })

  it('when only bytes are damaged that opening has no need to read', () => {
    const ledger = start()
    for (let at = 0; at < 50; at += 1) execute(ledger, { idem: `effect-${at}` })
    stop()
    const file = join(bench.folder, databaseFile)
    const database = new Database(file, { readonly: true })
    const page = database
      .prepare<[], number>(`SELECT rootpage FROM sqlite_schema WHERE name = 'tokens'`)
      .pluck()
      .get()
    database.close()
    const bytes = readFileSync(file)
    bytes.fill(0x5a, 4_096 * ((page ?? 0) - 1) + 8, 4_096 * ((page ?? 0) - 1) + 100)
    writeFileSync(file, bytes)
    expect(reasonOf(start)).toBe('CORRUPT')
  })

  it('when it is cut short or is no database at all', () => {
    execute(start())
    stop()
    truncateSync(join(bench.folder, databaseFile), 5_000)
    expect(reasonOf(start)).toBe('CORRUPT')
    writeFileSync(join(bench.folder, databaseFile), 'x'.repeat(8_192))
    expect(reasonOf(start)).toBe('CORRUPT')
  })
})
