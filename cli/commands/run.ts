// `bulkhead run`: a recipe or a plan file -> a registered request -> a run, watched to its end.
// Order (contracts.md): artifact.put, notary.request, start of the workflow; each is idempotent by
// the request id, so a command that was cut off can be repeated with `--request-id`.

import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { catalogue } from '../../agents/catalogue.ts'
import type { RequestCall } from '../../notary/contract.ts'
import { type CompileResult, compileSource } from '../../plan/compile.ts'
import { isDenial } from '../../plan/issues.ts'
import { limits } from '../../plan/limits.ts'
import type { Decide } from '../../plan/policy.ts'
import type { KnownNames } from '../../plan/principals.ts'
import type { RequestLimits } from '../../plan/request-limits.ts'
import { type InputValues, type Priority, requestIdPattern } from '../../plan/schema.ts'
import { findRecipe, listRecipes } from '../../planner/recipes.ts'
import type { RunState } from '../../workflows/contract.ts'
import { onlineAudit } from '../audit-source.ts'
import { checkAudit, readAuditKey } from '../audit-verification.ts'
import { changedModels } from '../consulted-view.ts'
import { estimateLine, estimateOf, tellUnfit, unfitIssues } from '../estimate-words.ts'
import { CommandError, type ExitCode, exitCodeOfRun, exitCodes } from '../exit-codes.ts'
import { type Accepts, createAsker } from '../inline-questions.ts'
import { withOpenApprovals } from '../open-approvals.ts'
import type { Output } from '../output.ts'
import { isProposalAlone } from '../proposed-plan.ts'
import { readInputs } from '../request-inputs.ts'
import { issueLines, refused } from '../request-refusal.ts'
import { allOutcomes } from '../run-advice.ts'
import {
  changedSteps,
  type RunDocument,
  runLines,
  temporalLink,
  toRunDocument,
} from '../run-view.ts'
import { findDeployment, type Session } from '../session.ts'
import { suggest } from '../suggest.ts'

export interface RunSource {
  readonly kind: 'recipe' | 'plan'
  readonly name: string
  readonly source: string
}

/** A recipe's name, or the path of a plan file. */
export function readRunSource(what: string): RunSource {
  if (!/\.(ya?ml|json)$/.test(what)) {
    const recipe = findRecipe(what)
    if (recipe !== undefined) return { kind: 'recipe', name: what, source: recipe.source }
    const names = listRecipes().map((known) => known.name)
    throw new CommandError(`there is no recipe ${what}${suggest(what, names)}`, {
      exitCode: exitCodes.usage,
      next: 'npx bulkhead recipes',
    })
  }
  try {
    if (statSync(what).size > limits.planFileBytes) throw new Error('it is longer than 1 MiB')
    const name = basename(what).replace(/\.(ya?ml|json)$/, '')
    return { kind: 'plan', name, source: readFileSync(what, 'utf8') }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CommandError(`${what} cannot be read: ${reason}`, {
      exitCode: exitCodes.usage,
      next: 'npx bulkhead run <recipe|plan.yaml>',
      cause,
    })
  }
}

export function compileRun(
  { kind, source }: RunSource,
  given: {
    readonly inputs: InputValues
    readonly names: KnownNames
    readonly decide: Decide
    /** Earlier results are looked up by the notary, which knows whose they are. Absent: it has none. */
    readonly handles?: 'later'
  },
): CompileResult {
  return compileSource({ kind, source, catalogue, ...given })
}

/** `<name>-<date>-<time>-<random>`: readable in Temporal's Web UI, no content, never twice. */
export function drawRequestId(name: string, now: Date): string {
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 60)
  const stamp = now.toISOString().replaceAll(/[-:]/g, '').replace('T', '-').slice(0, 15)
  return `${slug === '' ? 'plan' : slug}-${stamp}-${randomBytes(4).toString('hex')}`
}

/** Issues as lines, and the exit code that says whether policy or shape refused it. */
export function reportIssues(
  result: Extract<CompileResult, { ok: false }>,
  output: Output,
): ExitCode {
  for (const line of issueLines(result.issues)) output.talk(line)
  return result.issues.some((issue) => isDenial(issue.code)) ? exitCodes.denied : exitCodes.failed
}

/** Words in place of a plan: somebody proposes one. */
export type SaidSource = Omit<RunSource, 'kind'> & { readonly kind: 'text' }

export interface RunOptions {
  readonly inputs: InputValues
  readonly requestId: string
  readonly priority?: Priority
  /** What the person allows it; undefined: whatever policy and budgets let. */
  readonly limits?: RequestLimits | undefined
  /** Of words: what they go on with. */
  readonly context?: RequestCall['context']
}

/** Known to the worker and the notary, and not started; the same request again is the same. */
export async function registerRun(
  session: Session,
  run: RunSource | SaidSource,
  { requestId, inputs, priority = 'MEDIUM', limits: given, context }: RunOptions,
): Promise<{ readonly requestRef: string }> {
  const request = { ...run, inputs }
  const stored = await session.putRequest(requestId, JSON.stringify(request))
  if (stored.status !== 'STORED') throw refused('the worker', requestId, stored)
  const limited = given === undefined ? {} : { limits: given }
  const before = context === undefined ? {} : { context }
  const more = { ...limited, ...before }
  const registered = await session.request({ requestId, ...request, priority, ...more })
  if (registered.status !== 'REGISTERED') throw refused('the notary', requestId, registered)
  return { requestRef: stored.ref }
}

/** Registers and starts one run; the same request again is the same run. */
export async function startRun(
  session: Session,
  run: RunSource | SaidSource,
  options: RunOptions,
): Promise<{ readonly runId: string }> {
  const { requestId, priority = 'MEDIUM' } = options
  return session.runs.submit({
    requestId,
    ...(await registerRun(session, run, options)),
    priority,
    ...(run.kind === 'recipe' ? { recipe: run.name } : {}),
    ...(run.kind === 'text' ? { text: true } : {}),
  })
}

/** Registers, starts and watches one run. */
export async function performRun(
  session: Session,
  run: RunSource | SaidSource,
  output: Output,
  options: RunOptions & FollowOptions,
): Promise<EndedRun> {
  const { runId } = await startRun(session, run, options)
  output.talk(`run ${options.requestId} started`)
  return await followRun(session, options.requestId, output, { ...options, runId })
}

export interface FollowOptions {
  readonly runId?: string
  /** The person has said yes to whatever plan is proposed, and to nothing else. */
  readonly yes?: boolean
  /** A plan that waits to be approved is left waiting. */
  readonly leaves?: boolean
}

export interface EndedRun {
  readonly document: RunDocument
  readonly exitCode: ExitCode
}

/** Watches a run that was started, and says what has come of it. */
export async function followRun(
  session: Session,
  requestId: string,
  output: Output,
  { runId, yes, leaves }: FollowOptions = {},
): Promise<EndedRun> {
  // What is still to come then may be hours away: the answer to the rest is there.
  const isEnough = ({ status, approvals }: RunState) =>
    status === 'scheduled' || (leaves === true && approvals !== undefined)
  await watchRun(session, requestId, output, isEnough, yes === true ? isProposalAlone : undefined)
  const document = await readRun(session, requestId, runId)
  return {
    document,
    exitCode: exitCodeOfRun(document.status, allOutcomes(document), document.code),
  }
}

/** Ctrl-C during `work` leaves the run going and says how to return to it. */
export async function detachable<T>(
  requestId: string,
  output: Output,
  work: () => Promise<T>,
): Promise<T> {
  const detach = () => {
    output.talk(`detached; the run goes on. Return with: npx bulkhead runs watch ${requestId}`)
    process.exit(exitCodes.interrupted)
  }
  process.once('SIGINT', detach)
  try {
    return await work()
  } finally {
    process.off('SIGINT', detach)
  }
}

const aliveEveryMs = 500

/** Rejects when the platform was stopped; Temporal's own client would wait a minute for it. */
async function untilStopped(session: Session, requestId: string, signal: AbortSignal) {
  while (findDeployment(session.state)?.pid === session.deployment.pid) {
    await delay(aliveEveryMs, undefined, { signal })
  }
  throw new CommandError('the platform was stopped; the run goes on when it is up again', {
    exitCode: exitCodes.failed,
    next: `npx bulkhead up, then npx bulkhead runs watch ${requestId}`,
  })
}

/**
 * Tells each step's outcome as it comes, and what it waits to be approved, to the end of the run or to a
 * state that is `enough`.
 * @throws CommandError when the platform is stopped meanwhile
 */
export async function watchRun(
  session: Session,
  requestId: string,
  output: Output,
  enough: (state: RunState) => boolean = () => false,
  accepts?: Accepts,
): Promise<void> {
  const over = new AbortController()
  const askPerson = createAsker(session, output, accepts)
  const follow = async () => {
    let before: RunState | undefined
    for await (const state of session.runs.watch(requestId, over.signal)) {
      const changed = [...changedModels(before, state), ...changedSteps(before, state)]
      for (const line of changed) output.talk(line)
      before = state
      await askPerson(state)
      if (enough(state)) return
    }
  }
  try {
    await Promise.race([follow(), untilStopped(session, requestId, over.signal)])
  } finally {
    over.abort()
  }
}

/** Everything known of one run, with the command's own verification of the audit. */
export async function readRun(
  session: Session,
  requestId: string,
  knownRunId?: string,
): Promise<RunDocument> {
  const { runId, closed, recipe } = await session.runs.describe(requestId)
  const result = closed ? await session.runs.result(requestId) : undefined
  const source = onlineAudit(session)
  const known = result ?? (await session.runs.state(requestId))
  const open = closed ? undefined : (await source.request(requestId))?.approvals
  const state = withOpenApprovals(known, open)
  const ref = state.answerRef ?? null
  const artifact = ref === null ? undefined : await session.getArtifact(ref)
  const { temporal } = session.deployment
  return toRunDocument({
    requestId,
    runId: knownRunId ?? runId,
    ...(recipe === undefined ? {} : { recipe }),
    state,
    answer: artifact?.status === 'FOUND' ? artifact.content : null,
    audit: await checkAudit(source, readAuditKey(session.state)),
    link: temporalLink(temporal.ui, temporal.namespace, requestId, knownRunId ?? runId),
  })
}

/** @throws CommandError */
function assertRequestId(requestId: string | undefined): void {
  if (requestId === undefined || requestIdPattern.test(requestId)) return
  throw new CommandError(
    'a request id has 1 to 120 characters of a-z, 0-9, colon, dot and hyphen, and starts with a letter or digit',
    { exitCode: exitCodes.usage, next: 'npx bulkhead run morning-briefing --request-id today-1' },
  )
}

/** `bulkhead run <recipe|plan.yaml>` */
export async function runCommand(
  open: () => Promise<Session>,
  output: Output,
  what: string,
  options: {
    readonly input: readonly string[]
    readonly dryRun: boolean
    readonly names: KnownNames
    readonly decide: Decide
    readonly requestId?: string
    readonly priority: Priority
    readonly limits: RequestLimits | undefined
    /** IANA name: where the times are that a plan gives without a zone. */
    readonly zone: string
  },
): Promise<ExitCode> {
  const run = readRunSource(what)
  const inputs = readInputs(options.input)
  assertRequestId(options.requestId)
  const { names, decide, priority, limits: given } = options
  const compiled = compileRun(run, { inputs, names, decide, handles: 'later' })
  if (!compiled.ok) {
    output.data({ ok: false, issues: compiled.issues }, () => [])
    return reportIssues(compiled, output)
  }
  const now = Date.now()
  const estimate = estimateOf(compiled.plan, { now, zone: options.zone })
  if (tellUnfit(output, estimate, unfitIssues(estimate, given, now))) {
    return exitCodes.failed
  }
  if (options.dryRun) {
    const { digest, report } = compiled
    output.data({ ok: true, digest, issues: [], report, estimate }, () => [
      `${run.name}: would run ${compiled.plan.steps.length} steps in ${compiled.report.levels.length} levels`,
      ...compiled.report.levels.map((level, index) => `${index + 1}. ${level.join(', ')}`),
      estimateLine(estimate),
    ])
    return exitCodes.completed
  }
  const session = await open()
  try {
    const requestId = options.requestId ?? drawRequestId(run.name, new Date())
    const { document, exitCode } = await detachable(requestId, output, () =>
      performRun(session, run, output, { inputs, requestId, priority, limits: given }),
    )
    output.data(document, () => runLines(document))
    return exitCode
  } finally {
    await session.close()
  }
}
