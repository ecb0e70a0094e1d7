// Going back to a copy of the audit database: what is put in place, what is kept, what is refused.

import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseCopyName, schemaVersionOf, toCopyName } from '../../security/state-copy.ts'
import { claimLock } from '../../supervisor/lock.ts'
import { listCopies, restoreCopy } from '../../supervisor/state-copies.ts'

const at = Date.UTC(2027, 0, 15, 8)
const old = 'audit.db.v3-20270115T080000.000Z'
const aside = 'audit.db.replaced-v4-20270115T080001.000Z'

let state: string
let folder: string
const open: Database.Database[] = []

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-copies-'))
  folder = join(state, 'notary')
  mkdirSync(folder)
})

afterEach(() => {
  for (const db of open.splice(0)) db.close()
  rmSync(state, { recursive: true })
})

function make(name: string, version: number, text: string): Database.Database {
  const db = new Database(join(folder, name))
  db.exec('CREATE TABLE t (a TEXT)')
  db.prepare('INSERT INTO t VALUES (?)').run(text)
  db.pragma(`user_version = ${version}`)
  return db
}

function read(name: string): unknown {
  const db = new Database(join(folder, name), { readonly: true })
  try {
    return db.prepare('SELECT a FROM t').pluck().get()
  } finally {
    db.close()
  }
}

const names = () => readdirSync(folder).sort()
const restore = (name = old) => restoreCopy(state, name, () => at + 1_000)
const refusal = (code: string) => expect.objectContaining({ code })

describe('the name of a copy', () => {
  it.each(['before-migration', 'replaced'] as const)('of kind %s is read as written', (kind) => {
    const copy = { kind, version: 12, at: at + 7 }
    expect(parseCopyName(toCopyName(copy))).toEqual(copy)
  })

  it.each(['audit.db', 'audit.db-wal', `${old}-wal`, `../${old}`, `${old}\n`, 'audit.db.v3-'])(
    'is not %j',
    (name) => expect(parseCopyName(name)).toBeUndefined(),
  )

  it('is not believed about a file that is no database', () => {
    expect(schemaVersionOf(Buffer.alloc(100, 7))).toBeUndefined()
    expect(schemaVersionOf(Buffer.from('SQLite format 3\0'))).toBeUndefined()
  })
})

describe('copies', () => {
  it('are listed, the newest first, and other files are not', () => {
    for (const name of [old, aside, 'audit.db', 'keys.json']) writeFileSync(join(folder, name), 'x')
    const kinds = ['replaced', 'before-migration']
    expect(listCopies(state).map(({ kind }) => kind)).toEqual(kinds)
    expect(listCopies(state)[1]).toEqual({
      ...{ name: old, kind: 'before-migration', version: 3, bytes: 1 },
      at: '2027-01-15T08:00:00.000Z',
    })
    expect(listCopies(join(state, 'elsewhere'))).toEqual([])
  })
})

describe('a restored copy', () => {
  it('is in place, with what was there kept whole beside it, and can be taken back', () => {
    make(old, 3, 'old').close()
    make('audit.db', 4, 'new').close()
    expect(restore()).toEqual({ restored: old, version: 3, replaced: aside })
    expect(['audit.db', old, aside].map(read)).toEqual(['old', 'old', 'new'])
    expect(lstatSync(join(folder, 'audit.db')).mode & 0o777).toBe(0o600)
    expect(names()).toEqual(['audit.db', aside, old])
    expect(existsSync(join(state, 'supervisor', 'restore'))).toBe(false)
    restoreCopy(state, aside, () => at + 2_000)
    expect(read('audit.db')).toBe('new')
  })

  it('takes nothing from rows that a killed notary left in the log', () => {
    make(old, 3, 'old').close()
    const db = make('audit.db', 4, 'before')
    db.pragma('journal_mode = WAL')
    db.exec("UPDATE t SET a = 'in the log'")
    // What lies there after a kill: the file and its log, without whoever wrote them.
    const left = ['audit.db', 'audit.db-wal'].map((name) => readFileSync(join(folder, name)))
    db.close()
    rmSync(join(folder, 'audit.db'))
    left.forEach((bytes, n) => {
      writeFileSync(join(folder, n === 0 ? 'audit.db' : 'audit.db-wal'), bytes)
    })
    restore()
    expect(names()).toEqual(['audit.db', aside, old])
    expect(['audit.db', aside].map(read)).toEqual(['old', 'in the log'])
  })

  it('takes the place of a damaged file too, which is kept with its log', () => {
    make(old, 3, 'old').close()
    writeFileSync(join(folder, 'audit.db'), Buffer.alloc(8_192, 7))
    writeFileSync(join(folder, 'audit.db-wal'), 'log')
    const { replaced } = restore()
    expect(replaced).toBe('audit.db.replaced-v0-20270115T080001.000Z')
    expect(readFileSync(join(folder, `${replaced}-wal`), 'utf8')).toBe('log')
    expect(read('audit.db')).toBe('old')
  })

  it('is put in place where there is no file at all', () => {
    make(old, 3, 'old').close()
    expect(restore().replaced).toBeNull()
    expect(read('audit.db')).toBe('old')
  })

  it('is put in place after a restore that was killed between its last two steps', () => {
    make(old, 3, 'old').close()
    make('audit.db', 4, 'new').close()
    const killed = 'audit.db.replaced-v4-20270115T080000.500Z'
    linkSync(join(folder, 'audit.db'), join(folder, killed))
    restore()
    expect(names()).toEqual(['audit.db', aside, old])
    expect(read(aside)).toBe('new')
  })
})

describe('a restore is refused, and changes nothing,', () => {
  beforeEach(() => {
    make(old, 3, 'old').close()
    make('audit.db', 4, 'new').close()
  })

  afterEach(() => {
    expect(read('audit.db')).toBe('new')
    expect(names().filter((name) => name.includes('replaced'))).toEqual([])
  })

  it('while the platform runs', () => {
    mkdirSync(join(state, 'run'))
    const lock = claimLock(join(state, 'run', 'supervisor.lock'), state)
    expect(() => restore()).toThrow(refusal('ALREADY_RUNNING'))
    lock.release()
  })

  it('while another program is in the middle of something in the file', () => {
    const db = new Database(join(folder, 'audit.db'))
    open.push(db)
    db.pragma('journal_mode = WAL')
    db.exec("UPDATE t SET a = 'new'")
    db.exec('BEGIN IMMEDIATE')
    expect(() => restore()).toThrow(refusal('STATE_UNUSABLE'))
    db.exec('ROLLBACK')
  })

  it.each(['audit.db', 'keys.json', '../notary/audit.db', 'audit.db.v9-20270115T080000.000Z'])(
    'for %s, which is no copy',
    (name) => expect(() => restore(name)).toThrow(refusal('COPY_UNUSABLE')),
  )

  it('for a link, which a notary could point anywhere', () => {
    renameSync(join(folder, old), join(state, 'elsewhere'))
    symlinkSync(join(state, 'elsewhere'), join(folder, old))
    expect(() => restore()).toThrow(refusal('COPY_UNUSABLE'))
  })

  it('for a file with a second name', () => {
    linkSync(join(folder, old), join(state, 'elsewhere'))
    expect(() => restore()).toThrow(refusal('COPY_UNUSABLE'))
  })

  it('for a copy of another version than its name says', () => {
    renameSync(join(folder, old), join(folder, 'audit.db.v2-20270115T080000.000Z'))
    expect(() => restore('audit.db.v2-20270115T080000.000Z')).toThrow(refusal('COPY_UNUSABLE'))
  })

  it('for a damaged copy', () => {
    const bytes = readFileSync(join(folder, old))
    writeFileSync(join(folder, old), bytes.fill(7, 4_096))
    expect(() => restore()).toThrow(refusal('COPY_UNUSABLE'))
  })
})
