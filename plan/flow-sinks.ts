// What an action does with the places in its arguments: the roles that its manifest gives them, those
// that its undo gives them when it is called with the same, and the audience. Pure.

import { argumentAt, itemOf, outside, type PlanFlow, type StepFlow } from './flow.ts'
import { isPrefix, type Readers } from './labels.ts'
import type { ActionManifest, Role } from './manifest.ts'
import { followPointer, isObject, parsePointer } from './pointer.ts'
import { audienceOf, type KnownNames } from './principals.ts'
import { formOf } from './references.ts'
import type { Argument, CompiledStep } from './schema.ts'

/**
 * Who will see what the step is given: by its actual arguments where they are known, else by all that
 * the plan lets them be.
 */
export function audienceIn(
  flow: PlanFlow,
  step: StepFlow,
  { names, actual }: { readonly names: KnownNames; readonly actual?: unknown },
): Readers {
  const valuesOf = (pointer: string): readonly unknown[] | undefined => {
    const tokens = parsePointer(pointer.replace(/\/\*$/, ''))
    if (tokens === undefined) return undefined
    if (actual !== undefined) return presentAt(actual, tokens)
    const argument = argumentAt(step.step.args, tokens)
    return argument === undefined ? undefined : knownValues(flow, step.step, argument)
  }
  return audienceOf(step.action.audience, step.agent, { names, valuesOf })
}

function presentAt(actual: unknown, tokens: readonly string[]): readonly unknown[] | undefined {
  const value = followPointer(actual as Parameters<typeof followPointer>[0], tokens)
  return value === null ? undefined : [value]
}

/** Every value that an argument may come to have, where the plan alone tells. */
export function knownValues(
  flow: PlanFlow,
  step: CompiledStep,
  argument: Argument,
): readonly unknown[] | undefined {
  if (Array.isArray(argument)) {
    const all = argument.map((item) => knownValues(flow, step, item))
    return all.every((values) => values !== undefined) ? all.flat() : undefined
  }
  if (!isObject(argument)) return argument === null ? undefined : [argument]
  const item = itemOf(argument, step)
  if (item !== undefined) {
    if (item === 'stray' || !Array.isArray(item.list)) return undefined
    const all = item.list.map((one) => argumentAt(one, item.tokens))
    const known = all.filter((one) => one !== undefined)
    return known.length < all.length ? undefined : knownValues(flow, outside(step), known)
  }
  const form = formOf(argument)
  if (form.form !== 'input' || !Object.hasOwn(flow.plan.inputs, form.name)) return undefined
  return [flow.plan.inputs[form.name]]
}

/** What a place in the arguments does, for the action and for the undo that is called with it. */
export function rolesOf(
  { step, agent, action }: StepFlow,
  tokens: readonly string[],
): ReadonlySet<Role> {
  const roles = rolesAt(action, tokens)
  const undo = step.undo === null ? undefined : agent.actions[step.undo.action]
  if (undo === undefined) return roles
  const passed = Object.entries(step.undo?.args ?? {}).flatMap(([name, argument]) => {
    const from = isObject(argument) && '$args' in argument ? argument.$args : undefined
    const given = typeof from === 'string' ? parsePointer(from) : undefined
    if (given === undefined) return []
    if (isPrefix(given, tokens)) return [...rolesAt(undo, [name, ...tokens.slice(given.length)])]
    return isPrefix(tokens, given) ? [...rolesAt(undo, [name])] : []
  })
  return new Set([...roles, ...passed])
}

/** Roles of the leaves at, above or below a place. Nothing known: it decides. */
function rolesAt({ roles }: ActionManifest, tokens: readonly string[]): ReadonlySet<Role> {
  const found = Object.entries(roles).flatMap(([pointer, role]) => {
    const leaf = parsePointer(pointer) ?? []
    return isPrefix(leaf, tokens) || isPrefix(tokens, leaf) ? [role] : []
  })
  return new Set(found.length === 0 ? ['control'] : found)
}
