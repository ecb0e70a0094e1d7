// The store alone, on a real SQLite file: what it guards, what it promises on commit, and what it
// makes of a damaged file.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { NewEntry } from '../../notary/chain.ts'
import { openDatabase, StoreError } from '../../notary/database.ts'
import { type AuditStore, openStore } from '../../notary/store.ts'
import {
  type Checkpoint,
  createHeadSealer,
  isGenuineCheckpoint,
  signCheckpoint,
} from '../../security/audit/checkpoint.ts'
import { appendLeaf, emptyTree, treeRoot } from '../../security/audit/tree.ts'
import { createDocumentSigner, createDocumentVerifier } from '../../security/verify/document.ts'
import { generateKeyPairJwk } from '../../security/verify/keys.ts'

const audit = await generateKeyPairJwk()
const seal = await createHeadSealer(audit.privateJwk)
const verify = await createDocumentVerifier(audit.publicJwk)

let folder: string
let now: number
const stores: AuditStore[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-store-'))
  now = 1_800_000_000_000
})

afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()))
  rmSync(folder, { recursive: true })
})

function open(options: { readonly maxPages?: number } = {}): AuditStore {
  const clock = { now: () => now }
  const store = openStore({ folder, clock, seal, reserveBytes: 4_096, ...options })
  stores.push(store)
  return store
}

async function close(store: AuditStore): Promise<void> {
  stores.splice(stores.indexOf(store), 1)
  await store.close()
}

/** Edits the file behind the notary's back, guards dropped, as its owner could. */
function tamper(sql: string): void {
  const db = new Database(join(folder, 'audit.db'))
  db.exec('DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete')
  db.exec(sql)
  db.close()
}

const entry = (subject: string): NewEntry => ({
  kind: 'life-cycle',
  actor: 'test',
  subject,
  correlation: 'r-1',
  trace: '',
  body: { event: 'tested' },
})

const append = (store: AuditStore, subject: string) =>
  store.commit('fact', (writer) => writer.append(entry(subject)))

/** More than 60 pages hold. */
const appendTooMuch = (store: AuditStore) =>
  store.commit('fact', (writer) => {
    for (let n = 0; n < 2_000; n += 1) writer.append(entry('much'))
  })

describe('the file', () => {
  it('is opened with the settings that durability and the guards rest on', () => {
    const db = openDatabase(join(folder, 'audit.db'))
    const setting = (name: string) => db.pragma(name, { simple: true })
    expect(setting('journal_mode')).toBe('wal')
    expect(setting('synchronous')).toBe(2)
    expect(setting('trusted_schema')).toBe(0)
    expect(setting('recursive_triggers')).toBe(1)
    expect(setting('cell_size_check')).toBe(1)
    db.close()
  })

  it.each([
    ['an update', "UPDATE audit SET body = '{}' WHERE seq = 1"],
    ['a deletion', 'DELETE FROM audit WHERE seq = 1'],
    ['a replacement', 'INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE seq = 1'],
    [
      'an upsert',
      "INSERT INTO audit SELECT * FROM audit WHERE 1 ON CONFLICT DO UPDATE SET body=''",
    ],
    ['a replacing update', 'UPDATE OR REPLACE audit SET seq = 2 WHERE seq = 1'],
    ['a changed checkpoint', "UPDATE checkpoint SET root = 'x'"],
    ['a deleted checkpoint', 'DELETE FROM checkpoint'],
    ['a replaced checkpoint', 'INSERT OR REPLACE INTO checkpoint SELECT * FROM checkpoint'],
  ])('refuses %s of what was recorded', async (_, sql) => {
    const store = open()
    await append(store, 'a')
    await append(store, 'b')
    await store.keepCheckpoint(store.head())
    await close(store)
    const db = openDatabase(join(folder, 'audit.db'))
    expect(() => db.exec(sql)).toThrow(/never/)
    db.close()
  })

  it('is refused when it is not a database', async () => {
    const store = open()
    await append(store, 'a')
    await close(store)
    writeFileSync(join(folder, 'audit.db'), Buffer.alloc(64 * 1024, 7))
    expect(() => open()).toThrow(StoreError)
  })
})

describe('a commit', () => {
  it('chains rows and grows the tree that their leaves make', async () => {
    const store = open()
    const rows = [await append(store, 'a'), await append(store, 'b'), await append(store, 'c')]
    expect(rows.map((row) => row.seq)).toEqual([1, 2, 3])
    expect(rows[1]?.prev).toBe(rows[0]?.leaf)
    const tree = rows.reduce((grown, row) => appendLeaf(grown, row.leaf), emptyTree())
    expect(store.head()).toMatchObject({ size: 3, root: treeRoot(tree) })
    expect([...store.rows({ from: 2, limit: 10 })].map((row) => row.subject)).toEqual(['b', 'c'])
  })

  it('has the audit key sign every row that it makes durable, in the same transaction', async () => {
    const store = open()
    const reader = new Database(join(folder, 'audit.db'), { readonly: true })
    for (const subjects of [['a'], ['b', 'c', 'd'], ['e']]) {
      await Promise.all(subjects.map((subject) => append(store, subject)))
      const tip = reader.prepare<[], Checkpoint>('SELECT size, root, at, jws FROM tip').get()
      expect(tip).toEqual(store.head())
      expect(tip?.size).toBe(store.size())
      expect(tip && (await isGenuineCheckpoint(tip, verify))).toBe(true)
    }
    expect(reader.prepare('SELECT count(*) FROM tip').pluck().get()).toBe(1)
    reader.close()
  })

  it('signs as the rest of the code would, byte for byte', async () => {
    const head = { size: 7, root: treeRoot(emptyTree()), at: now }
    const sign = await createDocumentSigner(audit.privateJwk)
    expect(seal(head)).toEqual(await signCheckpoint(head, sign))
  })

  it('signs the same size again when the transaction that had it failed', async () => {
    const store = open({ maxPages: 60 })
    await append(store, 'a')
    await Promise.allSettled([append(store, 'b'), appendTooMuch(store)])
    await append(store, 'c')
    expect(store.head()).toMatchObject({ size: 2 })
  })

  it('undoes only the job that throws, in rows, in the chain and in the state', async () => {
    const store = open()
    const failing = store.commit('fact', (writer) => {
      writer.append(entry('lost'))
      writer.state.putReplica({ agent: 'a', n: 0, boot_epoch: 'epoch', running: 1 })
      throw new RangeError('a bug')
    })
    const results = await Promise.allSettled([append(store, 'a'), failing, append(store, 'b')])
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect([...store.rows({ from: 1, limit: 10 })].map((row) => row.subject)).toEqual(['a', 'b'])
    expect(store.state.replica('a', 0)).toBeUndefined()
    await close(store)
    expect(open().size()).toBe(2)
  })

  it('is on disk for other readers once it resolves, and not before', async () => {
    const store = open()
    const pending = append(store, 'a')
    const reader = new Database(join(folder, 'audit.db'), { readonly: true })
    const count = reader.prepare('SELECT count(*) FROM audit').pluck()
    expect(count.get()).toBe(0)
    await pending
    expect(count.get()).toBe(1)
    reader.close()
  })

  it('fails every job of its batch when it cannot be written, and keeps the chain', async () => {
    const store = open({ maxPages: 60 })
    await append(store, 'a')
    const batch = [append(store, 'b'), appendTooMuch(store), append(store, 'c')]
    for (const result of await Promise.allSettled(batch)) {
      expect(result).toMatchObject({ status: 'rejected', reason: { code: 'AUDIT_UNAVAILABLE' } })
    }
    expect(store.size()).toBe(1)
    const row = await append(store, 'd')
    expect(row.seq).toBe(2)
  })

  it('refuses effects and still records facts once the disk was full', async () => {
    const store = open({ maxPages: 60 })
    await appendTooMuch(store).catch(() => undefined)
    const effect = () => store.commit('effect', (writer) => writer.append(entry('effect')))
    await expect(effect()).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' })
    await append(store, 'fact')
    const rows = [...store.rows({ from: 1, limit: 10 })]
    expect(rows.map((row) => row.subject)).toEqual(['notary', 'fact'])
    expect(rows[0]?.body).toContain('DISK_FULL')
    // The reserve fits again, so after a moment effects are allowed.
    now += 2_000
    await expect(effect()).resolves.toMatchObject({ subject: 'effect' })
  })
})

describe('the clock', () => {
  it('stops everything when it is more than two seconds behind the last row', async () => {
    const store = open()
    await append(store, 'a')
    now -= 2_001
    await expect(append(store, 'b')).rejects.toMatchObject({ code: 'CLOCK_BACKWARDS' })
    now += 1
    const row = await append(store, 'c')
    expect(row.at).toBe(1_800_000_000_000)
  })

  it('is compared with the last row after a restart too', async () => {
    const store = open()
    await append(store, 'a')
    await close(store)
    now -= 60_000
    await expect(append(open(), 'b')).rejects.toMatchObject({ code: 'CLOCK_BACKWARDS' })
  })
})

describe('a damaged file', () => {
  async function fill(checkpointed: boolean): Promise<void> {
    const store = open()
    for (const subject of ['a', 'b', 'c', 'd']) await append(store, subject)
    if (checkpointed) await store.keepCheckpoint(store.head())
    await close(store)
  }

  it('opens when a row in the middle was altered, and goes on', async () => {
    await fill(true)
    tamper(`UPDATE audit SET body = '{"event":"forged"}' WHERE seq = 2`)
    expect((await append(open(), 'e')).seq).toBe(5)
  })

  it('opens and says so when a leaf no longer agrees with the last checkpoint', async () => {
    await fill(true)
    tamper(`UPDATE audit SET leaf = '${'B'.repeat(43)}' WHERE seq = 2`)
    const store = open()
    expect(store.damaged).toBe(true)
    expect((await append(store, 'e')).seq).toBe(5)
  })

  it('opens when the last row was altered and the signed head vouches for its leaf', async () => {
    await fill(false)
    tamper(`UPDATE audit SET body = '{"event":"forged"}' WHERE seq = 4`)
    expect(open().damaged).toBe(true)
  })

  it.each([
    ['rows follow the signed head', false, 'UPDATE tip SET size = 3'],
    ['the signed head is gone', false, 'DELETE FROM tip'],
    [
      'the last leaf was altered',
      true,
      `UPDATE audit SET leaf = '${'B'.repeat(43)}' WHERE seq = 4`,
    ],
    ['a row is missing', false, 'DELETE FROM audit WHERE seq = 2'],
    ['the tail below a checkpoint is cut off', true, 'DELETE FROM audit WHERE seq = 4'],
  ])('is not opened, and not held, when %s', async (_, checkpointed, sql) => {
    await fill(checkpointed)
    tamper(sql)
    expect(() => open()).toThrow(expect.objectContaining({ code: 'AUDIT_UNAVAILABLE' }))
    // SQLite removes its log when the last connection is closed.
    expect(readdirSync(folder)).not.toContain('audit.db-wal')
  })
})
