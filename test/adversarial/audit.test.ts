// L01 to L10: an audit that a real notary wrote, and what its owner or a thief could do to the file. The
// verifier must name the first bad row, or the first missing one, and the notary must not go on where
// it cannot record.

import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { auditRowSchema } from '../../notary/contract.ts'
import { openDatabase } from '../../notary/database.ts'
import { openStore } from '../../notary/store.ts'
import {
  type Checkpoint,
  createHeadSealer,
  signCheckpoint,
} from '../../security/audit/checkpoint.ts'
import { sealRow } from '../../security/audit/format.ts'
import { toKeyChange } from '../../security/audit/key-chain.ts'
import { appendLeaf, emptyTree, treeRoot } from '../../security/audit/tree.ts'
import { verifyTree } from '../../security/audit/verification.ts'
import { createDocumentSigner } from '../../security/verify/document.ts'
import { generateKeyPairJwk, toPublicJwk } from '../../security/verify/keys.ts'
import { createHarness, type Harness } from '../notary/harness.ts'
import { append, list, twoWrites } from '../notary/plans.ts'
import { createCaseTable } from '../support/case-table.ts'

const table = createCaseTable('audit, in the hands of the owner of its file')
const base = mkdtempSync(join(tmpdir(), 'bulkhead-audit-'))
const original = join(base, 'original')
const checkpointsSchema = z.array(
  z.object({ size: z.number(), root: z.string(), at: z.number(), jws: z.string() }),
)
let harness: Harness
/** Kept elsewhere, over all rows. */
let held: Checkpoint
let size: number
let copies = 0

beforeAll(async () => {
  mkdirSync(original)
  harness = await createHarness({ folder: original })
  for (let n = 0; n < 6; n++) {
    const run = await harness.run(twoWrites, { requestId: `r-${n}` })
    await run.perform('read', list, { items: [], first: null })
    await run.authorize('first', append('a'))
    await harness.notary.tick()
    harness.clock.time += 1_000
  }
  const head = await harness.notary.head('worker', {})
  if (head.status !== 'HEAD') throw new Error(JSON.stringify(head))
  held = head.checkpoint
  size = harness.rows().length
  expect(size).toBeGreaterThan(20)
  await harness.store.close()
})
afterAll(() => {
  table.print()
  rmSync(base, { recursive: true, force: true })
})

/** A copy of the files, changed by whoever owns them. */
function tampered(sql: string): string {
  copies += 1
  const folder = join(base, `copy-${copies}`)
  cpSync(original, folder, { recursive: true })
  const db = new Database(join(folder, 'audit.db'))
  const triggers = db.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").pluck()
  for (const name of triggers.all()) db.exec(`DROP TRIGGER ${name}`)
  db.exec(sql)
  db.close()
  return folder
}

async function verify(folder: string, more: { readonly head?: Checkpoint } = {}) {
  const db = new Database(join(folder, 'audit.db'), { readonly: true })
  try {
    return await verifyTree({
      rows: z.array(auditRowSchema).parse(db.prepare('SELECT * FROM audit ORDER BY seq').all()),
      checkpoints: checkpointsSchema.parse(
        db.prepare('SELECT size, root, at, jws FROM checkpoint').all(),
      ),
      auditKey: toPublicJwk(harness.keys.audit),
      ...more,
    })
  } finally {
    db.close()
  }
}

async function expectNamed(
  id: string,
  what: string,
  verifying: ReturnType<typeof verify>,
  wanted: { readonly seq: number; readonly fault: string },
): Promise<void> {
  const found = await verifying
  expect(found.ok).toBe(false)
  expect(found.firstBadSeq).toBe(wanted.seq)
  const faults = found.mismatches.map((fault) => fault.what)
  expect(faults).toContain(wanted.fault)
  table.add(id, what, 'verifier', `${wanted.fault} at row ${wanted.seq}`)
}

describe('the verifier', () => {
  it('finds nothing wrong with what nobody touched', async () => {
    expect(await verify(tampered('SELECT 1'), { head: held })).toMatchObject({
      ok: true,
      rows: size,
    })
  })

  it('L01 names an edited row', async () => {
    for (const column of ['body', 'actor', 'subject', 'kind', 'correlation']) {
      const folder = tampered(`UPDATE audit SET ${column} = ${column} || 'x' WHERE seq = 7`)
      await expectNamed('L01', `one ${column} edited`, verify(folder), { seq: 7, fault: 'LEAF' })
    }
  })

  it('L01 names a row that was edited and sealed again', async () => {
    const [before, row] = harnessRows().slice(5, 7)
    if (before === undefined || row === undefined) throw new Error('rows')
    const { seq, prev, body, at, actor, subject, correlation, trace } = row
    const entry = { at, actor, subject, correlation, trace }
    const changed = { ...JSON.parse(body), forged: true }
    const sealed = sealRow({ ...entry, kind: 'security', body: changed }, { seq, prev })
    const folder = tampered(
      `UPDATE audit SET kind = 'security', body = '${sealed.body.replaceAll("'", "''")}', leaf = '${sealed.leaf}' WHERE seq = ${seq}`,
    )
    const next = { seq: seq + 1, fault: 'PREV' }
    await expectNamed('L01', 'one row edited and sealed again', verify(folder), next)
  })

  it('L02 names swapped rows', async () => {
    const folder = tampered(
      'UPDATE audit SET seq = -1 WHERE seq = 9; UPDATE audit SET seq = 9 WHERE seq = 10; UPDATE audit SET seq = 10 WHERE seq = -1',
    )
    await expectNamed('L02', 'two rows swapped', verify(folder), { seq: 9, fault: 'LEAF' })
  })

  it('L03 names a missing row in the middle', async () => {
    const folder = tampered('DELETE FROM audit WHERE seq = 11')
    await expectNamed('L03', 'one row deleted', verify(folder), { seq: 11, fault: 'SEQ' })
    const moved = tampered(
      'DELETE FROM audit WHERE seq = 11; UPDATE audit SET seq = -(seq - 1) WHERE seq > 11; UPDATE audit SET seq = -seq WHERE seq < 0',
    )
    await expectNamed('L03', 'deleted, the rest moved up', verify(moved), {
      seq: 11,
      fault: 'LEAF',
    })
  })

  it('L04 names the first row of a tail that was cut, against a checkpoint kept elsewhere', async () => {
    const cut = `DELETE FROM audit WHERE seq > ${size - 3}; DELETE FROM checkpoint WHERE size > ${size - 3}`
    const folder = tampered(cut)
    const wanted = { seq: size - 2, fault: 'TRUNCATED' }
    await expectNamed('L04', 'the tail cut', verify(folder, { head: held }), wanted)
  })

  it('L05 names the first missing row after an old copy came back', async () => {
    const old = tampered(`DELETE FROM audit WHERE seq > 12; DELETE FROM checkpoint WHERE size > 12`)
    const wanted = { seq: 13, fault: 'TRUNCATED' }
    await expectNamed('L05', 'rolled back to row 12', verify(old, { head: held }), wanted)
  })

  it('L06 is spared INSERT OR REPLACE by the connection of the notary', () => {
    const folder = tampered('SELECT 1')
    cpSync(join(original, 'audit.db'), join(folder, 'audit.db'))
    const db = openDatabase(join(folder, 'audit.db'))
    const columns = 'seq, at, kind, actor, subject, correlation, trace, body, prev, leaf'
    for (const sql of [
      `INSERT OR REPLACE INTO audit (${columns}) SELECT ${columns} FROM audit WHERE seq = 5`,
      `REPLACE INTO audit (${columns}) SELECT ${columns} FROM audit WHERE seq = 5`,
      `UPDATE audit SET body = '{}' WHERE seq = 5`,
      'DELETE FROM audit WHERE seq = 5',
      'INSERT OR REPLACE INTO checkpoint SELECT * FROM checkpoint',
    ]) {
      expect(() => db.exec(sql), sql).toThrow(/never (changed|replaced|deleted)/)
    }
    db.close()
    table.add('L06', 'INSERT OR REPLACE, UPDATE, DELETE', 'trigger', 'SQLITE_CONSTRAINT_TRIGGER')
  })

  it('L07 names a checkpoint of another key, also over a consistent forgery', async () => {
    const { privateJwk } = await generateKeyPairJwk()
    const sign = await createDocumentSigner(privateJwk)
    const kept = harnessRows().slice(0, 10)
    const tree = kept.reduce((sofar, row) => appendLeaf(sofar, row.leaf), emptyTree())
    const forged = await signCheckpoint({ size: 10, root: treeRoot(tree), at: 1 }, sign)
    const folder = tampered(
      `DELETE FROM audit WHERE seq > 10; DELETE FROM checkpoint;
       INSERT INTO checkpoint (size, root, at, jws) VALUES (10, '${forged.root}', 1, '${forged.jws}')`,
    )
    await expectNamed('L07', 'a forged checkpoint', verify(folder), {
      seq: 10,
      fault: 'CHECKPOINT',
    })
  })

  it('L07 names a checkpoint that a retired key signs for later rows', async () => {
    const folder = tampered('SELECT 1')
    const rotated = openStore({
      folder,
      clock: harness.clock,
      seal: await createHeadSealer(harness.keys.audit),
      reserveBytes: 4_096,
    })
    const { privateJwk, publicJwk } = await generateKeyPairJwk()
    const seal = await createHeadSealer(privateJwk)
    const before = toPublicJwk(harness.keys.audit)
    await rotated.replaceAuditKey({ before, key: publicJwk, seal })
    await rotated.commit('fact', (writer) => writer.append({ ...toKeyChange(before), body: {} }))
    await rotated.keepCheckpoint(rotated.head())
    const { size: last, root } = rotated.head()
    await rotated.close()
    expect(await verify(folder)).toMatchObject({ ok: true, rows: size + 2 })
    const sign = await createDocumentSigner(harness.keys.audit)
    const head = await signCheckpoint({ size: last, root, at: 1 }, sign)
    await expectNamed('L07', 'a checkpoint by a retired key', verify(folder, { head }), {
      seq: last,
      fault: 'CHECKPOINT',
    })
  })

  it('L07 names a change of key that the key before did not sign', async () => {
    const { privateJwk, publicJwk } = await generateKeyPairJwk()
    const rows = harnessRows()
    const at = harness.clock.now()
    const prev = rows.at(-1)?.leaf ?? ''
    const row = sealRow({ ...toKeyChange(publicJwk), at }, { seq: size + 1, prev })
    const tree = [...rows, row].reduce((sofar, { leaf }) => appendLeaf(sofar, leaf), emptyTree())
    const sign = await createDocumentSigner(privateJwk)
    const head = await signCheckpoint({ size: size + 1, root: treeRoot(tree), at }, sign)
    const columns = Object.values(row).map((value) => `'${value}'`)
    const folder = tampered(
      `INSERT INTO audit (${Object.keys(row).join(', ')}) VALUES (${columns.join(', ')})`,
    )
    await expectNamed('L07', 'a change to a key of its own', verify(folder, { head }), {
      seq: size + 1,
      fault: 'KEY',
    })
  })

  it('L07 takes no rows that no checkpoint covers', async () => {
    const folder = tampered('DELETE FROM checkpoint')
    await expectNamed('L07', 'no checkpoint at all', verify(folder), { seq: 1, fault: 'UNSIGNED' })
  })
})

const harnessRows = () => {
  const db = new Database(join(original, 'audit.db'), { readonly: true })
  try {
    return z.array(auditRowSchema).parse(db.prepare('SELECT * FROM audit ORDER BY seq').all())
  } finally {
    db.close()
  }
}

const canMount = process.platform === 'linux' && process.getuid?.() === 0
if (!canMount) console.warn('skipped: L10 (mounting a file system needs root on Linux)')

describe.skipIf(!canMount)('a disk that others have filled', () => {
  it('L10 gives no token, and says why', async () => {
    const disk = mkdtempSync(join(tmpdir(), 'bulkhead-full-'))
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk])
    const folder = join(disk, 'notary')
    mkdirSync(folder)
    const full = await createHarness({ folder, reserveBytes: 512 * 1024 })
    try {
      const run = await full.run(twoWrites)
      await run.token('read', list)
      try {
        writeFileSync(join(disk, 'filler'), Buffer.alloc(8 * 1024 * 1024, 1))
      } catch {
        // Written as far as it goes: that is the point.
      }
      // What the file had to spare is used up by refusals first.
      await expect
        .poll(() => run.authorize('first', { note: 'wrong' }), { interval: 0, timeout: 30_000 })
        .toMatchObject({ status: 'DENIED', code: 'AUDIT_UNAVAILABLE' })
      const asked = await run.authorize('first', append('a'))
      expect(asked).toMatchObject({ status: 'DENIED', code: 'AUDIT_UNAVAILABLE' })
      expect(full.rows().at(-1)?.body).toContain('DISK_FULL')
      table.add('L10', 'authorise on a full disk', 'notary', 'AUDIT_UNAVAILABLE')
    } finally {
      await full.close()
      execFileSync('umount', [disk])
      rmSync(disk, { recursive: true, force: true })
    }
  })
})
