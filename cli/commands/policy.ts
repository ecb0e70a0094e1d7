// `policy check|test|explain|simulate|reload`: rules of one's own before they are in force, and what the
// ones in force have said. Nothing here decides about a run.

import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { type Policy, toPolicy } from '../../plan/policy.ts'
import { faultOfPolicy } from '../../plan/policy-check.ts'
import { defaultIgnore } from '../../security/policy/default-policy.ts'
import { buildHousehold, sourcesOf } from '../../security/policy/household.ts'
import { openPolicyFile } from '../../security/policy/policy-file.ts'
import { toTime } from '../audit-filter.ts'
import { projectRoot } from '../config.ts'
import { callControl } from '../control.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import { askOpa, locateOpa, type TestedRules, testRules } from '../opa.ts'
import type { Output } from '../output.ts'
import { readPolicy, readPolicyFile } from '../policy.ts'
import {
  type Difference,
  differenceOf,
  factWords,
  type RecordedDecision,
  readDecision,
  verdictWords,
} from '../recorded-decisions.ts'
import { findDeployment, notRunning } from '../session.ts'
import { withAudit } from './runs.ts'

/** @throws CommandError */
function assertFolder(folder: string): void {
  if (existsSync(folder) && statSync(folder).isDirectory() && sourcesOf(folder).length > 0) return
  throw new CommandError(`${folder} is not a folder with rules`, {
    exitCode: exitCodes.usage,
    next: 'put *.rego with `package household` there; examples: docs/adr/0032-rules-in-rego-one-engine.md',
  })
}

const hasTests = (folder: string) => sourcesOf(folder).some((name) => name.endsWith('_test.rego'))

/** The default rules with a household's beside them, as the notary would have them. */
async function openWith(state: string, opa: string, folder: string): Promise<Policy> {
  const { wasm, data } = await askOpa(folder, () => buildHousehold(opa, resolve(folder)))
  const household = z.record(z.string(), z.unknown()).parse(data)
  const { settings } = readPolicyFile(state)
  const { standard, household: own } = await openPolicyFile({
    settings,
    household: { wasm: Buffer.from(wasm).toString('base64'), data: household },
  })
  return toPolicy(standard, own)
}

export async function policyCheckCommand(
  output: Output,
  state: string,
  folder: string,
): Promise<ExitCode> {
  assertFolder(folder)
  const opa = await locateOpa()
  const policy = await openWith(state, opa, folder)
  const fault = faultOfPolicy(policy)
  if (fault !== undefined) {
    throw new CommandError(`${folder} would not be put in force: ${fault}`, {
      exitCode: exitCodes.failed,
      next: `edit the rules, then: npx bulkhead policy check ${folder}`,
    })
  }
  const tested = hasTests(folder)
    ? await askOpa(folder, () => testRules(opa, resolve(folder)))
    : undefined
  const { digest } = policy
  const ok = tested === undefined || tested.failed.length === 0
  output.data({ ok, digest, tests: tested ?? null }, () => [
    ok ? `ok  ${digest}` : `${folder}: its tests fail`,
    tested === undefined ? 'no tests beside the rules' : testWords(tested),
  ])
  return ok ? exitCodes.completed : exitCodes.failed
}

function testWords({ passed, failed, coverage }: TestedRules): string {
  if (failed.length > 0) return `${passed} passed, failed: ${failed.join(', ')}`
  return `${passed} passed, ${coverage} % of the lines asked`
}

/** The default rules' tests, and those of a household's folder. */
export async function policyTestCommand(
  output: Output,
  folder: string | undefined,
): Promise<ExitCode> {
  if (folder !== undefined) assertFolder(folder)
  const opa = await locateOpa()
  const rules = `${projectRoot}/security/policy`
  const standard = await askOpa(rules, () => testRules(opa, rules, defaultIgnore))
  const household =
    folder === undefined ? undefined : await askOpa(folder, () => testRules(opa, resolve(folder)))
  const ok = [standard, household].every((one) => one === undefined || one.failed.length === 0)
  output.data({ ok, default: standard, household: household ?? null }, () => [
    `default rules: ${testWords(standard)}`,
    ...(household === undefined ? [] : [`${folder}: ${testWords(household)}`]),
  ])
  return ok ? exitCodes.completed : exitCodes.failed
}

/** Why a step of a past run was allowed, asked about or refused, and what would be said today. */
export async function policyExplainCommand(
  output: Output,
  state: string,
  { run, step }: { readonly run: string; readonly step: string },
): Promise<ExitCode> {
  const policy = await readPolicy(state)
  const found = await decisionsSince(state, 0, (one) => one.run === run && one.step === step)
  if (found.length === 0) {
    throw new CommandError(`the audit knows no decision of the policy on ${step} of ${run}`, {
      exitCode: exitCodes.failed,
      next: `npx bulkhead audit query --run ${run}`,
    })
  }
  const decisions = found.map((one) => ({ ...one, today: policy.decide(one.question) }))
  output.data({ policy: policy.digest, decisions }, () =>
    decisions.flatMap(({ today, ...one }) => [
      `${new Date(one.at).toISOString()}  row ${one.seq}: ${verdictWords(one)}`,
      `  ${factWords(one.question)}`,
      `  policy ${one.policy}${one.policy === policy.digest ? ', still in force' : ''}`,
      ...(one.policy === policy.digest ? [] : [`  today: ${verdictWords(today)}`]),
    ]),
  )
  return exitCodes.completed
}

async function decisionsSince(
  state: string,
  since: number,
  fits: (decision: RecordedDecision) => boolean = () => true,
): Promise<readonly RecordedDecision[]> {
  const found: RecordedDecision[] = []
  await withAudit(state, async (source) => {
    for await (const row of source.rows(1)) {
      if (row.at < since) continue
      const decision = readDecision(row)
      if (decision !== undefined && fits(decision)) found.push(decision)
    }
  })
  return found
}

/** More than a person would read; the count is of all. */
const maxShown = 200

export async function policySimulateCommand(
  output: Output,
  state: string,
  { folder, since }: { readonly folder: string; readonly since: string },
): Promise<ExitCode> {
  assertFolder(folder)
  const from = toTime(since, Date.now())
  const opa = await locateOpa()
  const policy = await openWith(state, opa, folder)
  const differences: Difference[] = []
  let asked = 0
  await withAudit(state, async (source) => {
    for await (const row of source.rows(1)) {
      const decision = row.at < from ? undefined : readDecision(row)
      if (decision === undefined) continue
      asked += 1
      const difference = differenceOf(decision, policy.decide)
      if (difference !== undefined) differences.push(difference)
    }
  })
  const { digest } = policy
  output.data({ policy: digest, asked, different: differences.length, differences }, () => [
    `${asked} decisions since ${new Date(from).toISOString()}, ${differences.length} would be others`,
    ...differences
      .slice(0, maxShown)
      .map((one) => `${one.run} ${one.step}: ${verdictWords(one)} -> ${verdictWords(one.anew)}`),
    ...(differences.length > maxShown ? [`and ${differences.length - maxShown} more: --json`] : []),
  ])
  return exitCodes.completed
}

/** OPA may have to be built before the rules are compiled. */
const reloadTimeoutMs = 16 * 60_000
const reloadedSchema = z.object({
  digest: z.string(),
  previous: z.string(),
  refused: z.string().nullable(),
  worker: z.enum(['taken', 'behind']),
})
const refusalSchema = z.object({ message: z.string(), next: z.string().optional() })

/** Has a running platform read `policy:` of its configuration again. */
export async function policyReloadCommand(output: Output, state: string): Promise<ExitCode> {
  const deployment = findDeployment(state)
  if (deployment === undefined) throw notRunning(state)
  const socket = deployment.controlSocket
  const { status, body } = await callControl(socket, 'POST', '/policy/reload', reloadTimeoutMs)
  if (status !== 200) {
    const { message, next = 'npx bulkhead status' } = refusalSchema.parse(body)
    throw new CommandError(message, { exitCode: exitCodes.failed, next })
  }
  const reloaded = reloadedSchema.parse(body)
  const { digest, previous, refused, worker } = reloaded
  output.data(reloaded, () => {
    if (refused !== null) return [`refused: ${refused}`, `still in force: ${digest}`]
    return [
      digest === previous ? `as before: ${digest}` : `in force: ${digest}`,
      ...(worker === 'taken' ? [] : ['the worker compiles by it from its next start']),
    ]
  })
  return refused === null ? exitCodes.completed : exitCodes.failed
}
