// The items of a loop, and what a step counts as where it has no result. The dispatcher and the notary
// call the same functions, so that both mean the same item by the same number. Pure.

import type { JsonValue } from '../security/verify/canonical-json.ts'
import { followPointer, isObject } from './pointer.ts'
import { formOf, type ResolveContext, referenceOf, resolveArgument } from './references.ts'
import type { CompiledStep, ForEach } from './schema.ts'

export interface Items {
  readonly count: number
  /** In time that does not depend on how many there are. */
  at(index: number): JsonValue
}

/**
 * The list that a loop runs over: one that the plan writes out, or the part of a result. What has no
 * value there is a list of nothing; undefined where it is anything else than a list.
 */
export function itemsOf({ in: list }: ForEach, context: ResolveContext): Items | undefined {
  if (Array.isArray(list)) {
    return { count: list.length, at: (index) => resolveArgument(list[index] ?? null, context) }
  }
  const reference = isObject(list) ? referenceOf(formOf(list)) : undefined
  if (reference === undefined) return undefined
  // Not copied and not walked: each of its items pays for itself where it is used.
  const value = followPointer(context.resultOf(reference.step), reference.tokens)
  if (value === null) return { count: 0, at: () => null }
  return Array.isArray(value)
    ? { count: value.length, at: (index) => value[index] ?? null }
    : undefined
}

/** What references to a step find that has left nothing: of a loop a list of nothing. */
export function absentResult(step: Pick<CompiledStep, 'forEach'> | undefined): JsonValue {
  return step?.forEach === undefined ? null : []
}

/** The context of one iteration; for a step that is no loop the same one. */
export function contextOfIteration(
  { forEach }: Pick<CompiledStep, 'forEach'>,
  iteration: number,
  context: ResolveContext,
): ResolveContext {
  if (forEach === undefined) return context
  // When it is asked for, because resolving it may fail like any other argument.
  const value = () => itemsOf(forEach, context)?.at(iteration) ?? null
  return { ...context, item: { as: forEach.as, value } }
}
