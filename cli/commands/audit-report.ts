// `audit report`: what was checked in a run or a period, what was found wrong, and what to do about it.
// From the notary or the state folder, or from an export with the public key alone. The whole audit is
// read and verified in the same pass, because a report on rows that somebody changed is worth nothing.

import { catalogue } from '../../agents/catalogue.ts'
import type { AuditRow } from '../../notary/contract.ts'
import { readPublicKey } from '../audit-file.ts'
import { toTime } from '../audit-filter.ts'
import {
  type ReconciledVerification,
  reconcileAudit,
  reconcileExport,
} from '../audit-reconciliation.ts'
import { createReporter, type ReportScope } from '../audit-report.ts'
import { readAuditKey } from '../audit-verification.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { reportLines } from '../report-view.ts'
import { withAudit } from './runs.ts'

export interface ReportChoice {
  readonly run?: string
  /** As `audit query --since`. */
  readonly since?: string
  readonly until?: string
  /** An export to report on instead of the state folder. */
  readonly file?: string
  /** File with the public audit key; only with `file`. */
  readonly key?: string
}

/** `failed` when a person should do something about a violation. @throws CommandError */
export async function auditReportCommand(
  output: Output,
  state: string,
  choice: ReportChoice,
): Promise<ExitCode> {
  const scope = toScope(choice, Date.now())
  const reporter = createReporter(scope, classOf)
  const progress = createProgress(output, () => performance.now())
  const verification = await readAll(state, choice, (row) => {
    reporter.row(row)
    progress(row.seq)
  })
  const report = reporter.finish(verification)
  if (scope.run !== undefined && report.scope.rows === 0) {
    throw new CommandError(`the audit has no row of a run ${scope.run} in this time`, {
      exitCode: exitCodes.usage,
      next: 'npx bulkhead runs list',
    })
  }
  output.data(report, () => reportLines(report))
  return report.forPerson === 0 ? exitCodes.completed : exitCodes.failed
}

/** @throws CommandError for times that there cannot be, or that enclose nothing */
function toScope({ run, since, until }: ReportChoice, now: number): ReportScope {
  const from = since === undefined ? undefined : toTime(since, now)
  const to = until === undefined ? undefined : toTime(until, now)
  const wrong = (message: string) =>
    new CommandError(message, {
      exitCode: exitCodes.usage,
      next: 'npx bulkhead audit report --since 7d --until 1d',
    })
  if (from !== undefined && from > now) throw wrong(`${since} has not come yet`)
  if (from !== undefined && to !== undefined && from >= to) {
    throw wrong(`nothing lies from ${since} until ${until}`)
  }
  return { run, since: from, until: to }
}

function classOf(type: string): string | undefined {
  const [agent = '', action = ''] = type.split('.')
  const actions = catalogue.get(agent)?.actions ?? {}
  return Object.hasOwn(actions, action) ? actions[action]?.effect : undefined
}

function readAll(
  state: string,
  { file, key }: ReportChoice,
  observe: (row: AuditRow) => void,
): Promise<ReconciledVerification> {
  if (file !== undefined) {
    const auditKey = key === undefined ? readAuditKey(state) : readPublicKey(key)
    return reconcileExport(file, { auditKey, observe })
  }
  if (key !== undefined) {
    throw new CommandError('--key is for an export: the state folder has its own', {
      exitCode: exitCodes.usage,
      next: 'npx bulkhead audit report --file <export> --key <file>',
    })
  }
  return withAudit(state, (source, session) =>
    reconcileAudit(source, { auditKey: readAuditKey(state), observe, session }),
  )
}

/** A person who waits longer than a second is told how far it is, once a second. */
const progressMs = 1_000

/** `now` in milliseconds, from any beginning. */
export function createProgress(
  output: Pick<Output, 'talk'>,
  now: () => number,
): (seq: number) => void {
  let saidAt = now()
  return (seq) => {
    const at = now()
    if (at - saidAt < progressMs) return
    saidAt = at
    output.talk(`reading the audit: row ${seq}`)
  }
}
