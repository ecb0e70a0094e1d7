// The ledger's table of transitions, and what it must refuse: replays, conflicts, what does not fit.

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { databaseFile, openLedgerFile } from '../../agents/ledger-file.ts'
import { claim, done, execute, key, reasonOf, useLedger } from '../support/ledger-bench.ts'

const bench = useLedger()
const { start, stop, restart } = bench
const failed = (retry: 'absent' | 'final' | 'ask') =>
  ({ status: 'FAILED', code: 'CONFLICT', retry, receipt: 'a.b.c' }) as const

describe('a ledger answers an attempt', () => {
  it('by reserving an effect that it does not know', () => {
    expect(start().reserve(claim())).toEqual({ status: 'RESERVED' })
  })

  it('with REPLAY for a jti it has seen, whatever effect it names', () => {
    const ledger = start()
    ledger.reserve(claim({ jti: 'same' }))
    expect(ledger.reserve(claim({ jti: 'same' }))).toEqual({ status: 'REFUSED', code: 'REPLAY' })
    const elsewhere = claim({ jti: 'same', idem: 'another' })
    expect(ledger.reserve(elsewhere)).toEqual({ status: 'REFUSED', code: 'REPLAY' })
  })

  it('with REPLAY after a restart too', () => {
    start().reserve(claim({ jti: 'same' }))
    expect(restart().reserve(claim({ jti: 'same' }))).toEqual({ status: 'REFUSED', code: 'REPLAY' })
  })

  it('with IDEM_CONFLICT for other arguments, in every state, and takes that jti', () => {
    const ledger = start()
    execute(ledger)
    const other = claim({ argsHash: 'other' })
    expect(ledger.reserve(other)).toEqual({ status: 'REFUSED', code: 'IDEM_CONFLICT' })
    expect(ledger.reserve(other)).toEqual({ status: 'REFUSED', code: 'REPLAY' })
    ledger.record('effect', done, 1_000)
    const later = claim({ argsHash: 'other', repeatable: true })
    expect(ledger.reserve(later)).toEqual({ status: 'REFUSED', code: 'IDEM_CONFLICT' })
  })

  it('with the stored result and receipt when it is done', () => {
    const ledger = start()
    execute(ledger)
    ledger.record('effect', done, 1_000)
    expect(ledger.reserve(claim())).toEqual(done)
    expect(restart().reserve(claim())).toEqual(done)
  })

  it('by running again a failure that certainly had no effect', () => {
    const ledger = start()
    execute(ledger)
    ledger.record('effect', failed('absent'), 1_000)
    expect(ledger.reserve(claim())).toEqual({ status: 'RESERVED' })
  })

  it.each(['final', 'ask'] as const)('with the stored failure when it says %s', (retry) => {
    const ledger = start()
    execute(ledger)
    ledger.record('effect', failed(retry), 1_000)
    expect(ledger.reserve(claim())).toEqual(failed(retry))
  })

  it('with IN_PROGRESS while this process is at it, reserved, executing or given up', () => {
    const ledger = start()
    ledger.reserve(claim())
    expect(ledger.reserve(claim({ alive: true }))).toEqual({ status: 'IN_PROGRESS' })
    ledger.markExecuting('effect', 1_000)
    expect(ledger.reserve(claim({ alive: true }))).toEqual({ status: 'IN_PROGRESS' })
    ledger.record('effect', { status: 'UNKNOWN' }, 1_000)
    const again = claim({ alive: true, repeatable: true })
    expect(ledger.reserve(again)).toEqual({ status: 'IN_PROGRESS' })
  })

  it('with UNKNOWN for an effect that a lost process was executing', () => {
    execute(start())
    expect(restart().reserve(claim())).toEqual({ status: 'UNKNOWN' })
  })

  it('by running an unknown effect again where that is harmless', () => {
    execute(start())
    expect(restart().reserve(claim({ repeatable: true }))).toEqual({ status: 'RESERVED' })
  })

  it('by forgetting a reservation whose handler had not begun', () => {
    start().reserve(claim())
    expect(restart().reserve(claim())).toEqual({ status: 'RESERVED' })
  })

  it('still with UNKNOWN when the repetition of an unknown effect was lost before it began', () => {
    execute(start())
    restart().reserve(claim({ repeatable: true }))
    expect(restart().reserve(claim())).toEqual({ status: 'UNKNOWN' })
  })

  it('with the truth when an unknown effect was found out later', () => {
    const ledger = start()
    execute(ledger)
    ledger.record('effect', { status: 'UNKNOWN' }, 1_000)
    ledger.record('effect', done, 1_000)
    expect(ledger.reserve(claim())).toEqual(done)
  })
})

describe('a ledger refuses', () => {
  it('to record an outcome of what was not being executed', () => {
    const ledger = start()
    expect(() => ledger.record('effect', done, 1_000)).toThrow('0 rows')
    ledger.reserve(claim())
    expect(() => ledger.record('effect', done, 1_000)).toThrow('0 rows')
  })

  it('to replace an outcome', () => {
    const ledger = start()
    execute(ledger)
    ledger.record('effect', done, 1_000)
    expect(() => ledger.record('effect', failed('absent'), 1_000)).toThrow('0 rows')
  })

  it('an effect whose outcome might not fit, before it runs, and without taking its token', () => {
    const ledger = start({ maxBytes: 1024 * 1024 })
    expect(reasonOf(() => ledger.reserve(claim({ jti: 'first' })))).toBe('FULL')
    stop()
    const roomy = start({ maxBytes: 64 * 1024 * 1024 })
    expect(roomy.reserve(claim({ jti: 'first' }))).toEqual({ status: 'RESERVED' })
  })
})

describe('a ledger keeps', () => {
  it('every commit on disk before it returns', () => {
    start()
    stop()
    const file = openLedgerFile({ folder: bench.folder, id: 'mine', key, maxBytes: 1024 * 1024 })
    const pragma = (name: string) => file.database.pragma(name, { simple: true })
    expect([pragma('journal_mode'), pragma('synchronous')]).toEqual(['wal', 2])
    file.close()
  })

  it('results sealed: no byte of one is in its files, and none can be moved to another effect', () => {
    const ledger = start()
    execute(ledger)
    ledger.record('effect', done, 1_000)
    execute(ledger, { idem: 'other' })
    ledger.record('other', { ...done, result: '{"title":"plumber"}' }, 1_000)
    const bytes = readdirSync(bench.folder).map((name) =>
      readFileSync(join(bench.folder, name), 'latin1'),
    )
    expect(bytes.join('')).not.toMatch(/dentist|plumber/)
    stop()
    const database = new Database(join(bench.folder, databaseFile))
    database.exec(
      `UPDATE effects SET result = (SELECT result FROM effects WHERE idem = 'other') WHERE idem = 'effect'`,
    )
    database.close()
    expect(reasonOf(() => start().reserve(claim()))).toBe('CORRUPT')
  })

  it('a token until no agent would accept it, and no longer', () => {
    const ledger = start()
    ledger.reserve(claim({ jti: 'old', refusedFrom: 32_000 }))
    ledger.prune(31_999)
    expect(ledger.reserve(claim({ jti: 'old' }))).toEqual({ status: 'REFUSED', code: 'REPLAY' })
    ledger.prune(32_000)
    expect(ledger.reserve(claim({ jti: 'old', idem: 'other' }))).toEqual({ status: 'RESERVED' })
  })

  it('effects for 400 days, and unknown ones until a person has decided', () => {
    const ledger = start()
    execute(ledger, { idem: 'known' })
    ledger.record('known', done, 1_000)
    execute(ledger, { idem: 'unknown' })
    ledger.record('unknown', { status: 'UNKNOWN' }, 1_000)
    const days = 24 * 3_600_000
    ledger.prune(399 * days)
    expect(ledger.reserve(claim({ idem: 'known' }))).toEqual(done)
    ledger.prune(401 * days)
    expect(ledger.reserve(claim({ idem: 'known' }))).toEqual({ status: 'RESERVED' })
    expect(ledger.reserve(claim({ idem: 'unknown' }))).toEqual({ status: 'UNKNOWN' })
  })
})
