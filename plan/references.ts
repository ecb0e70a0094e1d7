// What an argument becomes when it is resolved, and which steps it needs. The dispatcher and the
// notary call the same functions, so that the two can be compared. What is hashed and sent is the
// argument exactly as resolved here: defaults of the action's schema are filled in by the agent,
// after it has verified the hash.

import type { JsonValue } from '../security/verify/canonical-json.ts'
import { toHandleReference } from './handle.ts'
import { limits } from './limits.ts'
import { followPointer, isObject, parsePointer, parseReference, type Reference } from './pointer.ts'
import type { Argument, CompiledStep, InputValues } from './schema.ts'
import { renderText, TextError } from './text.ts'

export interface ResolveContext {
  readonly inputs: InputValues
  /** The whole result of a step, null when it was skipped or failed under `continue`; or of a handle. */
  resultOf(source: string): JsonValue
  /** What this iteration of a loop is for. */
  readonly item?: { readonly as: string; value(): JsonValue }
}

export type Form =
  | { readonly form: 'from'; readonly reference: string }
  | { readonly form: 'item'; readonly pointer: string; readonly as: string }
  | { readonly form: 'input'; readonly name: string }
  | { readonly form: 'handle'; readonly handle: string; readonly pointer: string }
  | {
      readonly form: 'text'
      readonly template: string
      readonly with: Readonly<Record<string, Argument>>
    }
  | { readonly form: 'unknown'; readonly keys: readonly string[] }
  | { readonly form: 'none' }

/** Which form an object is. Any key that starts with `$` makes it one, and nothing else besides. */
export function formOf(value: Readonly<Record<string, unknown>>): Form {
  const keys = Object.keys(value)
  if (!keys.some((key) => key.startsWith('$'))) return { form: 'none' }
  if (keys.length === 1 && typeof value['$from'] === 'string') {
    return { form: 'from', reference: value['$from'] }
  }
  if (keys.length === 2 && typeof value['$item'] === 'string' && typeof value['as'] === 'string') {
    return { form: 'item', pointer: value['$item'], as: value['as'] }
  }
  if (keys.length === 1 && typeof value['$input'] === 'string') {
    return { form: 'input', name: value['$input'] }
  }
  const { $handle: handle, pointer } = value
  if (keys.length === 2 && typeof handle === 'string' && typeof pointer === 'string') {
    return { form: 'handle', handle, pointer }
  }
  const names = value['with'] ?? {}
  if (
    typeof value['$text'] === 'string' &&
    keys.every((key) => key === '$text' || key === 'with') &&
    isObject(names)
  ) {
    return {
      form: 'text',
      template: value['$text'],
      with: names as Readonly<Record<string, Argument>>,
    }
  }
  return { form: 'unknown', keys }
}

/** The part of a result that a form names, of a step or of a handle; undefined: it names none. */
export function referenceOf(form: Form): Reference | undefined {
  if (form.form === 'from') return parseReference(form.reference)
  return form.form === 'handle' ? toHandleReference(form.handle, form.pointer) : undefined
}

/**
 * @throws PlanError when a form was not checked by the compiler; that is a bug or an attack
 * @throws TextError when a text, or all that is referred to, grows too large
 */
export function resolveArgument(argument: Argument, context: ResolveContext): JsonValue {
  return resolveWithin(argument, context, createBudget())
}

/** The same for each value of a record, within one bound. */
export function resolveRecord(
  record: Readonly<Record<string, Argument>>,
  context: ResolveContext,
): Readonly<Record<string, JsonValue>> {
  return resolveEach(record, context, createBudget())
}

/** Takes the size of one more value that was referred to or rendered. */
type Budget = (value: JsonValue) => void

/**
 * A reference is a few bytes and may name half a mebibyte, a thousand times. One step's references
 * together get what one authorisation may carry.
 */
function createBudget(): Budget {
  let left: number = limits.sourceBytes
  return (root) => {
    const stack: JsonValue[] = [root]
    for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
      left -= typeof value === 'string' ? value.length + 2 : 2
      if (left < 0) throw new TextError('the values referred to are longer than 1.5 MiB')
      if (Array.isArray(value)) for (const item of value) stack.push(item)
      else if (isObject(value)) {
        for (const [key, item] of Object.entries(value)) {
          left -= key.length
          stack.push(item as JsonValue)
        }
      }
    }
  }
}

function resolveWithin(argument: Argument, context: ResolveContext, spend: Budget): JsonValue {
  if (Array.isArray(argument)) return argument.map((item) => resolveWithin(item, context, spend))
  if (!isObject(argument)) return argument as JsonValue
  const form = formOf(argument)
  switch (form.form) {
    case 'from':
    case 'handle': {
      const reference = referenceOf(form)
      if (reference === undefined) throw new PlanError(`not a reference: ${JSON.stringify(form)}`)
      const value = followPointer(context.resultOf(reference.step), reference.tokens)
      spend(value)
      return value
    }
    case 'item': {
      const tokens = parsePointer(form.pointer)
      if (tokens === undefined || context.item?.as !== form.as) {
        throw new PlanError(`no item ${form.as}`)
      }
      const value = followPointer(context.item.value(), tokens)
      spend(value)
      return value
    }
    case 'input': {
      if (!Object.hasOwn(context.inputs, form.name)) {
        throw new PlanError(`no input ${form.name}`)
      }
      return context.inputs[form.name] ?? null
    }
    case 'text': {
      const text = renderText(form.template, resolveEach(form.with, context, spend))
      spend(text)
      return text
    }
    case 'unknown':
      throw new PlanError(`not a form: ${form.keys.join(', ')}`)
    case 'none':
      return resolveEach(argument as Readonly<Record<string, Argument>>, context, spend)
  }
}

function resolveEach(
  record: Readonly<Record<string, Argument>>,
  context: ResolveContext,
  spend: Budget,
): Readonly<Record<string, JsonValue>> {
  // fromEntries defines own properties, so `__proto__` could not reach a prototype even here.
  return Object.fromEntries(
    Object.entries(record).map(([key, value]) => [key, resolveWithin(value, context, spend)]),
  )
}

/** Steps and handles that an argument refers to, in order of appearance, each once. */
export function sourcesIn(argument: unknown): readonly string[] {
  const found = new Set<string>()
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item)
    } else if (isObject(value)) {
      const form = formOf(value)
      const source = referenceOf(form)?.step
      if (source !== undefined) found.add(source)
      else if (form.form !== 'from' && form.form !== 'handle') {
        for (const item of Object.values(value)) visit(item)
      }
    }
  }
  visit(argument)
  return [...found]
}

/** Steps and handles whose results a step's arguments, guard or items are resolved from. */
export function sourcesOf(
  step: Pick<CompiledStep, 'args' | 'when' | 'forEach'>,
): readonly string[] {
  return sourcesIn([step.args, step.when?.with ?? {}, step.forEach?.in ?? null])
}

/** A plan that the compiler would not have let through. */
export class PlanError extends Error {
  override readonly name = 'PlanError'
}
