// `runs list|show|watch|cancel`. While the platform is down, `list` and `show` tell what the audit
// recorded; content stays with the worker and is not shown then.

import type { RequestSummary } from '../../notary/contract.ts'
import type { RunState, StepOutcome } from '../../workflows/contract.ts'
import type { AuditSource } from '../audit-source.ts'
import { onlineAudit } from '../audit-source.ts'
import { checkAudit, readAuditKey } from '../audit-verification.ts'
import { callControl } from '../control.ts'
import { CommandError, type ExitCode, exitCodeOfRun, exitCodes } from '../exit-codes.ts'
import { offlineAudit } from '../offline-audit.ts'
import { withOpenApprovals } from '../open-approvals.ts'
import { type Output, table } from '../output.ts'
import { allOutcomes } from '../run-advice.ts'
import { handleLines, type RunDocument, runLines, toRunDocument } from '../run-view.ts'
import { findDeployment, type Session, withSession } from '../session.ts'
import { suggest } from '../suggest.ts'
import { detachable, readRun, watchRun } from './run.ts'

const listed = 50

/** A supervisor that was killed leaves its file, and its process id to somebody else. */
async function isUp(state: string): Promise<boolean> {
  const deployment = findDeployment(state)
  if (deployment === undefined) return false
  return callControl(deployment.controlSocket, 'GET', '/status').then(
    () => true,
    () => false,
  )
}

/** Runs `work` with the audit, from the notary if it is up, else from its file. */
export async function withAudit<T>(
  state: string,
  work: (source: AuditSource, session: Session | undefined) => Promise<T>,
): Promise<T> {
  if (!(await isUp(state))) {
    const source = offlineAudit(state)
    try {
      return await work(source, undefined)
    } finally {
      source.close()
    }
  }
  return await withSession(state, (session) => work(onlineAudit(session), session))
}

export async function runsListCommand(output: Output, state: string): Promise<ExitCode> {
  const requests = await withAudit(state, (source) => source.requests(listed))
  const rows = requests.map((request) => ({
    requestId: request.requestId,
    name: request.name,
    createdAt: new Date(request.createdAt).toISOString(),
    user: request.user,
    cancelled: request.cancelled,
    outcomes: request.steps.map((step) => step.outcome),
  }))
  output.data(rows, () =>
    table(rows.map((row) => [row.requestId, row.createdAt, [...new Set(row.outcomes)].join(', ')])),
  )
  return exitCodes.completed
}

/** The id given, or the newest run's. */
async function chooseRun(source: AuditSource, given: string | undefined): Promise<RequestSummary> {
  if (given === undefined) {
    const [newest] = await source.requests(1)
    // Asked of by its name as well: a list does not tell what is asked about each.
    if (newest !== undefined) return (await source.request(newest.requestId)) ?? newest
    throw new CommandError('nothing has been run yet', {
      exitCode: exitCodes.failed,
      next: 'npx bulkhead run morning-briefing',
    })
  }
  const found = await source.request(given)
  if (found !== undefined) return found
  const known = (await source.requests(listed)).map((request) => request.requestId)
  throw new CommandError(`there is no run ${given}${suggest(given, known)}`, {
    exitCode: exitCodes.usage,
    next: 'npx bulkhead runs list',
  })
}

/** What the notary's tables say of a run whose platform is down. */
export function recordedState(request: RequestSummary): RunState {
  const steps = request.steps.map((step) => ({
    id: step.id,
    type: `${step.agent}.${step.action}`,
    effect: step.effect,
    outcome: step.outcome as StepOutcome,
    ...(step.code === undefined ? {} : { code: step.code }),
    attempts: step.attempts,
    durationMs: 0,
    ...(step.loop === undefined ? {} : { loop: { ...step.loop, failed: [] } }),
  }))
  const outcomes = new Set(steps.map((step) => step.outcome))
  const finished = !outcomes.has('pending') && !outcomes.has('running')
  if (request.cancelled) return { status: 'cancelled', steps }
  if (outcomes.has('denied')) return { status: 'denied', steps }
  if (outcomes.has('failed') || outcomes.has('unknown')) return { status: 'failed', steps }
  if (finished) return { status: 'completed', steps }
  const isAsked = (request.approvals ?? []).length > 0
  const status = isAsked ? 'waiting-approval' : 'running'
  return withOpenApprovals({ status, steps }, request.approvals)
}

export async function runsShowCommand(
  output: Output,
  state: string,
  given: string | undefined,
): Promise<ExitCode> {
  const document = await withAudit(state, async (source, session) => {
    const request = await chooseRun(source, given)
    if (session !== undefined) return readRun(session, request.requestId)
    output.talk('the platform is down: this is what the audit recorded')
    return toRunDocument({
      requestId: request.requestId,
      runId: '',
      ...(request.kind === 'recipe' ? { recipe: request.name } : {}),
      state: recordedState(request),
      answer: null,
      audit: await checkAudit(source, readAuditKey(state)),
      link: '',
    })
  })
  output.data(document, () => [...runLines(document), ...handleLines(document)])
  return exitCodeOfShown(document, output)
}

/** A run whose record cannot be verified is not reported as a success. */
function exitCodeOfShown(document: RunDocument, output: Output): ExitCode {
  if (!document.audit.verified) {
    output.problem(
      'the audit does not verify: it was changed, or rows are missing',
      'npx bulkhead audit verify',
    )
    return exitCodes.failed
  }
  if (document.status === 'running') return exitCodes.completed
  return exitCodeOfRun(document.status, allOutcomes(document), document.code)
}

export async function runsWatchCommand(
  output: Output,
  state: string,
  given: string | undefined,
): Promise<ExitCode> {
  return await withSession(state, async (session) => {
    const request = await chooseRun(onlineAudit(session), given)
    await detachable(request.requestId, output, () => watchRun(session, request.requestId, output))
    const document = await readRun(session, request.requestId)
    output.data(document, () => runLines(document))
    return exitCodeOfShown(document, output)
  })
}

/** Registers the stop with the notary first: from then on no forward step gets a token. */
export async function runsCancelCommand(
  output: Output,
  state: string,
  requestId: string,
): Promise<ExitCode> {
  return await withSession(state, async (session) => {
    const request = await chooseRun(onlineAudit(session), requestId)
    const reply = await session.cancel(request.requestId)
    if (reply.status !== 'CANCELLED') {
      throw new CommandError(`the notary refused: ${reply.message}`, {
        exitCode: exitCodes.failed,
        next: `npx bulkhead runs show ${requestId}`,
      })
    }
    await session.runs.cancel(request.requestId)
    output.data({ requestId, cancelled: true }, () => [`${requestId}: cancelling`])
    return exitCodes.completed
  })
}
