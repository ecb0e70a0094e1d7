// A log whose audit key changed twice: followed from the first key, held to the published list, and
// each way to bring in a key of one's own, or to go on with one that was retired.

import { describe, expect, it } from 'vitest'
import { type Checkpoint, signCheckpoint } from '../../security/audit/checkpoint.ts'
import { type AuditRow, genesisHash, sealRow } from '../../security/audit/format.ts'
import {
  type KeyPeriod,
  keyChangeOf,
  parseTrustedKeys,
  toKeyChange,
  toPublished,
} from '../../security/audit/key-chain.ts'
import { appendLeaf, emptyTree, type Tree, treeRoot } from '../../security/audit/tree.ts'
import { verifyToEnd, verifyTree } from '../../security/audit/verification.ts'
import { createDocumentSigner } from '../../security/verify/document.ts'
import { generateKeyPairJwk, type PublicJwk } from '../../security/verify/keys.ts'
import { seal } from './audit-log.ts'

async function draw() {
  const { privateJwk, publicJwk } = await generateKeyPairJwk()
  return { jwk: publicJwk, sign: await createDocumentSigner(privateJwk) }
}
const [first, second, third, thief] = [await draw(), await draw(), await draw(), await draw()]
type Key = typeof first

const change = (seq: number, prev: string, key: PublicJwk): AuditRow =>
  sealRow({ at: 1_767_225_600_000 + seq, ...toKeyChange(key) }, { seq, prev })

interface Written {
  readonly rows: readonly AuditRow[]
  readonly checkpoints: readonly Checkpoint[]
}

/** As a notary would write it: heads at every tenth row and at each change, by the key for their size. */
async function write(size: number, changes: Readonly<Record<number, Key>>): Promise<Written> {
  const rows: AuditRow[] = []
  const checkpoints: Checkpoint[] = []
  let tree: Tree = emptyTree()
  let key = first
  for (let seq = 1; seq <= size; seq += 1) {
    const prev = rows.at(-1)?.leaf ?? genesisHash
    const next = changes[seq]
    const row = next === undefined ? seal(seq, prev) : change(seq, prev, next.jwk)
    rows.push(row)
    tree = appendLeaf(tree, row.leaf)
    if (next !== undefined || seq % 10 === 0) {
      checkpoints.push(
        await signCheckpoint({ size: seq, root: treeRoot(tree), at: row.at }, key.sign),
      )
    }
    key = next ?? key
  }
  return { rows, checkpoints }
}

const log = await write(40, { 13: second, 27: third })
const periods: readonly KeyPeriod[] = [
  { key: first.jwk, from: 0 },
  { key: second.jwk, from: 13 },
  { key: third.jwk, from: 27 },
]
const published = toPublished(periods)
const rootAt = (rows: readonly AuditRow[], size: number) =>
  treeRoot(rows.slice(0, size).reduce((tree, row) => appendLeaf(tree, row.leaf), emptyTree()))

async function verdict({ rows, checkpoints }: Written, auditKey: unknown = first.jwk) {
  const { ok, firstBadSeq, mismatches } = await verifyTree({ rows, checkpoints, auditKey })
  return { ok, firstBadSeq, what: mismatches.find(({ seq }) => seq === firstBadSeq)?.what }
}
const good = { ok: true, firstBadSeq: undefined, what: undefined }

describe('a log whose key changed', () => {
  it('verifies from the first key, from any part of the list, and from the whole of it', async () => {
    expect(await verdict(log)).toEqual(good)
    for (const count of [1, 2, 3]) {
      expect(await verdict(log, toPublished(periods.slice(0, count)))).toEqual(good)
    }
  })

  it('verifies as a copy from before a change, with the list from after it', async () => {
    const early = { rows: log.rows.slice(0, 10), checkpoints: log.checkpoints.slice(0, 1) }
    expect(await verdict(early, published)).toEqual(good)
  })

  it('goes on from the middle with the keys known there', async () => {
    const upTo = (size: number) => log.checkpoints.filter((head) => head.size <= size)
    const { end } = await verifyToEnd({
      rows: log.rows.slice(0, 20),
      checkpoints: upTo(20),
      auditKey: first.jwk,
    })
    expect(end.keys).toEqual(periods.slice(0, 2))
    const rest = { rows: log.rows.slice(20), checkpoints: log.checkpoints, from: end }
    expect(await verifyTree({ ...rest, auditKey: published })).toMatchObject({ ok: true, rows: 40 })
    const other = toPublished([
      { key: first.jwk, from: 0 },
      { key: thief.jwk, from: 13 },
    ])
    expect(await verifyTree({ ...rest, auditKey: other })).toMatchObject({ firstBadSeq: 13 })
  })

  it('is not verified by a key that is not its first', async () => {
    expect(await verdict(log, second.jwk)).toEqual({
      ok: false,
      firstBadSeq: 10,
      what: 'CHECKPOINT',
    })
  })
})

describe('a key that nobody vouches for', () => {
  it('is named by its row when no head of that size is signed by the key before', async () => {
    const checkpoints = log.checkpoints.filter(({ size }) => size !== 13)
    expect(await verdict({ ...log, checkpoints })).toMatchObject({ firstBadSeq: 13, what: 'KEY' })
  })

  it('is named by its row when it signs that head itself', async () => {
    const head = { size: 13, root: rootAt(log.rows, 13), at: 1 }
    const own = await signCheckpoint(head, second.sign)
    const checkpoints = log.checkpoints.map((point) => (point.size === 13 ? own : point))
    expect(await verdict({ ...log, checkpoints })).toMatchObject({
      firstBadSeq: 13,
      what: 'CHECKPOINT',
    })
  })

  it('is named by its row when the head before it was only smaller', async () => {
    const rows = [...log.rows.slice(0, 10), change(11, log.rows[9]?.leaf ?? '', thief.jwk)]
    const head = await signCheckpoint({ size: 11, root: rootAt(rows, 11), at: 1 }, thief.sign)
    const forged = { rows, checkpoints: [...log.checkpoints.slice(0, 1), head] }
    expect(await verdict(forged)).toMatchObject({ ok: false, firstBadSeq: 11 })
  })

  it('is named when the key before, stolen, signs another change than the published one', async () => {
    const forged = await write(40, { 13: thief })
    // Whoever has only the first key cannot tell which of two changes was the true one.
    expect(await verdict(forged)).toEqual(good)
    expect(await verdict(forged, published)).toMatchObject({ firstBadSeq: 13, what: 'KEY' })
  })

  it('is named when a stolen key moves a change or leaves it out', async () => {
    const earlier = await write(40, { 9: thief })
    expect(await verdict(earlier, published)).toMatchObject({ firstBadSeq: 9, what: 'KEY' })
    const never = await write(40, {})
    expect(await verdict(never, published)).toMatchObject({ firstBadSeq: 13, what: 'KEY' })
  })
})

describe('a retired key', () => {
  it.each([14, 20, 40])('signs no head of %i rows', async (size) => {
    const head = { size, root: rootAt(log.rows, size), at: 1 }
    const late = await signCheckpoint(head, first.sign)
    expect(await verdict({ ...log, checkpoints: [...log.checkpoints, late] })).toEqual({
      ok: false,
      firstBadSeq: size,
      what: 'CHECKPOINT',
    })
  })

  it('signs no head beyond the end either', async () => {
    const late = await signCheckpoint({ size: 50, root: genesisHash, at: 1 }, first.sign)
    expect(await verdict({ ...log, checkpoints: [...log.checkpoints, late] })).toMatchObject({
      firstBadSeq: 50,
      what: 'CHECKPOINT',
    })
  })

  it('leaves a tail that was cut together with a change to the published list', async () => {
    const cut = { rows: log.rows.slice(0, 24), checkpoints: log.checkpoints }
    expect(await verdict(cut, published)).toMatchObject({ firstBadSeq: 25, what: 'TRUNCATED' })
  })
})

describe('what is no change', () => {
  it('is a row by another, of another kind, or with another body', () => {
    const row = change(5, genesisHash, second.jwk)
    expect(keyChangeOf(row)).toEqual(second.jwk)
    for (const other of [
      { actor: 'supervisor' },
      { kind: 'security' },
      { subject: 'other' },
      { body: '{' },
      { body: '{"event":"audit-key","key":{"kty":"OKP","crv":"Ed25519","x":"short"}}' },
    ]) {
      expect(keyChangeOf({ ...row, ...other })).toBeUndefined()
    }
  })

  it('is a list that is out of order, empty, or does not begin at the beginning', () => {
    expect(parseTrustedKeys(published)).toEqual(periods)
    expect(parseTrustedKeys(first.jwk)).toEqual(periods.slice(0, 1))
    for (const keys of [[], periods.slice(1), periods.toReversed(), [periods[0], periods[0]]]) {
      expect(() => parseTrustedKeys({ keys })).toThrow()
    }
  })
})
