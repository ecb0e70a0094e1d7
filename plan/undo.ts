// What an undo is called with: the step's own arguments, its effect id, or its result.

import type { JsonValue } from '../security/verify/canonical-json.ts'
import type { UndoArgument } from './manifest.ts'
import { followPointer, isObject, parsePointer } from './pointer.ts'

export interface UndoContext {
  /** The step's resolved arguments. */
  readonly args: unknown
  /** Undefined when the outcome is unknown or the step failed. */
  readonly result: JsonValue | undefined
  readonly idem: string
}

/** `NO_RESULT` when an argument needs the result and there is none. */
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
      resolved.push([
        name,
        followPointer(context.args as JsonValue, parsePointer(argument.$args) ?? []),
      ])
    } else {
      if (context.result === undefined) return 'NO_RESULT'
      resolved.push([name, followPointer(context.result, parsePointer(argument.$result) ?? [])])
    }
  }
  return Object.fromEntries(resolved)
}
