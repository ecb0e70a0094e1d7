// Guards: CEL over named values, with the few functions whose time is linear in what they read; no
// comprehensions, no regular expressions. Evaluated by the dispatcher and again by the notary; never
// in the workflow. Bounded in length and nodes, so that work is bounded by the values. JSON numbers
// are CEL doubles: write `n > 1.0`, or `size(list) > 1`.

import { Environment } from '@marcbachmann/cel-js'
import type { JsonValue } from '../security/verify/canonical-json.ts'
import { limits } from './limits.ts'
import { isObject } from './pointer.ts'
import { type ResolveContext, resolveRecord } from './references.ts'
import type { Guard } from './schema.ts'
import { TextError } from './text.ts'

export class GuardError extends Error {
  override readonly name = 'GuardError'
}

/** Far more than a condition that a person can read; each node may read a whole result once. */
const nodeLimits = { maxAstNodes: 300, maxDepth: 32, maxListElements: 100, maxMapEntries: 100 }

/** All others are refused, so that a new release of the library brings no new power. */
const allowedFunctions: ReadonlySet<string> = new Set([
  'contains',
  'double',
  'dyn',
  'endsWith',
  'has',
  'int',
  'lowerAscii',
  'size',
  'startsWith',
  'string',
  'trim',
])

function environmentFor(names: readonly string[]): Environment {
  const environment = new Environment({ unlistedVariablesAreDyn: false, limits: nodeLimits })
  for (const name of names) environment.registerVariable(name, 'dyn')
  return environment
}

/**
 * Checks the expression's form, that every name it uses is in `with`, and that it can be a boolean.
 * @throws GuardError
 */
export function checkGuard(guard: Guard): void {
  if (guard.cel.length > limits.guardCharacters) {
    throw new GuardError(`the expression is longer than ${limits.guardCharacters} characters`)
  }
  try {
    const parsed = environmentFor(Object.keys(guard.with)).parse(guard.cel)
    checkCalls(parsed.ast)
    const { valid, error, type } = parsed.check()
    if (!valid) throw error ?? new GuardError('it does not check')
    if (type !== 'bool' && type !== 'dyn') throw new GuardError(`it is a ${type}, not a boolean`)
  } catch (cause) {
    if (cause instanceof GuardError) throw cause
    const message = cause instanceof Error ? cause.message.split('\n')[0] : undefined
    throw new GuardError(message ?? 'invalid', { cause })
  }
}

/** Asked of the parsed tree: in the text, a comment or a space may stand between name and bracket. */
function checkCalls(part: unknown): void {
  if (Array.isArray(part)) for (const item of part) checkCalls(item)
  if (!isObject(part) || !('op' in part)) return
  const { op, args } = part
  if ((op === 'call' || op === 'rcall') && Array.isArray(args)) {
    const name = String(args[0])
    if (!allowedFunctions.has(name)) throw new GuardError(`the function ${name} is not supported`)
  }
  checkCalls(args)
}

/** @throws GuardError when the expression fails or does not give a boolean */
export function evaluateGuard(guard: Guard, context: ResolveContext): boolean {
  checkGuard(guard)
  let result: unknown
  try {
    const values: Readonly<Record<string, JsonValue>> = resolveRecord(guard.with, context)
    result = environmentFor(Object.keys(guard.with)).evaluate(guard.cel, { ...values })
  } catch (cause) {
    const message =
      cause instanceof TextError ? cause.message : 'the expression does not fit its values'
    throw new GuardError(`the guard could not be evaluated: ${message}`, { cause })
  }
  if (typeof result !== 'boolean') throw new GuardError('the guard is not a boolean')
  return result
}
