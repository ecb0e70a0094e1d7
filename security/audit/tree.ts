// The Merkle tree of RFC 6962, section 2.1, as a compact range: one hash for each one-bit of the
// size, so that appending needs a handful of hashes and no earlier row. Pure; the tree is plain JSON
// and can be stored beside the rows. Proofs of inclusion are not made here.

import { createHash, hash } from 'node:crypto'
import { z } from 'zod'

/** `peaks[0]` is the largest perfect subtree; base64url SHA-256. */
export interface Tree {
  readonly size: number
  readonly peaks: readonly string[]
}

const leafPrefix = Uint8Array.of(0x00)
const nodePrefix = Uint8Array.of(0x01)

export function emptyTree(): Tree {
  return { size: 0, peaks: [] }
}

/** RFC 6962: SHA-256(0x00 || data). The prefix keeps a leaf from being read as a node. */
export function leafHash(data: string | Uint8Array): string {
  return createHash('sha256').update(leafPrefix).update(data).digest('base64url')
}

function nodeHash(left: string, right: string): string {
  return createHash('sha256')
    .update(nodePrefix)
    .update(left, 'base64url')
    .update(right, 'base64url')
    .digest('base64url')
}

/** `leaf` is a leaf hash. Returns a new tree. */
export function appendLeaf(tree: Tree, leaf: string): Tree {
  const peaks = [...tree.peaks]
  let carried = leaf
  // Each trailing one-bit of the size is a perfect subtree as large as the one being carried.
  for (let size = tree.size; size % 2 === 1; size = Math.floor(size / 2)) {
    const left = peaks.pop()
    if (left === undefined) throw new Error('tree has fewer peaks than its size says')
    carried = nodeHash(left, carried)
  }
  peaks.push(carried)
  return { size: tree.size + 1, peaks }
}

/** Base64url root; that of the empty tree is SHA-256 of nothing. */
export function treeRoot(tree: Tree): string {
  if (tree.peaks.length === 0) return hash('sha256', '', 'base64url')
  return tree.peaks.reduceRight((right, left) => nodeHash(left, right))
}

export const treeSchema = z
  .strictObject({
    size: z.number().int().min(0),
    peaks: z.array(z.string().regex(/^[A-Za-z0-9_-]{43}$/)).max(53),
  })
  .refine((tree) => tree.peaks.length === countOnes(tree.size), 'peaks do not fit the size')

export function serializeTree(tree: Tree): string {
  return JSON.stringify({ size: tree.size, peaks: tree.peaks })
}

/** @throws z.ZodError or SyntaxError when the text is not a tree */
export function parseTree(text: string): Tree {
  return treeSchema.parse(JSON.parse(text))
}

function countOnes(size: number): number {
  let ones = 0
  // Not with bit operators: they end at 32 bits.
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) ones += rest % 2
  return ones
}
