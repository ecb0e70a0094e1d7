// The command's own verification of the audit: rows fetched, hashes recomputed, every checkpoint's
// signature checked against the public audit key in the state folder, and the log compared with what
// its witnesses remember. Never takes the notary's word for it. The first one after a start of the
// platform reads every row; later ones go on from where the last ended.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditRow, Checkpoint } from '../notary/contract.ts'
import { type AuditVerification, type LogEnd, verifyToEnd } from '../security/audit/verification.ts'
import { verifyHead } from './audit-heads.ts'
import { type AuditMemory, openAuditMemory } from './audit-memory.ts'
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

/** Verifies up to the head that is signed when it starts: new rows where it may, else all. */
export async function verifyAudit(
  source: AuditSource,
  auditKey: unknown,
): Promise<AuditVerification> {
  const memory = openAuditMemory(source.state)
  const { platform } = source
  const from = platform === undefined ? undefined : await memory.verified(platform)
  return verifyFrom(source, { auditKey, memory, from })
}

/** Verifies every row, whatever was verified before; `observe` sees each of them on the way. */
export function verifyWholeAudit(
  source: AuditSource,
  auditKey: unknown,
  observe: (row: AuditRow) => void = () => undefined,
): Promise<AuditVerification> {
  const memory = openAuditMemory(source.state)
  return verifyFrom(source, { auditKey, memory, from: undefined, observe })
}

interface Known {
  readonly auditKey: unknown
  /** Opened before the head is asked for. */
  readonly memory: AuditMemory
  readonly from: LogEnd | undefined
  readonly observe?: (row: AuditRow) => void
}

async function verifyFrom(
  source: AuditSource,
  { auditKey, memory, from, observe }: Known,
): Promise<AuditVerification> {
  const first = from?.tree.size ?? 0
  // Before the head, which can only be larger.
  const anchored = { name: 'temporal', checkpoints: await source.anchored() }
  const checkpoints = await source.checkpoints(first)
  const head = await source.head()
  // What was verified has gone: only a reading from the first row can say since when.
  if (from !== undefined && head !== undefined && head.size < first) {
    return verifyFrom(source, { auditKey, memory, from: undefined })
  }
  const { verification, end } = await verifyToEnd({
    rows: upTo(source.rows(first + 1), head, observe),
    checkpoints: checkpoints.filter((checkpoint) => isWithin(checkpoint, head)),
    auditKey,
    witnesses: [...memory.witnesses, anchored],
    ...(head === undefined ? {} : { head }),
    ...(from === undefined ? {} : { from }),
  })
  const seen = verification.head
  if (verification.ok && seen !== null) await memory.keep(source.platform, { head: seen, end })
  return verification
}

async function* upTo(
  rows: AsyncIterable<AuditRow>,
  head: Checkpoint | undefined,
  observe: (row: AuditRow) => void = () => undefined,
): AsyncIterable<AuditRow> {
  for await (const row of rows) {
    if (head !== undefined && row.seq > head.size) return
    observe(row)
    yield row
  }
}

function isWithin(checkpoint: Checkpoint, head: Checkpoint | undefined): boolean {
  return head === undefined || checkpoint.size <= head.size
}

/** For a run that is shown: every row where they may be read, else the head alone. */
export async function checkAudit(source: AuditSource, auditKey: unknown): Promise<AuditSummary> {
  return source.whole
    ? summarise(await verifyAudit(source, auditKey))
    : await verifyHead(source, auditKey)
}

function summarise(verification: AuditVerification): AuditSummary {
  return { rows: verification.rows, verified: verification.ok, head: verification.head?.root ?? '' }
}
