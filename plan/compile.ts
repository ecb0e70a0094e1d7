// From a written plan to the one that a run is held to, or to every reason why not. Pure: the same
// bytes, inputs, catalogue and rules give the same digest, in the command, the worker and the notary.

import { digestOf } from '../security/verify/hash.ts'
import { checkAnswer } from './compile-answer.ts'
import { checkArguments, type StepScope } from './compile-arguments.ts'
import { resolveInputs } from './compile-inputs.ts'
import { findCycle, levelsOf } from './graph.ts'
import type { Issue } from './issues.ts'
import { limits } from './limits.ts'
import type { ActionManifest, Catalogue } from './manifest.ts'
import { nearest } from './nearest.ts'
import { parsePlan, parseSource } from './parse.ts'
import type { Decide } from './policy.ts'
import { checkGuard, GuardError } from './predicate.ts'
import { sourcesOf } from './references.ts'
import { type Durations, reportOn } from './report.ts'
import type {
  CompiledPlan,
  CompiledStep,
  CompileReport,
  InputValues,
  WrittenPlan,
  WrittenStep,
} from './schema.ts'

export type CompileResult =
  | {
      readonly ok: true
      readonly plan: CompiledPlan
      readonly digest: string
      readonly report: CompileReport
    }
  | { readonly ok: false; readonly issues: readonly Issue[] }

export interface CompileContext {
  readonly inputs: InputValues
  readonly catalogue: Catalogue
  readonly decide: Decide
  /** Recorded durations per `agent.action`; without them a cautious guess is used. */
  readonly durations?: Durations
  /** Milliseconds the person gives it; a critical path that is longer is INFEASIBLE. */
  readonly deadlineMs?: number
}

/** Compiles the bytes of a recipe or plan file. Never throws on any input. */
export function compileSource(
  input: CompileContext & { readonly kind: 'recipe' | 'plan'; readonly source: string },
): CompileResult {
  const parsed = parseSource(input.kind, input.source)
  return parsed.ok ? compileWritten(parsed.plan, input) : parsed
}

/** Compiles a plan that is data already. */
export function compilePlan(written: unknown, context: CompileContext): CompileResult {
  const parsed = parsePlan(written)
  return parsed.ok ? compileWritten(parsed.plan, context) : parsed
}

function compileWritten(plan: WrittenPlan, context: CompileContext): CompileResult {
  const issues: Issue[] = [...duplicateIds(plan)]
  const inputs = resolveInputs(plan.inputs ?? {}, context.inputs, issues)
  const actions = new Map<string, ActionManifest>()
  for (const [index, step] of plan.steps.entries()) {
    const action = findAction(step, `/steps/${index}`, context.catalogue, issues)
    if (action !== undefined) actions.set(step.id, action)
  }
  const scope: StepScope = {
    actions,
    written: new Map(plan.steps.map((step) => [step.id, step])),
    inputs: plan.inputs ?? {},
  }
  for (const [index, step] of plan.steps.entries()) {
    checkStep(step, `/steps/${index}`, scope, issues)
    const action = actions.get(step.id)
    if (action !== undefined) checkPolicy(step, action, `/steps/${index}`, context.decide, issues)
  }
  checkAnswer(plan, scope, issues)
  if (issues.length > 0) return { ok: false, issues }
  const steps = plan.steps.map((step) => toCompiledStep(step, actions))
  const cycle = findCycle(steps)
  if (cycle !== undefined) return { ok: false, issues: [cycleIssue(plan, cycle)] }
  const compiled: CompiledPlan = { version: 1, goal: plan.goal, inputs, steps, answer: plan.answer }
  const report = reportOn(compiled, levelsOf(steps), actions, context.durations)
  if (context.deadlineMs !== undefined && report.estimateMs.p50 > context.deadlineMs) {
    const message = `the longest path takes about ${report.estimateMs.p50} ms, the deadline is in ${context.deadlineMs} ms`
    return { ok: false, issues: [{ code: 'INFEASIBLE', path: '', message }] }
  }
  return { ok: true, plan: compiled, digest: digestOf(compiled), report }
}

function* duplicateIds(plan: WrittenPlan): Iterable<Issue> {
  const seen = new Map<string, number>()
  for (const [index, { id }] of plan.steps.entries()) {
    const first = seen.get(id)
    if (first === undefined) {
      seen.set(id, index)
      continue
    }
    yield {
      code: 'DUPLICATE_ID',
      path: `/steps/${index}/id`,
      message: `another step is called ${id}`,
      source: `/steps/${first}/id`,
    }
  }
}

function findAction(
  step: WrittenStep,
  path: string,
  catalogue: Catalogue,
  issues: Issue[],
): ActionManifest | undefined {
  const agent = catalogue.get(step.agent)
  if (agent === undefined) {
    issues.push({
      code: 'UNKNOWN_AGENT',
      path: `${path}/agent`,
      message: `there is no agent ${step.agent}`,
      ...nearest(step.agent, catalogue.keys()),
    })
    return undefined
  }
  if (Object.hasOwn(agent.actions, step.action)) return agent.actions[step.action]
  issues.push({
    code: 'UNKNOWN_ACTION',
    path: `${path}/action`,
    message: `${step.agent} has no action ${step.action}`,
    ...nearest(step.action, Object.keys(agent.actions)),
  })
  return undefined
}

function checkStep(step: WrittenStep, path: string, scope: StepScope, issues: Issue[]): void {
  for (const [index, need] of (step.needs ?? []).entries()) {
    if (scope.written.has(need)) continue
    issues.push({
      code: 'UNKNOWN_REFERENCE',
      path: `${path}/needs/${index}`,
      message: `there is no step ${need}`,
      ...nearest(need, scope.written.keys()),
    })
  }
  checkArguments(step, path, scope, issues)
  if (step.when !== undefined) {
    try {
      checkGuard(step.when)
    } catch (error) {
      if (!(error instanceof GuardError)) throw error
      issues.push({ code: 'INVALID_EXPRESSION', path: `${path}/when/cel`, message: error.message })
    }
  }
  const action = scope.actions.get(step.id)
  const timeoutMs = action?.timeoutMs ?? Number.POSITIVE_INFINITY
  if (step.timeoutMs !== undefined && step.timeoutMs > timeoutMs) {
    const message = `${step.agent}.${step.action} may take ${timeoutMs} ms at most`
    issues.push({ code: 'LIMIT', path: `${path}/timeoutMs`, message })
  }
  if (step.undo !== undefined && action !== undefined) checkUndo(step, action, path, issues)
}

/** A plan may repeat the manifest's undo, never invent another: the notary would authorise it. */
function checkUndo(step: WrittenStep, action: ActionManifest, path: string, issues: Issue[]): void {
  const declared = action.undo
  if (declared !== 'none' && digestOf(declared) === digestOf(step.undo)) return
  issues.push({
    code: 'INVALID_ARGUMENT',
    path: `${path}/undo`,
    message:
      declared === 'none'
        ? `${step.agent}.${step.action} cannot be undone`
        : `the undo of ${step.agent}.${step.action} is ${declared.action} with the arguments of its manifest`,
    fix: 'leave undo out',
  })
}

function checkPolicy(
  step: WrittenStep,
  action: ActionManifest,
  path: string,
  decide: Decide,
  issues: Issue[],
): void {
  const decision = decide({
    agent: step.agent,
    action: step.action,
    effect: action.effect,
    audience: action.audience,
    hasUndo: action.undo !== 'none',
    kind: 'do',
  })
  if (decision.allow) return
  issues.push({
    code: 'POLICY',
    path,
    message: `no rule allows it (asked: ${decision.rules.join(', ')}); missing: ${decision.missing}`,
  })
}

function toCompiledStep(
  step: WrittenStep,
  actions: ReadonlyMap<string, ActionManifest>,
): CompiledStep {
  const action = actions.get(step.id)
  if (action === undefined) throw new Error(`step ${step.id} has no action`)
  const args = step.args ?? {}
  const when = step.when ?? null
  const needs = new Set([...(step.needs ?? []), ...sourcesOf({ args, when })])
  return {
    id: step.id,
    agent: step.agent,
    action: step.action,
    effect: action.effect,
    args,
    needs: [...needs],
    join: 'all',
    when,
    onError: step.onError ?? 'abort',
    timeoutMs: step.timeoutMs ?? action.timeoutMs,
    attempts: step.attempts ?? limits.attempts,
    undo: action.undo === 'none' ? null : action.undo,
  }
}

function cycleIssue(plan: WrittenPlan, cycle: readonly string[]): Issue {
  const index = plan.steps.findIndex((step) => step.id === cycle[0])
  return {
    code: 'CYCLE',
    path: `/steps/${index}/needs`,
    message: `these steps wait for each other: ${[...cycle, cycle[0]].join(' -> ')}`,
  }
}
