// What a person who is not the owner can check of the audit: they may not read its rows, which name
// everybody's runs. That its head is signed with the published key, that it is none that this command's
// witness or the one in Temporal has seen grow beyond or have another root, and nothing about any row.

import { join } from 'node:path'
import { verifyCheckpoint } from '../security/audit/checkpoint.ts'
import { keyFor, parseTrustedKeys } from '../security/audit/key-chain.ts'
import { judgeHead, readWitness, witnessHead } from '../security/audit/witness.ts'
import { DocumentError } from '../security/verify/document.ts'
import type { AuditSource } from './audit-source.ts'
import type { AuditSummary } from './run-view.ts'

export async function verifyHead(source: AuditSource, auditKey: unknown): Promise<AuditSummary> {
  const own = join(source.state, 'cli', 'witness.jsonl')
  // Before the head, which can only be larger.
  const known = [...readWitness(own), ...(await source.anchored())]
  const head = await source.head()
  if (head === undefined) return { rows: 0, verified: false, head: '', scope: 'head' }
  const told = { rows: head.size, head: head.root, scope: 'head' } as const
  const verdict = judgeHead(known, head)
  if (verdict === 'SMALLER' || verdict === 'OTHER_ROOT') return { ...told, verified: false }
  try {
    await verifyCheckpoint(head, keyFor(parseTrustedKeys(auditKey), head.size))
  } catch (cause) {
    if (cause instanceof DocumentError) return { ...told, verified: false }
    throw cause
  }
  witnessHead(own, head)
  return { ...told, verified: true }
}
