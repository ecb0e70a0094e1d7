// `audit.db` of every earlier version under this program: brought up to date with nothing lost, copied
// before, killed on the way, refused where it cannot be done. Verified as a person would.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  copyFileSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDatabase, StoreError } from '../../notary/database.ts'
import { type MigrationPhase, migrate } from '../../notary/migration.ts'
import { migrations } from '../../notary/schema.ts'
import { openStore } from '../../notary/store.ts'
import { createHeadSealer } from '../../security/audit/checkpoint.ts'
import { parseCopyName, schemaVersionOf } from '../../security/state-copy.ts'
import { sha256 } from '../../security/verify/hash.ts'
import { generateKeyPairJwk } from '../../security/verify/keys.ts'
import { runCli } from '../support/cli.ts'
import { makeOldAudit, type OldVersion, oldVersions } from '../support/old-audits.ts'

const audit = await generateKeyPairJwk()
const seal = await createHeadSealer(audit.privateJwk)
const newest = 11
const at = 1_800_000_000_000
const [first, second, third] = oldVersions

let state: string
let file: string

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'bulkhead-migration-'))
  file = join(state, 'notary', 'audit.db')
  for (const folder of ['notary', 'public', 'cli']) mkdirSync(join(state, folder))
  writeFileSync(join(state, 'public', 'audit-key.json'), JSON.stringify(audit.publicJwk))
})

afterEach(() => rmSync(state, { recursive: true }))

const make = (version: OldVersion) => makeOldAudit(file, version, { seal, at })
/** Without SQLite's own, which a reader of a test leaves there. */
const names = () =>
  readdirSync(join(state, 'notary'))
    .filter((name) => !/^audit\.db-(wal|shm)$/.test(name))
    .sort()
const copies = () => names().filter((name) => parseCopyName(name) !== undefined)

function inspect<T>(path: string, look: (db: Database.Database) => T): T {
  const db = new Database(path, { readonly: true })
  try {
    return look(db)
  } finally {
    db.close()
  }
}
const versionOf = (path: string) =>
  inspect(path, (db) => db.pragma('user_version', { simple: true }))
const rowsOf = (path: string) =>
  inspect(path, (db) => db.prepare('SELECT * FROM audit ORDER BY seq').all())
/** Tables, indexes and triggers, in an order that does not depend on which was made first. */
const schemaOf = (path: string) =>
  inspect(path, (db) =>
    db.prepare("SELECT sql FROM sqlite_schema WHERE sql <> '' ORDER BY type, name").pluck().all(),
  )

function open(now = at + 10): void {
  openDatabase(file, { now: () => now }).close()
}

async function verify(): Promise<unknown> {
  const { stdout, stderr } = await runCli(['audit', 'verify', '--state', state, '--json'])
  expect(stdout, stderr).not.toBe('')
  return JSON.parse(stdout)
}

describe('the schema', () => {
  it('has not changed without a new version', () => {
    open()
    // A failure here means: add a step to notary/schema.ts, never edit one, and record the digest of
    // the new version here beside its number.
    expect([versionOf(file), sha256(schemaOf(file).join('\n'))]).toEqual([
      newest,
      'w1G8CqoQaxhP_oVN-O8agrAhc3BJBZMQewA183zpX7Y',
    ])
  })

  it('is a list of steps without a gap', () => {
    expect(migrations.map(({ from }) => from)).toEqual(migrations.map((_, index) => index))
    expect(migrations.map(({ to }) => to)).toEqual(migrations.map((_, index) => index + 1))
  })

  it.each(oldVersions)('is the same for a new file and one of $name', (version) => {
    open()
    const fresh = schemaOf(file)
    renameSync(file, join(state, 'fresh.db'))
    make(version)
    open()
    expect(schemaOf(file)).toEqual(fresh)
  })
})

describe('a file of an earlier version', () => {
  it.each(oldVersions)(
    'of $name keeps its rows, goes on and verifies',
    async (version) => {
      make(version)
      const before = rowsOf(file)
      expect(await verify()).toMatchObject({ ok: true, rows: 6 })
      const clock = { now: () => at + 10 }
      const store = openStore({ folder: join(state, 'notary'), clock, seal, reserveBytes: 4_096 })
      expect(store.damaged).toBe(false)
      expect(store.state.request('r-1')).toMatchObject({ name: 'briefing' })
      await store.commit('fact', ({ append }) =>
        append({
          ...{ kind: 'life-cycle', actor: 'notary', subject: 'notary', correlation: '' },
          ...{ trace: '', body: { event: 'started' } },
        }),
      )
      await store.close()
      expect(rowsOf(file).slice(0, 6)).toEqual(before)
      expect(await verify()).toMatchObject({ ok: true, rows: 7, mismatches: [] })
      // The command is started twice, which takes long where much else is started.
    },
    180_000,
  )

  it('is copied first, readable by nobody else, and the copy is what it was', () => {
    make(second)
    const before = rowsOf(file)
    open()
    const [name = ''] = copies()
    expect(name).toBe('audit.db.v2-20270115T080000.010Z')
    const copy = join(state, 'notary', name)
    const { mode, uid, nlink } = lstatSync(copy)
    expect([mode & 0o777, uid, nlink]).toEqual([0o600, process.getuid?.(), 1])
    expect([versionOf(copy), rowsOf(copy)]).toEqual([2, before])
    expect(schemaVersionOf(readFileSync(copy))).toBe(2)
    expect(versionOf(file)).toBe(newest)
    expect(names()).toEqual(['audit.db', name])
  })

  it('is not copied when it is new or up to date', () => {
    open()
    open()
    expect(names()).toEqual(['audit.db'])
  })

  it('leaves the last two copies, and all that a person put aside', () => {
    const aside = 'audit.db.replaced-v1-20200101T000000.000Z'
    writeFileSync(join(state, 'notary', aside), '')
    const again = join(state, 'again.db')
    make(third)
    copyFileSync(file, again)
    for (const now of [1, 3, 2, 4]) {
      for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
      copyFileSync(again, file)
      open(at + now)
    }
    expect(copies().map((name) => parseCopyName(name))).toEqual([
      { kind: 'replaced', version: 1, at: Date.UTC(2020, 0, 1) },
      { kind: 'before-migration', version: 3, at: at + 3 },
      { kind: 'before-migration', version: 3, at: at + 4 },
    ])
  })

  it('is not touched, nor the copy, where there is one of that name', () => {
    make(third)
    const taken = join(state, 'notary', 'audit.db.v3-20270115T080000.010Z')
    writeFileSync(taken, 'a copy')
    expect(() => open()).toThrow(StoreError)
    expect([readFileSync(taken, 'utf8'), versionOf(file)]).toEqual(['a copy', 3])
    expect(names()).toEqual(['audit.db', 'audit.db.v3-20270115T080000.010Z'])
  })

  it('is as it was, without a copy more, when a step fails', () => {
    make(first)
    const schema = schemaOf(file)
    const db = new Database(file)
    const broken = [...migrations, { from: newest, to: newest + 1, what: 'x', sql: 'CREATE TABLE' }]
    expect(() => migrate(db, { migrations: broken, file, now: () => at })).toThrow(/incomplete/)
    db.close()
    expect([versionOf(file), schemaOf(file), names()]).toEqual([1, schema, ['audit.db']])
  })
})

describe('a file of a later version', () => {
  it('is refused unchanged, with what to do', () => {
    open()
    const db = new Database(file)
    db.pragma(`user_version = ${newest + 1}`)
    db.close()
    expect(() => open()).toThrow(
      expect.objectContaining({
        code: 'AUDIT_UNAVAILABLE',
        message: expect.stringContaining('a newer release'),
        next: expect.stringContaining('npx bulkhead state backups'),
      }),
    )
    expect([versionOf(file), names()]).toEqual([newest + 1, ['audit.db']])
  })
})

const entry = join(import.meta.dirname, '..', 'support', 'migrating-main.ts')

function start(command: readonly string[]): ChildProcess {
  const [program = '', ...args] = command
  return spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
}

describe('a process that is killed', () => {
  it.each<[MigrationPhase, number, number]>([
    ['copying', 1, 0],
    ['copied', 1, 1],
    ['changing', 1, 1],
    ['changed', newest, 1],
  ])('while %s leaves version %i and %i copies, and the next start goes on', async (...row) => {
    const [phase, version, copied] = row
    make(first)
    const rows = rowsOf(file)
    const child = start([process.execPath, entry, file, phase])
    const ended = once(child, 'exit')
    const [line] = await once(child.stdout ?? child, 'data')
    expect(JSON.parse(String(line))).toEqual({ phase })
    child.kill('SIGKILL')
    expect(await ended).toEqual([null, 'SIGKILL'])
    expect(copies()).toHaveLength(copied)
    for (const name of copies()) expect(versionOf(join(state, 'notary', name))).toBe(1)
    expect(versionOf(file)).toBe(version)
    open()
    expect([versionOf(file), rowsOf(file)]).toEqual([newest, rows])
    expect(names().filter((name) => !copies().includes(name))).toEqual(['audit.db'])
    expect(await verify()).toMatchObject({ ok: true, rows: 6 })
  })
})

const canMount = process.platform === 'linux' && process.getuid?.() === 0

describe.skipIf(!canMount)('a full disk', () => {
  it('keeps the file as it was, and says what to free', async () => {
    make(third)
    // Of its own, and gone with the namespace: 1 MiB, of which the file and its log are a part.
    const script = `set -e
      mount -t tmpfs -o size=1m tmpfs "$1/public"; cp "$1/notary/audit.db" "$1/public/"
      dd if=/dev/zero of="$1/public/ballast" bs=4k 2>/dev/null || true
      truncate -s -73728 "$1/public/ballast"
      "$2" "$3" "$1/public/audit.db"; ls "$1/public"
      truncate -s 4096 "$1/public/ballast"; "$2" "$3" "$1/public/audit.db"`
    const words = ['unshare', '-m', 'sh', '-c', script, 'sh', state, process.execPath, entry]
    const child = start(words)
    let said = ''
    child.stdout?.on('data', (chunk: Buffer) => {
      said += chunk.toString()
    })
    await once(child, 'close')
    const [refused = '', ...more] = said.trim().split('\n')
    expect(JSON.parse(refused)).toMatchObject({
      code: 'AUDIT_UNAVAILABLE',
      message: expect.stringContaining('nothing was changed'),
      next: expect.stringContaining('df -h'),
    })
    expect(more.slice(0, -1)).toEqual(['audit.db', 'ballast'])
    expect(JSON.parse(more.at(-1) ?? '')).toEqual({ version: newest })
  })
})
