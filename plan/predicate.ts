// Guards: CEL without comprehensions or calls that take functions, over named values. Evaluated by
// the dispatcher and again by the notary; never in the workflow. Bounded in length, and linear in it
// because nothing can loop. JSON numbers are CEL doubles.

import { Environment } from '@marcbachmann/cel-js'
import type { JsonValue } from '../security/verify/canonical-json.ts'
import { limits } from './limits.ts'
import { type ResolveContext, resolveRecord } from './references.ts'
import type { Guard } from './schema.ts'

export class GuardError extends Error {
  override readonly name = 'GuardError'
}

const comprehensions = /\b(?:all|exists|exists_one|map|filter|bind|reduce)\s*\(/

function environmentFor(names: readonly string[]): Environment {
  const environment = new Environment({ unlistedVariablesAreDyn: false })
  for (const name of names) environment.registerVariable(name, 'dyn')
  return environment
}

/**
 * Checks the expression's form and that every name it uses is in `with`.
 * @throws GuardError
 */
export function checkGuard(guard: Guard): void {
  if (guard.cel.length > limits.guardCharacters) {
    throw new GuardError(`the expression is longer than ${limits.guardCharacters} characters`)
  }
  if (comprehensions.test(guard.cel)) {
    throw new GuardError('comprehensions (all, exists, map, filter) are not supported')
  }
  try {
    const { valid, error } = environmentFor(Object.keys(guard.with)).check(guard.cel)
    if (!valid) throw error ?? new Error('it does not check')
  } catch (cause) {
    throw new GuardError(
      cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : 'invalid',
      {
        cause,
      },
    )
  }
}

/** @throws GuardError when the expression fails or does not give a boolean */
export function evaluateGuard(guard: Guard, context: ResolveContext): boolean {
  checkGuard(guard)
  const values: Readonly<Record<string, JsonValue>> = resolveRecord(guard.with, context)
  let result: unknown
  try {
    result = environmentFor(Object.keys(guard.with)).evaluate(guard.cel, { ...values })
  } catch (cause) {
    throw new GuardError('the guard could not be evaluated', { cause })
  }
  if (typeof result !== 'boolean') throw new GuardError('the guard is not a boolean')
  return result
}
