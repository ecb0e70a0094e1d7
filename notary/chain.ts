// The end of the audit in memory: next sequence number, previous leaf, compact Merkle range, last
// time. Invariant: it equals what the transaction under way would commit; whoever rolls back puts the
// remembered value back. Nothing here decides anything from the rows' content.

import {
  type AuditEntry,
  type AuditRow,
  genesisHash,
  hashRow,
  sealRow,
} from '../security/audit/format.ts'
import { appendLeaf, emptyTree, type Tree, treeRoot } from '../security/audit/tree.ts'
import { type NotaryDatabase, StoreError } from './database.ts'

/** `trace`: of the message that it came with; absent where none did. */
export type NewEntry = Omit<AuditEntry, 'at' | 'trace'> & Partial<Pick<AuditEntry, 'trace'>>

export interface ChainHead {
  readonly tree: Tree
  /** Leaf hash of the last row. */
  readonly leaf: string
  /** Time of the last row, milliseconds since the epoch. */
  readonly at: number
}

export interface Chain {
  /** What was loaded does not agree with itself; rows can still be appended. */
  readonly damaged: boolean
  head(): ChainHead
  /** Puts a remembered head back after a rollback. */
  reset(head: ChainHead): void
  /**
   * Seals and inserts one row in the transaction under way.
   * @throws StoreError CLOCK_BACKWARDS when `now` lies more than two seconds before the last row
   */
  append(entry: NewEntry, now: number): AuditRow
}

/** Time may step back this much (NTP slews, leap seconds) before nothing is recorded any more. */
const clockToleranceMs = 2_000

export function createChain(db: NotaryDatabase): Chain {
  const insert = db.prepare<AuditRow>(
    `INSERT INTO audit (seq, at, kind, actor, subject, correlation, trace, body, prev, leaf)
     VALUES (:seq, :at, :kind, :actor, :subject, :correlation, :trace, :body, :prev, :leaf)`,
  )
  const loaded = loadHead(db)
  let head = loaded.head
  return {
    damaged: loaded.damaged,
    head: () => head,
    reset: (remembered) => {
      head = remembered
    },
    append: (entry, now) => {
      if (now < head.at - clockToleranceMs) {
        throw new StoreError('CLOCK_BACKWARDS', 'the clock is behind the last audit row')
      }
      // Within the tolerance the last time is repeated, so that times never decrease.
      const at = Math.max(now, head.at)
      const row = sealRow({ trace: '', ...entry, at }, { seq: head.tree.size + 1, prev: head.leaf })
      insert.run(row)
      head = { tree: appendLeaf(head.tree, row.leaf), leaf: row.leaf, at }
      return row
    },
  }
}

/**
 * Rebuilds the range from the stored leaves. A row that was altered is for verification to report,
 * and so is an altered last row whose leaf the signed head vouches for; an end that does not add up
 * would make every later row worthless. Rows beyond the signed head were not written by a notary,
 * which signs in the transaction that appends: going on would put a signature over them.
 * @throws StoreError AUDIT_UNAVAILABLE
 */
export function loadHead(db: NotaryDatabase): {
  readonly head: ChainHead
  /** Something is altered; appending still makes sense. */
  readonly damaged: boolean
} {
  const last = db.prepare<[], AuditRow>('SELECT * FROM audit ORDER BY seq DESC LIMIT 1').get()
  const tip = db.prepare<[], { size: number; root: string }>('SELECT size, root FROM tip').get()
  const kept = db.prepare<[], number>('SELECT coalesce(max(size), 0) FROM checkpoint').pluck().get()
  let tree = emptyTree()
  let vouched = false
  const leaves = db.prepare<[], string>('SELECT leaf FROM audit ORDER BY seq').pluck()
  for (const leaf of leaves.iterate()) {
    tree = appendLeaf(tree, leaf)
    if (tree.size === tip?.size) vouched = treeRoot(tree) === tip.root
  }
  const size = last?.seq ?? 0
  const signed = tip?.size ?? 0
  if (tree.size !== size || Math.max(kept ?? 0, signed) > size) {
    throw new StoreError('AUDIT_UNAVAILABLE', 'rows of the audit are missing')
  }
  if (signed < size) {
    throw new StoreError('AUDIT_UNAVAILABLE', 'the audit has rows that no head was signed over')
  }
  if (last === undefined) return { head: { tree, leaf: genesisHash, at: 0 }, damaged: false }
  const intact = isIntact(last)
  if (!intact && !vouched) {
    throw new StoreError('AUDIT_UNAVAILABLE', 'the end of the audit is damaged')
  }
  return { head: { tree, leaf: last.leaf, at: last.at }, damaged: !(intact && vouched) }
}

function isIntact(row: AuditRow): boolean {
  try {
    return hashRow(row) === row.leaf
  } catch {
    return false
  }
}

/** A size and its root, as a checkpoint states them. */
export function rootOf({ tree }: ChainHead): { readonly size: number; readonly root: string } {
  return { size: tree.size, root: treeRoot(tree) }
}
