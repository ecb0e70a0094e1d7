// RFC 6901 JSON Pointers and the `step#/pointer` form of a reference. Only own properties are ever
// followed, so that no pointer reaches a prototype.

import type { JsonValue } from '../security/verify/canonical-json.ts'
import { stepIdPattern } from './schema.ts'

export interface Reference {
  /** A step's id, or a handle. */
  readonly step: string
  /** Unescaped reference tokens; empty for the whole result. */
  readonly tokens: readonly string[]
}

const maxTokens = 32

/** @returns undefined when the text is not a pointer of RFC 6901 section 3 */
export function parsePointer(text: string): readonly string[] | undefined {
  if (text === '') return []
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return undefined
  const tokens = text.slice(1).split('/')
  if (tokens.length > maxTokens) return undefined
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'))
}

export function toPointer(path: readonly PropertyKey[]): string {
  return path.map((token) => `/${escapeToken(String(token))}`).join('')
}

/** A name as one token of a pointer. */
export function escapeToken(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1')
}

/** Reads `step#/pointer`; `step#` is the whole result. */
export function parseReference(text: string): Reference | undefined {
  const at = text.indexOf('#')
  if (at < 0) return undefined
  const step = text.slice(0, at)
  const tokens = parsePointer(text.slice(at + 1))
  return stepIdPattern.test(step) && tokens !== undefined ? { step, tokens } : undefined
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Which tokens name an item of an array: RFC 6901 section 4, and short enough to be a safe number. */
export const arrayIndex = /^(?:0|[1-9]\d{0,8})$/

/** The value a pointer names; null where there is none, as for a skipped producer. */
export function followPointer(value: JsonValue, tokens: readonly string[]): JsonValue {
  let current: JsonValue = value
  for (const token of tokens) {
    if (Array.isArray(current)) {
      current = arrayIndex.test(token) ? (current[Number(token)] ?? null) : null
    } else if (isObject(current) && Object.hasOwn(current, token)) {
      current = (current as Readonly<Record<string, JsonValue>>)[token] ?? null
    } else {
      return null
    }
  }
  return current
}
