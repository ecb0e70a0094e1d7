import { describe, expect, it } from 'vitest'
import { auditRowSchema, checkpointSchema } from '../../notary/contract.ts'
import { signCheckpoint, verifyCheckpoint } from '../../security/audit/checkpoint.ts'
import { type AuditRow, genesisHash, hashRow, sealRow } from '../../security/audit/format.ts'
import { emptyTree } from '../../security/audit/tree.ts'
import { type AuditFault, verifyTree } from '../../security/audit/verification.ts'
import { createDocumentSigner, signDocument } from '../../security/verify/document.ts'
import { generateKeyPairJwk } from '../../security/verify/keys.ts'
import { auditKey, createLog, privateJwk, seal } from './audit-log.ts'
import { tokenVectors } from './token-fixture.ts'

const log = await createLog(35)
const held = log.checkpoints.at(-1)
const rowAt = (seq: number): AuditRow => {
  const row = log.rows[seq - 1]
  if (row === undefined) throw new Error('no such row')
  return row
}
const replaced = (seq: number, change: Partial<AuditRow>): AuditRow[] =>
  log.rows.map((row) => (row.seq === seq ? { ...row, ...change } : row))
const resealed = (row: AuditRow): AuditRow => ({ ...row, leaf: hashRow(row) })

async function verify(rows: Iterable<AuditRow>, checkpoints = log.checkpoints) {
  return verifyTree({ rows, checkpoints, auditKey })
}
async function verdict(rows: Iterable<AuditRow>, checkpoints = log.checkpoints) {
  const { ok, firstBadSeq, mismatches } = await verify(rows, checkpoints)
  const what = mismatches.find((mismatch) => mismatch.seq === firstBadSeq)?.what
  return { ok, firstBadSeq, what }
}
const bad = (firstBadSeq: number, what: AuditFault) => ({ ok: false, firstBadSeq, what })

describe('verification of an honest log', () => {
  it('agrees with every row and checkpoint', async () => {
    expect(await verify(log.rows)).toEqual({
      ok: true,
      rows: 35,
      head: held,
      checkpoints: 4,
      witnesses: 0,
      gaps: [],
      mismatches: [],
    })
  })

  it('takes rows and checkpoints in the shape of the contract', () => {
    expect(auditRowSchema.parse(rowAt(1))).toEqual(rowAt(1))
    expect(checkpointSchema.parse(held)).toEqual(held)
  })

  it('accepts an empty log', async () => {
    expect(await verdict([], [])).toEqual({ ok: true, firstBadSeq: undefined, what: undefined })
  })

  it('goes on from where an earlier verification ended', async () => {
    const tree = log.trees[20] ?? emptyTree()
    const from = { tree, prev: rowAt(20).leaf, keys: [{ key: auditKey, from: 0 }] }
    const rest = { checkpoints: log.checkpoints, auditKey, from }
    const rows = log.rows.slice(20)
    expect(await verifyTree({ ...rest, rows })).toMatchObject({ ok: true, rows: 35, head: held })
    const edited = rows.map((row) => (row.seq === 30 ? { ...row, actor: 'x' } : row))
    expect(await verifyTree({ ...rest, rows: edited })).toMatchObject({ firstBadSeq: 30 })
    const skipped = log.rows.slice(21)
    expect(await verifyTree({ ...rest, rows: skipped })).toMatchObject({ firstBadSeq: 21 })
  })

  it('reads rows one at a time and keeps none', async () => {
    let alive = 0
    let mostAlive = 0
    async function* stream(): AsyncGenerator<AuditRow> {
      for (const row of log.rows) {
        alive += 1
        mostAlive = Math.max(mostAlive, alive)
        yield row
        alive -= 1
      }
    }
    const { ok } = await verifyTree({ rows: stream(), checkpoints: log.checkpoints, auditKey })
    expect([ok, mostAlive]).toEqual([true, 1])
  })
})

describe('verification names the first bad row for', () => {
  it.each<[string, Partial<AuditRow>, AuditFault]>([
    ['the body', { body: rowAt(17).body.replace('x', 'y') }, 'LEAF'],
    ['the time', { at: rowAt(17).at + 1 }, 'LEAF'],
    ['the kind', { kind: 'intent' }, 'LEAF'],
    ['the actor', { actor: 'wirker' }, 'LEAF'],
    ['the subject', { subject: 'step-18' }, 'LEAF'],
    ['the correlation', { correlation: 'req-2' }, 'LEAF'],
    ['the trace', { trace: 'x' }, 'LEAF'],
    ['the leaf', { leaf: `B${rowAt(17).leaf.slice(1)}` }, 'LEAF'],
    ['the chain', { prev: rowAt(15).leaf }, 'LEAF'],
    ['the text, to something without a canonical form', { actor: '\ud800' }, 'LEAF'],
  ])('one edit of %s', async (_name, change, what) => {
    expect(await verdict(replaced(17, change))).toEqual(bad(17, what))
  })

  it('an edited number, downwards and upwards', async () => {
    expect(await verdict(replaced(17, { seq: 3 }))).toMatchObject({ ok: false, firstBadSeq: 3 })
    expect(await verdict(replaced(17, { seq: 4_000 }))).toEqual(bad(17, 'SEQ'))
  })

  it('an edit of the first row', async () => {
    expect(await verdict(replaced(1, { body: '{}' }))).toEqual(bad(1, 'LEAF'))
  })

  it('a first row that follows something unseen', async () => {
    const first = resealed({ ...rowAt(1), prev: rowAt(9).leaf })
    expect(await verdict([first, ...log.rows.slice(1)])).toEqual(bad(1, 'PREV'))
  })

  it('two rows that changed places', async () => {
    const rows = [...log.rows]
    rows.splice(16, 2, rowAt(18), rowAt(17))
    expect(await verdict(rows)).toEqual(bad(17, 'SEQ'))
  })

  it('two rows that changed their contents', async () => {
    const rows = [...log.rows]
    rows.splice(16, 2, { ...rowAt(18), seq: 17 }, { ...rowAt(17), seq: 18 })
    expect(await verdict(rows)).toEqual(bad(17, 'LEAF'))
  })

  it('a row deleted from the middle', async () => {
    expect(await verdict(log.rows.filter((row) => row.seq !== 17))).toEqual(bad(17, 'SEQ'))
  })

  it('a row deleted from the middle, the rest renumbered', async () => {
    const rows = log.rows
      .filter((row) => row.seq !== 17)
      .map((row) => (row.seq > 17 ? { ...row, seq: row.seq - 1 } : row))
    expect(await verdict(rows)).toEqual(bad(17, 'LEAF'))
  })

  it('a tail cut off, by the checkpoints stored beside it', async () => {
    expect(await verdict(log.rows.slice(0, 33))).toEqual(bad(34, 'TRUNCATED'))
  })

  it('a tail cut off with its checkpoints, by one held elsewhere', async () => {
    const kept = log.checkpoints.filter((checkpoint) => checkpoint.size <= 30)
    const rows = log.rows.slice(0, 30)
    expect(await verdict(rows, kept)).toMatchObject({ ok: true })
    const result = await verifyTree({
      rows,
      checkpoints: kept,
      auditKey,
      ...(held === undefined ? {} : { head: held }),
    })
    expect(result).toMatchObject({ ok: false, firstBadSeq: 31 })
  })

  it('a log that was emptied', async () => {
    expect(await verdict([])).toEqual(bad(1, 'TRUNCATED'))
  })

  it('a row inserted under a number that exists', async () => {
    const forged = seal(17, rowAt(16).leaf, 'forged')
    for (const at of [16, 17]) {
      const rows = [...log.rows]
      rows.splice(at, 0, forged)
      expect(await verdict(rows)).toMatchObject({ ok: false, firstBadSeq: 17 })
    }
  })

  it.each([1, 3])('%i well sealed rows inserted, the rest renumbered', async (count) => {
    const rows = log.rows.slice(0, 16)
    for (let index = 0; index < count; index += 1) {
      rows.push(seal(17 + index, rows.at(-1)?.leaf ?? '', 'forged'))
    }
    rows.push(...log.rows.slice(16).map((row) => ({ ...row, seq: row.seq + count })))
    expect(await verdict(rows)).toEqual(bad(17, 'INSERTED'))
  })

  it('a row inserted and everything after it sealed again, up to the last checkpoint', async () => {
    const rows = log.rows.slice(0, 16)
    for (let seq = 17; seq <= 36; seq += 1) rows.push(seal(seq, rows.at(-1)?.leaf ?? ''))
    rows[16] = seal(17, rowAt(16).leaf, 'forged')
    for (let seq = 18; seq <= 36; seq += 1) rows[seq - 1] = seal(seq, rows[seq - 2]?.leaf ?? '')
    expect(await verdict(rows)).toEqual(bad(11, 'ROOT'))
  })

  it('a row sealed again with a wrong prev', async () => {
    const row = resealed({ ...rowAt(17), prev: rowAt(15).leaf })
    expect(await verdict(replaced(17, row))).toEqual(bad(17, 'PREV'))
  })

  it('a row sealed again with other content, by the row after it', async () => {
    const row = resealed({ ...rowAt(17), actor: 'x' })
    expect(await verdict(replaced(17, row))).toMatchObject({ ok: false, firstBadSeq: 18 })
  })

  it('the last row sealed again with other content, by the checkpoint', async () => {
    const row = resealed({ ...rowAt(35), actor: 'x' })
    expect(await verdict(replaced(35, row))).toEqual(bad(31, 'ROOT'))
  })

  it('rows appended that nobody signed', async () => {
    const rows = [...log.rows, seal(36, rowAt(35).leaf)]
    expect(await verdict(rows)).toEqual(bad(36, 'UNSIGNED'))
    expect(await verdict(log.rows, [])).toEqual(bad(1, 'UNSIGNED'))
  })

  it('a checkpoint signed with another key', async () => {
    const other = await createDocumentSigner((await generateKeyPairJwk()).privateJwk)
    const forged = await Promise.all(log.checkpoints.map((point) => signCheckpoint(point, other)))
    expect(await verdict(log.rows, [...log.checkpoints.slice(0, 2), ...forged.slice(2)])).toEqual(
      bad(30, 'CHECKPOINT'),
    )
    expect(await verdict(log.rows, forged)).toEqual(bad(10, 'CHECKPOINT'))
  })

  it('a checkpoint whose fields are not the signed ones', async () => {
    const [first, ...others] = log.checkpoints
    if (first === undefined) throw new Error('no checkpoint')
    for (const change of [{ size: 11 }, { root: genesisHash }, { at: 0 }, { jws: 'x' }]) {
      const edited = { ...first, ...change }
      expect(await verdict(log.rows, [edited, ...others])).toMatchObject({ ok: false })
      await expect(verifyCheckpoint(edited, auditKey)).rejects.toMatchObject({ code: 'SIGNATURE' })
    }
    await expect(verifyCheckpoint(first, auditKey)).resolves.toBeUndefined()
  })

  it('a document of another kind in place of a checkpoint', async () => {
    const [first] = log.checkpoints
    if (first === undefined) throw new Error('no checkpoint')
    const { size, root, at } = first
    const jws = await signDocument('bulkhead-receipt+jws', { size, root, at }, privateJwk)
    expect(await verdict(log.rows, [{ ...first, jws }])).toMatchObject(bad(10, 'CHECKPOINT'))
  })

  it('more faults than it lists', async () => {
    const rows = log.rows.map((row) => ({ ...row, actor: 'x', prev: '' }))
    const many = Array.from({ length: 10 }, () => rows).flat()
    const result = await verify(many)
    expect(result.mismatches).toHaveLength(100)
    expect(result.firstBadSeq).toBe(1)
  })
})

describe('a sealed row', () => {
  it('holds no token, wherever the caller put it', () => {
    const { token } = tokenVectors
    const names = { actor: token, subject: token, correlation: token, trace: token }
    const row = sealRow(
      { at: 1, kind: 'security', ...names, body: { note: token, list: [{ token }] } },
      { seq: 1, prev: genesisHash },
    )
    expect(JSON.stringify(row)).not.toContain('eyJ')
    expect(hashRow(row)).toBe(row.leaf)
  })

  it('ignores what else the caller passes as its position', () => {
    const position = { seq: 1, prev: genesisHash, leaf: 'x', extra: 1 }
    const entry = {
      at: 1,
      kind: 'plan' as const,
      actor: 'a',
      subject: 's',
      correlation: '',
      trace: '',
    }
    expect(auditRowSchema.safeParse(sealRow({ ...entry, body: {} }, position)).success).toBe(true)
  })
})
