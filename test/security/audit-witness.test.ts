// The witness's file: what it adds, what it refuses, and what a crash or a stranger leaves in it;
// and what verification makes of what witnesses remember.

import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Checkpoint, signCheckpoint } from '../../security/audit/checkpoint.ts'
import { genesisHash } from '../../security/audit/format.ts'
import { appendLeaf, emptyTree, treeRoot } from '../../security/audit/tree.ts'
import { verifyTree } from '../../security/audit/verification.ts'
import { readWitness, witnessHead } from '../../security/audit/witness.ts'
import { auditKey, createLog, seal, sign } from './audit-log.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-witness-'))
  file = join(folder, 'witness', 'worker.jsonl')
})
afterEach(() => rmSync(folder, { recursive: true }))

const head = (size: number, root = `root-${size}`): Checkpoint => ({ size, root, at: 1, jws: 'x' })

it('remembers each head of a growing log, for its owner alone', () => {
  expect(readWitness(file)).toEqual([])
  expect([1, 5, 9].map((size) => witnessHead(file, head(size)))).toEqual([
    'GROWN',
    'GROWN',
    'GROWN',
  ])
  expect(readWitness(file)).toEqual([head(1), head(5), head(9)])
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

it('adds a head once', () => {
  witnessHead(file, head(5))
  const text = readFileSync(file, 'utf8')
  expect(witnessHead(file, head(5))).toBe('SAME')
  expect(readFileSync(file, 'utf8')).toBe(text)
})

it('refuses a smaller tree, and another root of the same size', () => {
  witnessHead(file, head(5))
  witnessHead(file, head(9))
  const text = readFileSync(file, 'utf8')
  expect(witnessHead(file, head(7))).toBe('SMALLER')
  expect(witnessHead(file, head(5))).toBe('SMALLER')
  expect(witnessHead(file, head(9, 'other'))).toBe('OTHER_ROOT')
  expect(witnessHead(file, head(5, 'other'))).toBe('OTHER_ROOT')
  expect(readFileSync(file, 'utf8')).toBe(text)
})

it('goes on after a line that a crash cut short', () => {
  witnessHead(file, head(5))
  appendFileSync(file, '{"size":9,"root":"ro')
  expect(witnessHead(file, head(12))).toBe('GROWN')
  expect(readWitness(file)).toEqual([head(5), head(12)])
})

it('takes nothing for a head that is none', () => {
  witnessHead(file, head(5))
  appendFileSync(file, 'null\n[]\n{"size":"9","root":"r","at":1,"jws":"x"}\n{"size":-1}\n')
  expect(readWitness(file)).toEqual([head(5)])
})

it('knows the largest tree also after its file was set aside for length', () => {
  witnessHead(file, head(5))
  appendFileSync(file, `${'x'.repeat(5 * 1024 * 1024)}\n`)
  expect(witnessHead(file, head(9))).toBe('GROWN')
  expect(witnessHead(file, head(7))).toBe('SMALLER')
  witnessHead(file, head(11))
  expect(statSync(file).size).toBeLessThan(1_024)
  expect(readWitness(file).at(-1)).toEqual(head(11))
  expect(witnessHead(file, head(9))).toBe('SMALLER')
})

const log = await createLog(35)

describe('a witness', () => {
  const memory = (name: string, ...checkpoints: Checkpoint[]) => ({ name, checkpoints })
  const at = (size: number): Checkpoint => {
    const found = log.checkpoints.find((checkpoint) => checkpoint.size === size)
    if (found === undefined) throw new Error('no such checkpoint')
    return found
  }
  const judge = (size: number, ...witnesses: ReturnType<typeof memory>[]) =>
    verifyTree({
      rows: log.rows.slice(0, size),
      checkpoints: log.checkpoints.filter((checkpoint) => checkpoint.size <= size),
      auditKey,
      witnesses,
    })

  it('is counted when the log agrees with what it remembers', async () => {
    const both = [memory('worker', at(10), at(30)), memory('cli', at(35))]
    expect(await judge(35, ...both)).toMatchObject({ ok: true, witnesses: 2, checkpoints: 4 })
    expect(await judge(35, memory('worker'))).toMatchObject({ ok: true, witnesses: 0 })
  })

  it('finds an old copy of the log, which is whole and signed in itself', async () => {
    expect(await judge(20)).toMatchObject({ ok: true })
    expect(await judge(20, memory('worker', at(10), at(30)))).toMatchObject({
      ok: false,
      firstBadSeq: 21,
      mismatches: [{ seq: 21, what: 'ROLLED_BACK' }],
    })
  })

  it('finds an old copy that went on otherwise under the same key', async () => {
    const rows = log.rows.slice(0, 20)
    let tree = log.trees[20] ?? emptyTree()
    const checkpoints = [at(10), at(20)]
    for (let seq = 21; seq <= 40; seq += 1) {
      const row = seal(seq, rows.at(-1)?.leaf ?? genesisHash, 'another')
      rows.push(row)
      tree = appendLeaf(tree, row.leaf)
      if (seq % 10 === 0)
        checkpoints.push(
          await signCheckpoint({ size: seq, root: treeRoot(tree), at: row.at }, sign),
        )
    }
    expect(await verifyTree({ rows, checkpoints, auditKey })).toMatchObject({ ok: true })
    const witnesses = [memory('worker', at(30))]
    expect(await verifyTree({ rows, checkpoints, auditKey, witnesses })).toMatchObject({
      ok: false,
      witnesses: 0,
      firstBadSeq: 21,
      mismatches: [{ seq: 21, what: 'ROLLED_BACK' }],
    })
  })

  it('cannot be made to say something that the audit key never signed', async () => {
    const forged = { ...at(30), size: 50 }
    expect(await judge(35, memory('worker', forged))).toMatchObject({
      ok: false,
      mismatches: [{ seq: 50, what: 'CHECKPOINT' }],
    })
  })
})
