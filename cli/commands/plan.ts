// `plan show`, `plan check`: what could run and what would be refused, without a platform.

import { catalogue } from '../../agents/catalogue.ts'
import { handlesNamed } from '../../plan/compile-handles.ts'
import type { Decide } from '../../plan/policy.ts'
import type { KnownNames } from '../../plan/principals.ts'
import type { CompiledPlan, InputValues } from '../../plan/schema.ts'
import { estimateLine, estimateOf } from '../estimate-words.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { type Output, table } from '../output.ts'
import { compileRun, readRunSource, reportIssues } from './run.ts'

/** What a plan is compiled with, besides its bytes. */
interface Given {
  /** IANA name: where the times are that a plan gives without a zone. */
  readonly zone: string
  readonly inputs: InputValues
  readonly names: KnownNames
  readonly decide: Decide
}

/** Compiles with the rules the notary uses; whatever passes here is admitted there. */
export function planCheckCommand(output: Output, what: string, given: Given): ExitCode {
  const result = compileRun(readRunSource(what), { ...given, handles: 'later' })
  if (!result.ok) {
    output.data({ ok: false, issues: result.issues }, () => [])
    return reportIssues(result, output)
  }
  const { report } = result
  const estimate = estimateOf(result.plan, { now: Date.now(), zone: given.zone })
  const handles = handlesNamed(result.plan)
  // What stands behind a handle is part of the plan, and only the notary knows it.
  const digest = handles.length === 0 ? result.digest : null
  const told = handles.length === 0 ? {} : { handles }
  output.data({ ok: true, digest, issues: [], report, estimate, ...told }, () => [
    `ok  ${digest ?? 'as far as it can be told without the notary'}`,
    ...handles.map(
      (handle) => `${handle} is looked up when it is run: whether it is yours, and fits`,
    ),
    ...report.levels.map((level, index) => `${index + 1}. ${level.join(', ')}`),
    `agents: ${report.agents.join(', ')}   risk: ${report.risk}`,
    `estimated: ${report.estimateMs.p50} ms (p50), ${report.estimateMs.p95} ms (p95)`,
    estimateLine(estimate),
    ...(report.approvals.length === 0 ? [] : [`asked about: ${report.approvals.join(', ')}`]),
    ...report.questions.flatMap(({ step, code, path, message, fix }) => [
      `${step} waits for your approval when it is due (${code} ${path}): ${message}`,
      ...(fix === undefined ? [] : [`  not asked if you ${fix}`]),
    ]),
  ])
  return exitCodes.completed
}

export function planShowCommand(output: Output, what: string, given: Given): ExitCode {
  const result = compileRun(readRunSource(what), { ...given, handles: 'later' })
  if (!result.ok) {
    output.data({ ok: false, issues: result.issues }, () => [])
    return reportIssues(result, output)
  }
  output.data(result.plan, () => planLines(result.plan))
  return exitCodes.completed
}

function planLines(plan: CompiledPlan): string[] {
  const rows = plan.steps.map((step) => [
    step.id,
    `${step.agent}.${step.action}`,
    step.effect,
    step.needs.length === 0 ? 'at once' : `after ${step.needs.join(', ')}`,
    step.undo === null ? '' : `undo ${step.undo.action}`,
    step.when === null ? '' : `when ${step.when.cel}`,
  ])
  return [plan.goal, '', ...table(rows)]
}

/** The agents a plan may use, without a platform. */
export function agentNames(): readonly string[] {
  return [...catalogue.keys()]
}
