// Checks a snapshot of the audit offline: rows as they come, then what the checkpoints say of them.
// Rows are read once and not kept. A fault names the first row that is bad or, where only a root
// differs, the first that can be. Whatever no genuine checkpoint covers is a fault as well: a chain
// alone is no proof, anyone can extend it. Not found here: what was never recorded, which is
// reconciliation.ts, and a tail cut together with every checkpoint and witness that knew of it.

import { CanonicalJsonError } from '../verify/canonical-json.ts'
import type { Checkpoint } from './checkpoint.ts'
import { type AuditRow, genesisHash, hashRow } from './format.ts'
import { createHeadCheck, type Held, type Position } from './head-check.ts'
import { type KeyPeriod, keyChangeOf, parseTrustedKeys } from './key-chain.ts'
import { appendLeaf, emptyTree, type Tree } from './tree.ts'

/**
 * `SEQ` a row is missing, doubled or out of order · `LEAF` the row's content is not what was sealed ·
 * `PREV` it does not follow the row before · `INSERTED` rows were put before one that was renumbered ·
 * `ROOT` no row is bad by itself, the checkpoint disagrees: `seq` is the first row since the last good
 * checkpoint · `TRUNCATED` a checkpoint knows of this row · `CHECKPOINT` its signature is not that of the
 * audit key for its size: `seq` is its size · `KEY` this row names an audit key that the key before, or
 * the published list, does not vouch for, or it should name another · `UNSIGNED` no genuine checkpoint covers this row · `ROLLED_BACK` a witness
 * knows of this row, or of another log from this row on at the latest, and the log's own checkpoints
 * do not: it is an older copy, or one that was rewritten with the key.
 */
export type AuditFault =
  | 'SEQ'
  | 'LEAF'
  | 'PREV'
  | 'INSERTED'
  | 'ROOT'
  | 'TRUNCATED'
  | 'CHECKPOINT'
  | 'KEY'
  | 'UNSIGNED'
  | 'ROLLED_BACK'

export interface AuditMismatch {
  readonly seq: number
  readonly what: AuditFault
}

export interface AuditVerification {
  readonly ok: boolean
  readonly rows: number
  /** The largest genuine checkpoint that the rows agree with. */
  readonly head: Checkpoint | null
  /** Genuine checkpoints that the rows agree with. */
  readonly checkpoints: number
  /** Witnesses that hold a head which the rows agree with. */
  readonly witnesses: number
  /** Of what was never recorded; filled by those who reconcile. */
  readonly gaps: readonly AuditGap[]
  /** The first 100, in the order found. */
  readonly mismatches: readonly AuditMismatch[]
  /** The smallest `seq` of all faults, listed or not. */
  readonly firstBadSeq?: number
}

/** Something that happened, or was decided, and that a record lacks. */
export interface AuditGap {
  readonly run: string
  readonly step: string
  /** A code of reconciliation.ts. */
  readonly what: string
  /** Which record says so, or lacks it. */
  readonly where: string
}

/** Who keeps heads of the log outside of the notary's reach. */
export interface WitnessMemory {
  readonly name: string
  readonly checkpoints: readonly Checkpoint[]
}

export interface VerificationInput {
  /** In the order of `seq`, as stored; nothing about them is believed. */
  readonly rows: Iterable<AuditRow> | AsyncIterable<AuditRow>
  /** In any order, parsed by the contract's schema. */
  readonly checkpoints: readonly Checkpoint[]
  /**
   * Held apart from the snapshot: the first public JWK, from which the log's own changes of key are
   * followed, or the published list of keys, which is binding as far as it goes.
   */
  readonly auditKey: unknown
  /** A checkpoint kept elsewhere; the rows must reach it. */
  readonly head?: Checkpoint
  readonly witnesses?: readonly WitnessMemory[]
  /** Where an earlier verification ended: `rows` begin after it. Trusted as it is. */
  readonly from?: LogEnd
}

/** Where a verification can be resumed: after the last row read. */
export interface LogEnd {
  readonly tree: Tree
  readonly prev: string
  /** Audit keys up to there. */
  readonly keys: readonly KeyPeriod[]
}

const maxMismatches = 100
/** How many rows back a renumbered row is looked for. */
const insertionWindow = 64

interface Faults {
  readonly add: (seq: number, what: AuditFault) => void
  readonly first: () => number | undefined
  readonly listed: readonly AuditMismatch[]
}

function createFaults(): Faults {
  const listed: AuditMismatch[] = []
  let first: number | undefined
  return {
    listed,
    first: () => first,
    add(seq, what) {
      first = first === undefined ? seq : Math.min(first, seq)
      if (listed.length < maxMismatches) listed.push({ seq, what })
    },
  }
}

/**
 * Bad rows and checkpoints are findings, never errors; a row may even hold values of wrong types.
 * @throws z.ZodError when `auditKey` is neither a public Ed25519 JWK nor a list of them
 */
export async function verifyTree(input: VerificationInput): Promise<AuditVerification> {
  return (await verifyToEnd(input)).verification
}

/** As verifyTree, and says where to go on another time. The end is worth keeping only when `ok`. */
export async function verifyToEnd(
  input: VerificationInput,
): Promise<{ readonly verification: AuditVerification; readonly end: LogEnd }> {
  const faults = createFaults()
  const trusted = parseTrustedKeys(input.auditKey)
  const start = input.from ?? { tree: emptyTree(), prev: genesisHash, keys: trusted.slice(0, 1) }
  const chain = createChainCheck(start.tree.size, start.prev, faults)
  const heads = createHeadCheck({
    held: collectHeads(input),
    trusted,
    known: start.keys,
    size: start.tree.size,
    fault: faults.add,
  })
  let position: Position = { tree: start.tree, names: undefined, intact: true }
  await heads.judge(position)
  for await (const row of input.rows) {
    const tree = appendLeaf(position.tree, chain.check(row))
    position = { tree, names: keyChangeOf(row), intact: chain.intact() }
    if (heads.concerns(position)) await heads.judge(position)
  }
  const { covered } = await heads.finish(chain.lastSeq())
  if (faults.first() === undefined && chain.lastSeq() > covered) faults.add(covered + 1, 'UNSIGNED')
  const { head, agreed, witnesses, keys } = heads.found()
  const firstBadSeq = faults.first()
  const verification = {
    ok: firstBadSeq === undefined,
    rows: position.tree.size,
    head,
    checkpoints: agreed,
    witnesses,
    gaps: [],
    mismatches: faults.listed,
    ...(firstBadSeq === undefined ? {} : { firstBadSeq }),
  }
  return { verification, end: { tree: position.tree, prev: chain.prev(), keys } }
}

function collectHeads({ checkpoints, head, witnesses = [] }: VerificationInput): readonly Held[] {
  return [
    ...checkpoints.map((checkpoint) => ({ checkpoint })),
    ...(head === undefined ? [] : [{ checkpoint: head }]),
    ...witnesses.flatMap(({ name, checkpoints: seen }) =>
      seen.map((checkpoint) => ({ checkpoint, witness: name })),
    ),
  ]
}

/** Judges each row by itself and against the row before; `check` returns the leaf for the tree. */
function createChainCheck(size: number, prevLeaf: string, faults: Faults) {
  let expected = size + 1
  let prev = prevLeaf
  let intact = true
  const recent = new Map<string, number>([[prev, size]])
  const fault = (seq: number, what: AuditFault) => {
    intact = false
    faults.add(seq, what)
  }
  return {
    lastSeq: () => expected - 1,
    prev: () => prev,
    intact: () => intact,
    check(row: AuditRow): string {
      const seq = expected
      if (row.seq === expected) expected += 1
      else {
        // Number(): the column may hold anything.
        const found = Number.isSafeInteger(row.seq) ? row.seq : expected
        fault(Math.max(1, Math.min(expected, found)), 'SEQ')
        expected = Math.max(expected, found + 1)
      }
      const leaf = hashOf(row)
      if (leaf === undefined || leaf !== row.leaf) fault(seq, 'LEAF')
      if (row.prev !== prev) {
        const inserted = findInsertion(row, seq, recent)
        fault(inserted ?? seq, inserted === undefined ? 'PREV' : 'INSERTED')
      }
      // The stored leaf: the next row is judged by what it was chained to.
      prev = row.leaf
      recent.set(prev, seq)
      if (recent.size > insertionWindow) recent.delete(recent.keys().next().value ?? '')
      return leaf ?? genesisHash
    },
  }
}

/** The first inserted row, when this row is intact but for having been moved up by the insertion. */
function findInsertion(
  row: AuditRow,
  seq: number,
  recent: ReadonlyMap<string, number>,
): number | undefined {
  const follows = recent.get(row.prev)
  if (follows === undefined || follows + 1 >= seq) return undefined
  return hashOf({ ...row, seq: follows + 1 }) === row.leaf ? follows + 1 : undefined
}

/** Undefined when the row has no canonical form, which no sealed row lacks. */
function hashOf(row: AuditRow): string | undefined {
  try {
    return hashRow(row)
  } catch (cause) {
    if (cause instanceof CanonicalJsonError) return undefined
    throw cause
  }
}
