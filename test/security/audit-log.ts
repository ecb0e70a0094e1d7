// A log as the notary would write it, sealed and signed with keys of this test run.

import { type Checkpoint, signCheckpoint } from '../../security/audit/checkpoint.ts'
import { type AuditRow, genesisHash, sealRow } from '../../security/audit/format.ts'
import { appendLeaf, emptyTree, type Tree, treeRoot } from '../../security/audit/tree.ts'
import { createDocumentSigner } from '../../security/verify/document.ts'
import { generateKeyPairJwk } from '../../security/verify/keys.ts'

export const { privateJwk, publicJwk: auditKey } = await generateKeyPairJwk()
export const sign = await createDocumentSigner(privateJwk)

export function seal(seq: number, prev: string, note = 'x'): AuditRow {
  const at = 1_767_225_600_000 + seq
  const names = { actor: 'worker', subject: `step-${seq}`, correlation: 'req-1', trace: '' }
  return sealRow({ at, kind: 'mint', ...names, body: { note, seq } }, { seq, prev })
}

/** Rows 1..size, and a checkpoint at every tenth, or as often as told, and at the end. */
export async function createLog(size: number, every = 10) {
  const rows: AuditRow[] = []
  const checkpoints: Checkpoint[] = []
  const trees: Tree[] = [emptyTree()]
  let tree = emptyTree()
  for (let seq = 1; seq <= size; seq += 1) {
    const row = seal(seq, rows.at(-1)?.leaf ?? genesisHash)
    rows.push(row)
    tree = appendLeaf(tree, row.leaf)
    trees.push(tree)
    if (seq % every === 0 || seq === size) {
      checkpoints.push(await signCheckpoint({ size: seq, root: treeRoot(tree), at: row.at }, sign))
    }
  }
  return { rows, checkpoints, trees }
}
