// `bulkhead run`: a recipe or a plan file -> a registered request -> a run, watched to its end.
// Order (contracts.md): artifact.put, notary.request, start of the workflow; each is idempotent by
// the request id, so a command that was cut off can be repeated with `--request-id`.

import { randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { catalogue } from '../../agents/catalogue.ts'
import { type CompileResult, compileSource } from '../../plan/compile.ts'
import { limits } from '../../plan/limits.ts'
import { decide } from '../../plan/policy.ts'
import { type InputValues, requestIdPattern } from '../../plan/schema.ts'
import { findRecipe, listRecipes } from '../../planner/recipes.ts'
import type { RunState } from '../../workflows/contract.ts'
import { onlineAudit } from '../audit-source.ts'
import { readAuditKey, summarise, verifyAudit } from '../audit-verification.ts'
import { CommandError, type ExitCode, exitCodeOfRun, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import { readInputs } from '../request-inputs.ts'
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

export function compileRun(run: RunSource, inputs: InputValues): CompileResult {
  return compileSource({ kind: run.kind, source: run.source, inputs, catalogue, decide })
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
  for (const issue of result.issues) {
    output.talk(`${issue.code} ${issue.path}: ${issue.message}`)
    if (issue.fix !== undefined) output.talk(`  fix: ${issue.fix}`)
  }
  return result.issues.some((issue) => issue.code === 'POLICY')
    ? exitCodes.denied
    : exitCodes.failed
}

export interface RunOptions {
  readonly inputs: InputValues
  readonly requestId: string
}

/** Registers, starts and watches one run. */
export async function performRun(
  session: Session,
  run: RunSource,
  output: Output,
  options: RunOptions,
): Promise<{ readonly document: RunDocument; readonly exitCode: ExitCode }> {
  const { requestId, inputs } = options
  const request = { ...run, inputs }
  const stored = await session.putRequest(requestId, JSON.stringify(request))
  if (stored.status !== 'STORED') throw refused('the worker', requestId, stored)
  const registered = await session.request({ requestId, ...request, priority: 'MEDIUM' })
  if (registered.status !== 'REGISTERED') throw refused('the notary', requestId, registered)
  const { runId } = await session.runs.submit({
    requestId,
    requestRef: stored.ref,
    ...(run.kind === 'recipe' ? { recipe: run.name } : {}),
  })
  output.talk(`run ${requestId} started`)
  await watchRun(session, requestId, output)
  const document = await readRun(session, requestId, runId)
  return {
    document,
    exitCode: exitCodeOfRun(document.status, allOutcomes(document)),
  }
}

interface Refusal {
  readonly status: string
  readonly code?: string
  readonly message?: string
}

function refused(who: string, requestId: string, reply: Refusal): CommandError {
  const { code, status, message = '' } = reply
  const said = message === '' ? '' : `: ${message}`
  return new CommandError(`${who} refused the request: ${code ?? status}${said}`, {
    exitCode: code === 'POLICY' ? exitCodes.denied : exitCodes.failed,
    next: nextAfter(code, requestId),
  })
}

function nextAfter(code: string | undefined, requestId: string): string {
  switch (code) {
    case 'REQUEST_CONFLICT':
      return `npx bulkhead runs show ${requestId}   or run it without --request-id`
    case 'STORAGE_FULL':
    case 'AUDIT_UNAVAILABLE':
      return 'free some disk space (npx bulkhead doctor says where), then run it again'
    default:
      return 'npx bulkhead plan check <recipe|plan.yaml>'
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
 * Tells each step's outcome as it comes.
 * @throws CommandError when the platform is stopped meanwhile
 */
export async function watchRun(session: Session, requestId: string, output: Output): Promise<void> {
  const over = new AbortController()
  const follow = async () => {
    let before: RunState | undefined
    for await (const state of session.runs.watch(requestId, over.signal)) {
      for (const line of changedSteps(before, state)) output.talk(line)
      before = state
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
  const state = result ?? (await session.runs.state(requestId))
  const ref = result?.answerRef ?? null
  const artifact = ref === null ? undefined : await session.getArtifact(ref)
  const { temporal } = session.deployment
  return toRunDocument({
    requestId,
    runId: knownRunId ?? runId,
    ...(recipe === undefined ? {} : { recipe }),
    state,
    answer: artifact?.status === 'FOUND' ? artifact.content : null,
    audit: summarise(await verifyAudit(onlineAudit(session), readAuditKey(session.state))),
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
    readonly requestId?: string
  },
): Promise<ExitCode> {
  const run = readRunSource(what)
  const inputs = readInputs(options.input)
  assertRequestId(options.requestId)
  const compiled = compileRun(run, inputs)
  if (!compiled.ok) {
    output.data({ ok: false, issues: compiled.issues }, () => [])
    return reportIssues(compiled, output)
  }
  if (options.dryRun) {
    output.data({ ok: true, digest: compiled.digest, issues: [], report: compiled.report }, () => [
      `${run.name}: would run ${compiled.plan.steps.length} steps in ${compiled.report.levels.length} levels`,
      ...compiled.report.levels.map((level, index) => `${index + 1}. ${level.join(', ')}`),
    ])
    return exitCodes.completed
  }
  const session = await open()
  try {
    const requestId = options.requestId ?? drawRequestId(run.name, new Date())
    const { document, exitCode } = await detachable(requestId, output, () =>
      performRun(session, run, output, { inputs, requestId }),
    )
    output.data(document, () => runLines(document))
    return exitCode
  } finally {
    await session.close()
  }
}
