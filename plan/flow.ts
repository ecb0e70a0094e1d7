// Follows every value of a plan from where it was written to where it is used, and gives each a label:
// arguments, what decides whether a step runs (its "pc"), and results, field by field. The plan is
// static, so both outcomes of a guard are labelled, whether the branch runs or not. Reads manifests and
// the plan, never a result: what an agent says cannot improve a label. Pure; linear in the references.
//
// `pc` comes from `when`, `forEach` and `join: any`. A step that only waits (`needs`) learns nothing but
// that the run goes on: that channel is open, and SECURITY says so. Under `onError: continue` a result
// may be absent, so whoever refers to it also learns how the step ended.

import { levelsOf } from './graph.ts'
import { isHandle } from './handle.ts'
import { labelOfHandle } from './handle-label.ts'
import { bottom, join, joinAll, type Label, labelOfField, unknown, written } from './labels.ts'
import type { ActionManifest, AgentManifest, Catalogue } from './manifest.ts'
import { isObject, parsePointer, type Reference, toPointer } from './pointer.ts'
import { formOf, referenceOf } from './references.ts'
import type { Argument, CompiledPlan, CompiledStep } from './schema.ts'

/** One value in the arguments of a step: a literal, or a form that becomes one. */
export interface Piece {
  /** Where it stands in the arguments. */
  readonly tokens: readonly string[]
  readonly argument: Argument
  readonly label: Label
}

/** One of the things that decide whether, or how often, a step runs. */
export interface Condition {
  readonly by: 'when' | 'forEach' | 'join'
  readonly label: Label
  /** What it reads; of `join` the needs, by their whole results. */
  readonly reads: readonly Argument[]
}

export interface StepFlow {
  readonly index: number
  readonly step: CompiledStep
  readonly agent: AgentManifest
  readonly action: ActionManifest
  readonly pieces: readonly Piece[]
  readonly conditions: readonly Condition[]
  /** All conditions joined. */
  readonly pc: Label
  /** What everything that the step returns depends on: its arguments and its pc. */
  readonly base: Label
  /** That it settled or failed: what its absence tells. */
  readonly outcome: Label
}

export interface PlanFlow {
  readonly plan: CompiledPlan
  /** In the order of the plan. */
  readonly steps: ReadonlyMap<string, StepFlow>
  /** What a value of this step would be labelled. */
  labelOf(argument: Argument, step: CompiledStep): Label
}

/**
 * Labels every value of a compiled plan. A step whose action no manifest declares has no flow, and a
 * reference to it is of unknown origin.
 */
export function followPlan(plan: CompiledPlan, catalogue: Catalogue): PlanFlow {
  const flows = new Map<string, StepFlow>()
  const byId = new Map(plan.steps.map((step, index) => [step.id, { step, index }]))
  const labelOf = createLabels(flows, (reference) =>
    labelOfHandle(reference, plan.handles, catalogue),
  )
  for (const id of levelsOf(plan.steps).flat()) {
    const found = byId.get(id)
    const agent = found === undefined ? undefined : catalogue.get(found.step.agent)
    const action = found === undefined ? undefined : agent?.actions[found.step.action]
    if (found === undefined || agent === undefined || action === undefined) continue
    const { step, index } = found
    const pieces = piecesOf(step.args).map((piece) => ({
      ...piece,
      label: labelOf(piece.argument, step),
    }))
    const conditions = conditionsOf(step, flows, labelOf)
    const pc = joinAll(conditions.map(({ label }) => label))
    const base = join(pc, joinAll(pieces.map(({ label }) => label)))
    const outcome = joinAll([base, labelOfField(action, []), originOf(step, [])])
    flows.set(id, { index, step, agent, action, pieces, conditions, pc, base, outcome })
  }
  const steps = new Map(
    plan.steps.flatMap(({ id }): [string, StepFlow][] => {
      const flow = flows.get(id)
      return flow === undefined ? [] : [[id, flow]]
    }),
  )
  return { plan, steps, labelOf }
}

function createLabels(
  flows: ReadonlyMap<string, StepFlow>,
  labelOfEarlier: (reference: Reference) => Label,
): PlanFlow['labelOf'] {
  const known = new Map<string, Label>()
  const labelOfReference = (reference: Reference): Label => {
    const { step: id, tokens } = reference
    if (isHandle(id)) return labelOfEarlier(reference)
    const key = `${id}#${toPointer(tokens)}`
    const label = known.get(key)
    if (label !== undefined) return label
    const flow = flows.get(id)
    if (flow === undefined) return unknown
    const { step, action, base, outcome } = flow
    // A loop's result is the list of what its iterations returned.
    const field = step.forEach === undefined ? tokens : tokens.slice(1)
    const made = joinAll([
      base,
      labelOfField(action, field),
      originOf(step, tokens),
      step.onError === 'continue' ? outcome : bottom,
    ])
    known.set(key, made)
    return made
  }
  const labelOf = (argument: Argument, step: CompiledStep): Label => {
    if (Array.isArray(argument)) return joinAll(argument.map((item) => labelOf(item, step)))
    if (!isObject(argument)) return written
    const item = itemOf(argument, step)
    if (item !== undefined) {
      if (item === 'stray') return unknown
      if (Array.isArray(item.list)) return labelOf(partsOf(item.list, item.tokens), outside(step))
      const list = referenceIn(item.list)
      if (list === undefined) return labelOf(item.list, outside(step))
      return labelOfReference({ step: list.step, tokens: [...list.tokens, '*', ...item.tokens] })
    }
    const form = formOf(argument)
    const reference = referenceOf(form)
    if (reference !== undefined) return labelOfReference(reference)
    if (form.form === 'input') return written
    if (form.form === 'text') return join(written, labelOf(form.with, step))
    if (form.form !== 'none') return unknown
    return joinAll(Object.values(argument as ArgumentRecord).map((value) => labelOf(value, step)))
  }
  return labelOf
}

type ArgumentRecord = Readonly<Record<string, Argument>>

/**
 * The list that a `$item` is of, and its place in an item; `stray` when it is of no loop of the step, or
 * is no form at all.
 */
export function itemOf(
  argument: Argument,
  { forEach }: CompiledStep,
): { readonly list: Argument; readonly tokens: readonly string[] } | 'stray' | undefined {
  if (!isObject(argument)) return undefined
  const form = formOf(argument)
  if (form.form === 'unknown') return 'stray'
  if (form.form !== 'item') return undefined
  const tokens = parsePointer(form.pointer)
  if (forEach === undefined || forEach.as !== form.as || tokens === undefined) return 'stray'
  return { list: forEach.in, tokens }
}

/** The step as its loop's list sees it: there is no item yet. */
export function outside(step: CompiledStep): CompiledStep {
  const { forEach: _, ...rest } = step
  return rest
}

/** What stands at a place in an argument, as far as the plan writes it out; else undefined. */
export function argumentAt(argument: Argument, tokens: readonly string[]): Argument | undefined {
  const [name, ...rest] = tokens
  if (name === undefined) return argument
  if (!isObject(argument) || formOf(argument).form !== 'none' || !Object.hasOwn(argument, name)) {
    return undefined
  }
  return argumentAt((argument as ArgumentRecord)[name] as Argument, rest)
}

/** Of every item the part at a place; the whole item where only its value will tell. */
function partsOf(list: readonly Argument[], tokens: readonly string[]): readonly Argument[] {
  return list.map((one) => argumentAt(one, tokens) ?? one)
}

/** The reference that an argument is, when it is one as a whole. */
export function referenceIn(argument: Argument): Reference | undefined {
  return isObject(argument) ? referenceOf(formOf(argument)) : undefined
}

function originOf({ id, agent }: CompiledStep, tokens: readonly string[]): Label {
  return { ...bottom, agents: [agent], provenance: [`${id}#${toPointer(tokens)}`] }
}

function piecesOf(
  argument: Argument,
  tokens: readonly string[] = [],
): readonly Omit<Piece, 'label'>[] {
  if (Array.isArray(argument)) {
    return argument.flatMap((item, index) => piecesOf(item, [...tokens, String(index)]))
  }
  if (!isObject(argument) || formOf(argument).form !== 'none') return [{ tokens, argument }]
  return Object.entries(argument as ArgumentRecord).flatMap(([name, value]) =>
    piecesOf(value, [...tokens, name]),
  )
}

function conditionsOf(
  step: CompiledStep,
  flows: ReadonlyMap<string, StepFlow>,
  labelOf: PlanFlow['labelOf'],
): readonly Condition[] {
  const conditions: Condition[] = []
  if (step.when !== null) {
    const reads = Object.values(step.when.with)
    conditions.push({ by: 'when', label: join(written, labelOf(reads, step)), reads })
  }
  if (step.forEach !== undefined) {
    const { in: list } = step.forEach
    // How many items a list has that the plan writes out, nobody else decides.
    const label = Array.isArray(list) ? written : labelOf(list, outside(step))
    conditions.push({ by: 'forEach', label, reads: [list] })
  }
  if (step.join === 'any') {
    const label = joinAll(step.needs.map((need) => flows.get(need)?.outcome ?? unknown))
    const reads = step.needs.map((need) => ({ $from: `${need}#` }))
    conditions.push({ by: 'join', label, reads })
  }
  return conditions
}
