// From a written plan to the one that a run is held to, or to every reason why not. Pure: the same
// bytes, inputs, catalogue and rules give the same digest, in the command, the worker and the notary.

import { digestOf } from '../security/verify/hash.ts'
import { absentInputs, leaveOut } from './absent-inputs.ts'
import { checkAnswer } from './compile-answer.ts'
import { type Check, checkArguments, type StepScope } from './compile-arguments.ts'
import { lookUpHandles, pinsIn } from './compile-handles.ts'
import { resolveInputs } from './compile-inputs.ts'
import { checkExpansion, checkLoop } from './compile-loops.ts'
import { checkPolicy } from './compile-policy.ts'
import { createFindings, type Findings } from './findings.ts'
import type { Authorship } from './flow-rules.ts'
import { findCycles, levelsOf } from './graph.ts'
import { isHandle, type LookUpHandle } from './handle.ts'
import type { Issue } from './issues.ts'
import { judgePlan, toIssue } from './judge-flow.ts'
import { limits } from './limits.ts'
import type { ActionManifest, Catalogue } from './manifest.ts'
import { parsePlan, parseSource } from './parse.ts'
import type { Decide } from './policy.ts'
import { checkGuard, GuardError } from './predicate.ts'
import { type KnownNames, nobody } from './principals.ts'
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
  /** The person's lists; without them no address is theirs and no value is vouched for. */
  readonly names?: KnownNames | undefined
  /**
   * What stands behind a handle. `later`: whoever registers the plan finds out. Absent: the plan may have
   * none, because it is to run again and again.
   */
  readonly handles?: LookUpHandle | 'later' | undefined
  /** Recorded durations per `agent.action`; without them a cautious guess is used. */
  readonly durations?: Durations
}

/** More knots than this tell nobody anything new. */
const maxCycles = 10

/** Bytes that a person registers: their literals are that person's. */
const byPerson: Authorship = { author: 'person' }

/** Compiles the bytes of a recipe or plan file that a person asks for. Never throws on any input. */
export function compileSource(
  input: CompileContext & { readonly kind: 'recipe' | 'plan'; readonly source: string },
): CompileResult {
  const parsed = parseSource(input.kind, input.source)
  if (!parsed.ok) return parsed
  const compiled = compileWritten(parsed.plan, { ...input, authorship: byPerson })
  if (input.kind === 'plan') return compiled
  if (!compiled.ok) return { ok: false, issues: compiled.issues.map(toRecipeIssue) }
  const questions = compiled.report.questions.map(toRecipeIssue)
  return { ...compiled, report: { ...compiled.report, questions } }
}

/** In a recipe's file the plan stands under `plan`, its inputs beside it. */
function toRecipeIssue<One extends Issue>(issue: One): One {
  const inPlan = (path: string) => (/^\/(?:steps|answer)/.test(path) ? `/plan${path}` : path)
  const { path, source } = issue
  return {
    ...issue,
    path: inPlan(path),
    ...(source === undefined ? {} : { source: inPlan(source) }),
  }
}

/** Compiles a plan of a person's that is data already. */
export function compilePlan(written: unknown, context: CompileContext): CompileResult {
  const parsed = parsePlan(written)
  return parsed.ok ? compileWritten(parsed.plan, { ...context, authorship: byPerson }) : parsed
}

/** A plan of a proven shape, by somebody: who wrote it says how far its literals are trusted. */
export function compileWritten(
  written: WrittenPlan,
  context: CompileContext & { readonly authorship: Authorship },
): CompileResult {
  const findings = createFindings()
  const plan = leaveOut(written, absentInputs(written.inputs ?? {}, context.inputs))
  reportDuplicates(plan, findings)
  const values = resolveInputs(plan.inputs ?? {}, context.inputs, findings)
  const actions = new Map<string, ActionManifest>()
  for (const [index, step] of plan.steps.entries()) {
    const action = findAction(step, `/steps/${index}`, context.catalogue, findings)
    if (action !== undefined) actions.set(step.id, action)
  }
  const handles = lookUpHandles(plan, context.handles, { ...context, findings })
  const scope: StepScope = {
    handles,
    actions,
    written: new Map(plan.steps.map((step) => [step.id, step])),
    inputs: plan.inputs ?? {},
    values,
  }
  const asked = new Set<string>()
  for (const [index, step] of plan.steps.entries()) {
    if (findings.full) break
    checkStep(step, `/steps/${index}`, { scope, findings })
    const action = actions.get(step.id)
    if (action === undefined) continue
    if (checkPolicy(step, action, `/steps/${index}`, { ...context, findings })) asked.add(step.id)
  }
  checkExpansion(plan, findings)
  checkAnswer(plan, scope, findings)
  const needs = needsOf(scope.written)
  const nodes = [...needs].map(([id, all]) => ({ id, needs: all }))
  for (const cycle of findCycles(nodes, maxCycles)) findings.add(cycleIssue(plan, cycle))
  if (findings.issues.some(({ code }) => code !== 'POLICY')) {
    return { ok: false, issues: findings.issues }
  }
  const steps = plan.steps.map((step) => toCompiledStep(step, actions, needs))
  const { goal, answer } = plan
  const pins = pinsIn(handles)
  const compiled: CompiledPlan = { version: 1, goal, inputs: values, steps, answer, ...pins }
  const judged = judgeFlow(compiled, context)
  for (const issue of judged.issues) findings.add(issue)
  if (findings.issues.length > 0) return { ok: false, issues: findings.issues }
  const { durations } = context
  const { enabled, questions } = judged
  const approvals = [...new Set([...asked, ...enabled, ...questions.map(({ step }) => step)])]
  const told = { durations, approvals, questions }
  const report = reportOn(compiled, levelsOf(steps), actions, told)
  return { ok: true, plan: compiled, digest: digestOf(compiled), report }
}

function judgeFlow(
  plan: CompiledPlan,
  { catalogue, names = nobody, authorship }: CompileContext & { readonly authorship: Authorship },
) {
  const judged = judgePlan(plan, catalogue, { names, ...authorship })
  const { violations, questions, enabled } = judged
  return {
    issues: violations.map(toIssue),
    questions: questions.map((one) => ({ step: one.step, ...toIssue(one) })),
    enabled,
  }
}

/** What must run before each step: declared, and implied by references. */
function needsOf(
  written: ReadonlyMap<string, WrittenStep>,
): ReadonlyMap<string, readonly string[]> {
  const order = new Map([...written.keys()].map((id, index) => [id, index]))
  // In the order of the plan, so that the digest does not depend on the order of an object's keys.
  const at = (id: string): number => order.get(id) ?? 0
  return new Map(
    [...written].map(([id, step]) => {
      const all = new Set([...(step.needs ?? []), ...referredTo(step)])
      return [id, [...all].toSorted((a, b) => at(a) - at(b))]
    }),
  )
}

function reportDuplicates(plan: WrittenPlan, findings: Findings): void {
  const seen = new Map<string, number>()
  for (const [index, { id }] of plan.steps.entries()) {
    const first = seen.get(id)
    if (first === undefined) {
      seen.set(id, index)
      continue
    }
    findings.add({
      code: 'DUPLICATE_ID',
      path: `/steps/${index}/id`,
      message: `another step is called ${id}`,
      source: `/steps/${first}/id`,
    })
  }
}

function findAction(
  step: WrittenStep,
  path: string,
  catalogue: Catalogue,
  findings: Findings,
): ActionManifest | undefined {
  const agent = catalogue.get(step.agent)
  if (agent === undefined) {
    const message = `there is no agent ${step.agent}`
    const slip = { name: step.agent, known: catalogue.keys() }
    findings.add({ code: 'UNKNOWN_AGENT', path: `${path}/agent`, message }, slip)
    return undefined
  }
  if (Object.hasOwn(agent.actions, step.action)) return agent.actions[step.action]
  const message = `${step.agent} has no action ${step.action}`
  const slip = { name: step.action, known: Object.keys(agent.actions) }
  findings.add({ code: 'UNKNOWN_ACTION', path: `${path}/action`, message }, slip)
  return undefined
}

function checkStep(step: WrittenStep, path: string, check: Check): void {
  const { scope, findings } = check
  for (const [index, need] of (step.needs ?? []).entries()) {
    if (findings.full) return
    if (scope.written.has(need)) continue
    const issue = { path: `${path}/needs/${index}`, message: `there is no step ${need}` }
    const slip = { name: need, known: scope.written.keys() }
    findings.add({ code: 'UNKNOWN_REFERENCE', ...issue }, slip)
  }
  const loop = checkLoop(step, path, check)
  checkArguments(step, path, { ...check, within: { join: step.join ?? 'all', loop } })
  checkJoin(step, path, findings)
  if (step.when !== undefined) {
    try {
      checkGuard(step.when)
    } catch (error) {
      if (!(error instanceof GuardError)) throw error
      const { message } = error
      findings.add({ code: 'INVALID_EXPRESSION', path: `${path}/when/cel`, message })
    }
  }
  const action = scope.actions.get(step.id)
  if (action === undefined) return
  if (step.timeoutMs !== undefined && step.timeoutMs > action.timeoutMs) {
    const message = `${step.agent}.${step.action} may take ${action.timeoutMs} ms at most`
    findings.add({ code: 'LIMIT', path: `${path}/timeoutMs`, message })
  }
  if (step.undo !== undefined) checkUndo(step, action, path, findings)
}

/** A step that waits for any of nothing would wait for ever. */
function checkJoin(step: WrittenStep, path: string, findings: Findings): void {
  if (step.join !== 'any' || referredTo(step).length + (step.needs ?? []).length > 0) return
  const message = 'join: any wants a step that it needs'
  findings.add({ code: 'INVALID_ARGUMENT', path: `${path}/join`, message, fix: 'leave join out' })
}

/** Steps of the same plan that its arguments, its guard and its list are resolved from. */
function referredTo({ args = {}, when, forEach }: WrittenStep): readonly string[] {
  const loop = forEach === undefined ? {} : { forEach }
  const sources = sourcesOf({ args, when: when ?? null, ...loop })
  return sources.filter((source) => !isHandle(source))
}

/** A plan may repeat the manifest's undo, never invent another: the notary would authorise it. */
function checkUndo(
  step: WrittenStep,
  action: ActionManifest,
  path: string,
  findings: Findings,
): void {
  const declared = action.undo
  if (declared !== 'none' && digestOf(declared) === digestOf(step.undo)) return
  findings.add({
    code: 'INVALID_ARGUMENT',
    path: `${path}/undo`,
    message:
      declared === 'none'
        ? `${step.agent}.${step.action} cannot be undone`
        : `the undo of ${step.agent}.${step.action} is ${declared.action} with the arguments of its manifest`,
    fix: 'leave undo out',
  })
}

function toCompiledStep(
  step: WrittenStep,
  actions: ReadonlyMap<string, ActionManifest>,
  needs: ReadonlyMap<string, readonly string[]>,
): CompiledStep {
  const action = actions.get(step.id)
  if (action === undefined) throw new Error(`step ${step.id} has no action`)
  return {
    id: step.id,
    agent: step.agent,
    action: step.action,
    effect: action.effect,
    args: step.args ?? {},
    needs: needs.get(step.id) ?? [],
    join: step.join ?? 'all',
    when: step.when ?? null,
    // A plan without them keeps the digest that it had before there were any (docs/adr/0017).
    ...(step.forEach === undefined ? {} : { forEach: step.forEach }),
    ...(step.at === undefined ? {} : { at: step.at }),
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
