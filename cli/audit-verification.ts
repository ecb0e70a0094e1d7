// The command's own verification of the whole audit: every row fetched, every hash recomputed,
// every checkpoint's signature checked against the public audit key in the state folder. Never
// takes the notary's word for it.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditRow, Checkpoint } from '../notary/contract.ts'
import { type AuditVerification, verifyTree } from '../security/audit/verification.ts'
import type { AuditSource } from './audit-source.ts'
import { CommandError, exitCodes } from './exit-codes.ts'
import type { AuditSummary } from './run-view.ts'

/** @throws CommandError when the state folder has no audit key */
export function readAuditKey(state: string): unknown {
  const file = join(state, 'public', 'audit-key.json')
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new CommandError(`${file} cannot be read, so the audit cannot be verified`, {
      exitCode: exitCodes.failed,
      next: 'npx bulkhead doctor',
      cause,
    })
  }
}

/** Verifies up to the head that is signed when the verification starts. */
export async function verifyAudit(
  source: AuditSource,
  auditKey: unknown,
): Promise<AuditVerification> {
  const checkpoints = await source.checkpoints()
  const head = await source.head()
  return verifyTree({
    rows: upTo(source, head),
    checkpoints: checkpoints.filter((checkpoint) => isWithin(checkpoint, head)),
    auditKey,
    ...(head === undefined ? {} : { head }),
  })
}

async function* upTo(source: AuditSource, head: Checkpoint | undefined): AsyncIterable<AuditRow> {
  for await (const row of source.rows(1)) {
    if (head !== undefined && row.seq > head.size) return
    yield row
  }
}

function isWithin(checkpoint: Checkpoint, head: Checkpoint | undefined): boolean {
  return head === undefined || checkpoint.size <= head.size
}

export function summarise(verification: AuditVerification): AuditSummary {
  return { rows: verification.rows, verified: verification.ok, head: verification.head?.root ?? '' }
}
