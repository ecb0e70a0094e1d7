// `audit tail|query|verify|export`: reading and proving the record, with the platform up or down.

import type { AuditRow } from '../../notary/contract.ts'
import type { AuditVerification } from '../../security/audit/verification.ts'
import { readPublicKey } from '../audit-file.ts'
import { type AuditFilter, toPredicate } from '../audit-filter.ts'
import {
  type ReconciledVerification,
  reconcileAudit,
  reconcileExport,
} from '../audit-reconciliation.ts'
import { readAuditKey, verifyAudit } from '../audit-verification.ts'
import { faultWords, gapWordsOf } from '../audit-words.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { withAudit } from './runs.ts'

export interface VerifyChoice {
  readonly incremental?: boolean
  /** An export to verify instead of the state folder. */
  readonly file?: string
  /** File with the public audit key; only with `file`. */
  readonly key?: string
}

export async function auditVerifyCommand(
  output: Output,
  state: string,
  choice: VerifyChoice,
): Promise<ExitCode> {
  const result = await verifyChosen(state, choice)
  output.data(result, () => [
    result.ok ? 'the audit verifies' : 'THE AUDIT DOES NOT VERIFY',
    `${result.rows} rows, ${result.checkpoints} checkpoints, ${result.witnesses} witnesses, head ${result.head?.root ?? 'none'}`,
    ...(result.firstBadSeq === undefined ? [] : [`first bad row: ${result.firstBadSeq}`]),
    ...result.mismatches.map(
      (mismatch) => `row ${mismatch.seq}: ${mismatch.what}: ${faultWords(mismatch.what)}`,
    ),
    ...('reconciled' in result ? reconciledLines(result) : []),
  ])
  return result.ok ? exitCodes.completed : exitCodes.failed
}

function reconciledLines({ reconciled, gaps, unreached }: ReconciledVerification): string[] {
  return [
    `${reconciled.effects} effects of ${reconciled.runs} runs reconciled, ${gaps.length} gaps`,
    ...gaps.map(
      ({ run, step, what, where }) => `${run} ${step}: ${what} (${where}): ${gapWordsOf(what)}`,
    ),
    ...unreached.map((what) => `not compared: ${what}`),
  ]
}

function verifyChosen(
  state: string,
  { file, key, incremental }: VerifyChoice,
): Promise<AuditVerification | ReconciledVerification> {
  if (file !== undefined) {
    return reconcileExport(file, {
      auditKey: key === undefined ? readAuditKey(state) : readPublicKey(key),
    })
  }
  if (key !== undefined) {
    throw new CommandError('--key is for an export: the state folder has its own', {
      exitCode: exitCodes.usage,
      next: 'npx bulkhead audit verify --file <export> --key <file>',
    })
  }
  return withAudit(state, (source, session) =>
    incremental === true
      ? verifyAudit(source, readAuditKey(state))
      : reconcileAudit(source, { auditKey: readAuditKey(state), session }),
  )
}

function rowLine(row: AuditRow): string {
  const at = new Date(row.at).toISOString()
  return `${row.seq}  ${at}  ${row.kind}  ${row.actor}  ${row.subject}  ${row.body}`
}

export interface RowChoice extends AuditFilter {
  readonly limit: number
}

/** The newest rows that fit, oldest first. */
export async function auditTailCommand(
  output: Output,
  state: string,
  choice: RowChoice,
): Promise<ExitCode> {
  const fits = toPredicate(choice, Date.now())
  const newest: AuditRow[] = []
  await withAudit(state, async (source) => {
    for await (const row of source.rows(1)) {
      if (!fits(row)) continue
      newest.push(row)
      if (newest.length > choice.limit) newest.shift()
    }
  })
  output.rows(newest, rowLine)
  return exitCodes.completed
}

/** The first rows that fit. */
export async function auditQueryCommand(
  output: Output,
  state: string,
  choice: RowChoice,
): Promise<ExitCode> {
  const fits = toPredicate(choice, Date.now())
  const found: AuditRow[] = []
  await withAudit(state, async (source) => {
    for await (const row of source.rows(1)) {
      if (fits(row)) found.push(row)
      if (found.length === choice.limit) return
    }
  })
  output.rows(found, rowLine)
  return exitCodes.completed
}

/**
 * Everything up to a head signed now, one JSON document a line, ending with the checkpoints: enough
 * to verify elsewhere with the public key.
 */
export async function auditExportCommand(output: Output, state: string): Promise<ExitCode> {
  await withAudit(state, async (source) => {
    const head = await source.head()
    for await (const row of source.rows(1)) {
      if (head !== undefined && row.seq > head.size) break
      output.line(row)
    }
    for (const checkpoint of await source.checkpoints(0)) {
      if (head === undefined || checkpoint.size <= head.size) output.line({ checkpoint })
    }
  })
  return exitCodes.completed
}
