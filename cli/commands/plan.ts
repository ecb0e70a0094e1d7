// `recipes`, `plan show`, `plan check`: what could run and what would be refused, without a platform.

import { catalogue } from '../../agents/catalogue.ts'
import type { CompiledPlan, InputValues } from '../../plan/schema.ts'
import { listRecipes } from '../../planner/recipes.ts'
import { type ExitCode, exitCodes } from '../exit-codes.ts'
import { type Output, table } from '../output.ts'
import { compileRun, readRunSource, reportIssues } from './run.ts'

export function recipesCommand(output: Output): ExitCode {
  const recipes = listRecipes().map(({ name, title, phrases, inputs }) => ({
    name,
    title,
    phrases,
    inputs,
  }))
  output.data(recipes, () => table(recipes.map((recipe) => [recipe.name, recipe.title])))
  return exitCodes.completed
}

/** Compiles with the rules the notary uses; whatever passes here is admitted there. */
export function planCheckCommand(output: Output, what: string, inputs: InputValues): ExitCode {
  const result = compileRun(readRunSource(what), inputs)
  if (!result.ok) {
    output.data({ ok: false, issues: result.issues }, () => [])
    return reportIssues(result, output)
  }
  const { digest, report } = result
  output.data({ ok: true, digest, issues: [], report }, () => [
    `ok  ${digest}`,
    ...report.levels.map((level, index) => `${index + 1}. ${level.join(', ')}`),
    `agents: ${report.agents.join(', ')}   risk: ${report.risk}`,
    `estimated: ${report.estimateMs.p50} ms (p50), ${report.estimateMs.p95} ms (p95)`,
  ])
  return exitCodes.completed
}

export function planShowCommand(output: Output, what: string, inputs: InputValues): ExitCode {
  const result = compileRun(readRunSource(what), inputs)
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
