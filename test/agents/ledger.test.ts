// The ledger's table of transitions, and what it must refuse: replays, conflicts, a volume that is
// lost, foreign, damaged or full.

import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Claim, type Ledger, type LedgerOptions, openLedger } from '../../agents/ledger.ts'
import {
  databaseFile,
  LedgerError,
  type LedgerReason,
  markerFile,
  openLedgerFile,
} from '../../agents/ledger-file.ts'
import { parseSealingKey } from '../../agents/ledger-seal.ts'

const key = parseSealingKey('A'.repeat(43))
const otherKey = parseSealingKey(`${'B'.repeat(42)}A`)
let folder: string
let open: Ledger[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-ledger-'))
  writeFileSync(join(folder, markerFile), 'mine\n')
  open = []
})
afterEach(() => {
  for (const ledger of open) ledger.close()
  rmSync(folder, { recursive: true, force: true })
})

const start = (options: Partial<LedgerOptions> = {}): Ledger => {
  const ledger = openLedger({ folder, id: 'mine', key, ...options })
  open.push(ledger)
  return ledger
}
/** What was under way stays as it is: only opening settles it. */
const stop = (): void => {
  for (const ledger of open.splice(0)) ledger.close()
}
const restart = (): Ledger => {
  stop()
  return start()
}
const reasonOf = (work: () => unknown): LedgerReason | 'none' => {
  try {
    work()
    return 'none'
  } catch (error) {
    if (error instanceof LedgerError) return error.reason
    throw error
  }
}

let attempts = 0
const claim = (change: Partial<Claim> = {}): Claim => {
  attempts += 1
  return {
    jti: `jti-${attempts}`,
    refusedFrom: 32_000,
    idem: 'effect',
    argsHash: 'args',
    action: 'append',
    repeatable: false,
    alive: false,
    now: 1_000,
    ...change,
  }
}
const done = { status: 'DONE', result: '{"title":"dentist"}', receipt: 'a.b.c' } as const
const failed = (retry: 'absent' | 'final' | 'ask') =>
  ({ status: 'FAILED', code: 'CONFLICT', retry, receipt: 'a.b.c' }) as const

const execute = (ledger: Ledger, change: Partial<Claim> = {}) => {
  const { idem } = claim(change)
  expect(ledger.reserve(claim(change))).toEqual({ status: 'RESERVED' })
  ledger.markExecuting(idem, 1_000)
}

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
    start().close()
    open = []
    const file = openLedgerFile({ folder, id: 'mine', key, maxBytes: 1024 * 1024 })
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
    const bytes = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1'))
    expect(bytes.join('')).not.toMatch(/dentist|plumber/)
    stop()
    const database = new Database(join(folder, databaseFile))
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

describe('an empty ledger is new or missing, never both', () => {
  it('new: created where the marker holds its id, and the marker is gone afterwards', () => {
    start()
    expect(existsSync(join(folder, markerFile))).toBe(false)
  })

  it('missing: refused where there is no marker', () => {
    rmSync(join(folder, markerFile))
    expect(reasonOf(start)).toBe('MISSING')
    expect(existsSync(join(folder, databaseFile))).toBe(false)
  })

  it('missing: refused when the database was deleted later', () => {
    execute(start())
    stop()
    rmSync(join(folder, databaseFile))
    expect(reasonOf(start)).toBe('MISSING')
  })

  it('foreign: refused where the marker or the database holds another id', () => {
    expect(reasonOf(() => start({ id: 'yours' }))).toBe('FOREIGN')
    start()
    stop()
    expect(reasonOf(() => start({ id: 'yours' }))).toBe('FOREIGN')
  })

  it('finishes a creation that a crash cut off before the database was whole', () => {
    writeFileSync(join(folder, databaseFile), 'SQLite format 3\0 and no more')
    writeFileSync(join(folder, `${databaseFile}-wal`), 'torn')
    expect(start().reserve(claim())).toEqual({ status: 'RESERVED' })
    expect(existsSync(join(folder, markerFile))).toBe(false)
  })

  it('keeps a whole database beside which a crash has left the marker', () => {
    const ledger = start()
    execute(ledger)
    ledger.record('effect', done, 1_000)
    stop()
    writeFileSync(join(folder, markerFile), 'mine')
    expect(start().reserve(claim())).toEqual(done)
    expect(existsSync(join(folder, markerFile))).toBe(false)
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
    const file = join(folder, databaseFile)
    const bytes = readFileSync(file)
    bytes.fill(0x5a, 4_096 * 3, 4_096 * 3 + 200)
    writeFileSync(file, bytes)
    expect(reasonOf(start)).toBe('CORRUPT')
  })

  it('when only bytes are damaged that opening has no need to read', () => {
    const ledger = start()
    for (let at = 0; at < 50; at += 1) execute(ledger, { idem: `effect-${at}` })
    stop()
    const file = join(folder, databaseFile)
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
    truncateSync(join(folder, databaseFile), 5_000)
    expect(reasonOf(start)).toBe('CORRUPT')
    writeFileSync(join(folder, databaseFile), 'x'.repeat(8_192))
    expect(reasonOf(start)).toBe('CORRUPT')
  })
})
