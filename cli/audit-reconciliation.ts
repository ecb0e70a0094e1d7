// `audit verify`: the whole audit verified and, in the same pass, compared with every other record
// that this command can reach. What it cannot reach it says; a record not reached is no gap. The
// order matters: see security/audit/reconciliation.ts.

import type { AuditRow } from '../notary/contract.ts'
import {
  createReconciler,
  type OtherRecords,
  type Reconciliation,
} from '../security/audit/reconciliation.ts'
import { type AuditVerification, verifyTree } from '../security/audit/verification.ts'
import { readExportedCheckpoints, readExportedRows } from './audit-file.ts'
import type { AuditSource } from './audit-source.ts'
import { verifyWholeAudit } from './audit-verification.ts'
import { readClosedRuns } from './closed-runs.ts'
import { copyLedgers } from './ledger-copies.ts'
import type { Session } from './session.ts'

export interface ReconciledVerification extends AuditVerification {
  readonly reconciled: Pick<Reconciliation, 'runs' | 'effects'>
  /** Records that were not compared, and why. */
  readonly unreached: readonly string[]
}

/** The newest runs whose plans and histories are asked for. */
const maxRuns = 500
/** Ledgers keep effects for 400 days; a day less, so that one just forgotten is no gap. */
const ledgerMs = 399 * 24 * 3_600_000

export interface ReconcileOptions {
  readonly auditKey: unknown
  /** Sees each row on the way, in order. */
  readonly observe?: ((row: AuditRow) => void) | undefined
}

/** `session` while the platform is up: only then is there a Temporal to ask. */
export async function reconcileAudit(
  source: AuditSource,
  { auditKey, observe, session }: ReconcileOptions & { readonly session: Session | undefined },
): Promise<ReconciledVerification> {
  const requests = await source.requests(maxRuns)
  const before = copyLedgers(source.state)
  const closed = session === undefined ? undefined : await readClosedRuns(session.runs, requests)
  const reconciler = createReconciler()
  const verification = await verifyWholeAudit(source, auditKey, both(reconciler.row, observe))
  const after = copyLedgers(source.state)
  const unreached = [
    ...new Set([...before.unreached, ...after.unreached].map((name) => `ledger of ${name}`)),
    ...(closed === undefined ? ['Temporal history: the platform is down'] : []),
    ...(closed?.unreached ?? []).map((run) => `Temporal history of ${run}`),
    ...(requests.length === maxRuns ? [`Temporal history before the last ${maxRuns} runs`] : []),
  ]
  return merge(
    verification,
    unreached,
    reconciler.finish({
      ledgersBefore: before.ledgers,
      ledgersAfter: after.ledgers,
      history: closed?.history ?? [],
      plans: new Map(requests.map((run) => [run.requestId, run.steps.map((step) => step.id)])),
      since: Date.now() - ledgerMs,
    }),
  )
}

/** An export, anywhere: rows are compared with each other only. */
export async function reconcileExport(
  file: string,
  { auditKey, observe }: ReconcileOptions,
): Promise<ReconciledVerification> {
  const reconciler = createReconciler()
  const verification = await verifyTree({
    rows: observed(readExportedRows(file), both(reconciler.row, observe)),
    checkpoints: await readExportedCheckpoints(file),
    auditKey,
  })
  const unreached = ['witnesses', 'ledgers', 'Temporal history'].map(
    (what) => `${what}: this is an export`,
  )
  return merge(verification, unreached, reconciler.finish(nothingElse))
}

function both(one: (row: AuditRow) => void, other: ReconcileOptions['observe']) {
  return (row: AuditRow) => {
    one(row)
    other?.(row)
  }
}

const nothingElse: OtherRecords = {
  ledgersBefore: [],
  ledgersAfter: [],
  history: [],
  plans: new Map(),
  since: 0,
}

async function* observed(
  rows: AsyncIterable<AuditRow>,
  observe: (row: AuditRow) => void,
): AsyncIterable<AuditRow> {
  for await (const row of rows) {
    observe(row)
    yield row
  }
}

function merge(
  verification: AuditVerification,
  unreached: readonly string[],
  { runs, effects, gaps }: Reconciliation,
): ReconciledVerification {
  const ok = verification.ok && gaps.length === 0
  return { ...verification, ok, gaps, reconciled: { runs, effects }, unreached }
}
