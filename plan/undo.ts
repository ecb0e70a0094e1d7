// What an undo is called with: the step's own arguments, its effect id, or its result.

import type { JsonValue } from '../security/verify/canonical-json.ts'
import type { UndoArgument } from './manifest.ts'
import { followPointer, isObject, parsePointer } from './pointer.ts'
import { PlanError } from './references.ts'

export interface UndoContext {
  /** The step's resolved arguments. */
  readonly args: unknown
  /** Undefined when the outcome is unknown or the step failed. */
  readonly result: JsonValue | undefined
  readonly idem: string
}

/**
 * `NO_RESULT` when an argument needs the result and there is none.
 * @throws PlanError when the undo is none that a manifest could have declared
 */
export function resolveUndo(
  undo: { readonly args: Readonly<Record<string, UndoArgument>> },
  context: UndoContext,
): Readonly<Record<string, JsonValue>> | 'NO_RESULT' {
  const resolved: [string, JsonValue][] = []
  for (const [name, argument] of Object.entries(undo.args)) {
    if (!isObject(argument)) {
      resolved.push([name, argument])
    } else if ('$idem' in argument) {
      resolved.push([name, context.idem])
    } else if ('$args' in argument) {
      resolved.push([name, followPointer(context.args as JsonValue, tokensOf(argument.$args))])
    } else {
      if (context.result === undefined) return 'NO_RESULT'
      resolved.push([name, followPointer(context.result, tokensOf(argument.$result))])
    }
  }
  return Object.fromEntries(resolved)
}

function tokensOf(pointer: string): readonly string[] {
  const tokens = parsePointer(pointer)
  if (tokens === undefined) throw new PlanError('an undo refers to no place of its step')
  return tokens
}
