// Judges signed heads while rows pass by: each by the key that signs heads of its size, then by the
// root of the rows so far. A row that names a new key counts only under a head of exactly its size that
// the key before signed, and only as the published list knows it. After the first disagreement
// roots only repeat what is known, so only signatures are judged from there on.

import { createDocumentVerifier, type VerifyDocument } from '../verify/document.ts'
import type { PublicJwk } from '../verify/keys.ts'
import { type Checkpoint, isGenuineCheckpoint } from './checkpoint.ts'
import { type KeyPeriod, keyFor } from './key-chain.ts'
import { type Tree, treeRoot } from './tree.ts'
import type { AuditFault } from './verification.ts'

export interface Held {
  readonly checkpoint: Checkpoint
  /** Undefined for the log's own. */
  readonly witness?: string
}

export interface HeadCheckInput {
  /** In any order; of one size those of the log itself first. */
  readonly held: readonly Held[]
  /** What was published: binding as far as it goes. */
  readonly trusted: readonly KeyPeriod[]
  /** Known from an earlier verification, up to `size`. */
  readonly known: readonly KeyPeriod[]
  /** Rows before this one are not seen. */
  readonly size: number
  readonly fault: (seq: number, what: AuditFault) => void
}

/** One position: the tree after a row, and the key that the row names. */
export interface Position {
  readonly tree: Tree
  readonly names: PublicJwk | undefined
  /** No row so far was bad by itself. */
  readonly intact: boolean
}

export interface HeadCheck {
  /** Whether there is anything to judge at this position; asked for each row, so it is cheap. */
  concerns(position: Position): boolean
  judge(position: Position): Promise<void>
  /** After the last row. Returns up to where rows are covered by a genuine head. */
  finish(lastSeq: number): Promise<{ readonly covered: number }>
  readonly found: () => {
    readonly head: Checkpoint | null
    readonly agreed: number
    readonly witnesses: number
    readonly keys: readonly KeyPeriod[]
  }
}

export function createHeadCheck({ held, trusted, known, size, fault }: HeadCheckInput): HeadCheck {
  // Stable: of one size the log's own comes first, and has the first word on what is wrong.
  const waiting = held.toSorted((a, b) => a.checkpoint.size - b.checkpoint.size)
  const pinned = new Map(trusted.map((period) => [period.from, period.key]))
  const lastPinned = trusted.at(-1)?.from ?? 0
  const verifierOf = createVerifiers()
  const keys = [...known]
  const vouching = new Set<string>()
  const largest = { own: 0, any: 0 }
  const agreeing: { head: Checkpoint | null; own: number } = { head: null, own: 0 }
  // Rows before a resumed verification were covered when it ended.
  let covered = size
  let next = 0
  let differs = false
  for (const { key, from } of trusted) {
    const before = keys.find((period) => period.from === from)
    if (from <= size && before?.key.x !== key.x) fault(Math.max(1, from), 'KEY')
  }

  async function isGenuine({ checkpoint, witness }: Held): Promise<boolean> {
    // A period that no row has named yet can be known from the list alone.
    const periods = [...keys, ...trusted.filter(({ from }) => from > (keys.at(-1)?.from ?? 0))]
    const verify = await verifierOf(keyFor(periods, checkpoint.size))
    if (!(await isGenuineCheckpoint(checkpoint, verify))) {
      fault(Math.max(1, checkpoint.size), 'CHECKPOINT')
      return false
    }
    largest.any = Math.max(largest.any, checkpoint.size)
    if (witness === undefined) largest.own = Math.max(largest.own, checkpoint.size)
    return true
  }

  /** True when the rows agree with it. */
  function compare({ checkpoint, witness }: Held, root: string): boolean {
    if (differs) return false
    if (checkpoint.root !== root) {
      fault(covered + 1, witness === undefined ? 'ROOT' : 'ROLLED_BACK')
      differs = true
      return false
    }
    agreeing.head = checkpoint
    if (witness === undefined) agreeing.own += 1
    else vouching.add(witness)
    return true
  }

  /** The row of this number names a key, or was to name one. */
  function follow(seq: number, names: PublicJwk | undefined, vouched: boolean): void {
    const pin = pinned.get(seq)
    const fits = seq > lastPinned || pin?.x === names?.x
    if (names !== undefined && vouched && fits) keys.push({ key: names, from: seq })
    else fault(seq, 'KEY')
  }

  return {
    concerns: ({ tree, names }) =>
      names !== undefined ||
      (tree.size > size && pinned.has(tree.size)) ||
      (waiting[next]?.checkpoint.size ?? Number.POSITIVE_INFINITY) <= tree.size,
    async judge({ tree, names, intact }) {
      let vouched = false
      for (let one = waiting[next]; one && one.checkpoint.size <= tree.size; one = waiting[next]) {
        next += 1
        if (!(await isGenuine(one)) || one.checkpoint.size < tree.size) continue
        vouched = (intact ? compare(one, treeRoot(tree)) : true) || vouched
      }
      // Only now: of several checkpoints of one size each is judged by what lies before it.
      covered = Math.max(covered, agreeing.head?.size ?? 0)
      if (names !== undefined || (tree.size > size && pinned.has(tree.size))) {
        follow(tree.size, names, vouched)
      }
    },
    async finish(lastSeq) {
      for (const one of waiting.slice(next)) await isGenuine(one)
      if (lastSeq < largest.own) fault(lastSeq + 1, 'TRUNCATED')
      else if (lastSeq < largest.any) fault(lastSeq + 1, 'ROLLED_BACK')
      return { covered }
    },
    found: () => ({
      head: agreeing.head,
      agreed: agreeing.own,
      witnesses: vouching.size,
      keys,
    }),
  }
}

/** Imports each key once. */
function createVerifiers(): (key: PublicJwk) => Promise<VerifyDocument> {
  const known = new Map<string, Promise<VerifyDocument>>()
  return (key) => {
    const verifier = known.get(key.x) ?? createDocumentVerifier(key)
    known.set(key.x, verifier)
    return verifier
  }
}
