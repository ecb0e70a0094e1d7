// The one spelling of a JSON value (RFC 8785) that is hashed and signed. `canonicalize` does the
// spelling; this file refuses what it would repair in silence (undefined, toJSON, boxed values) or
// what another language would read differently (unsafe integers). Two equal values have one text.

import canonicalize from 'canonicalize'

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue }
export type JsonObject = { readonly [key: string]: JsonValue }

export type CanonicalJsonCode =
  | 'NOT_JSON'
  | 'NUMBER_NOT_FINITE'
  | 'INTEGER_UNSAFE'
  | 'LONE_SURROGATE'
  | 'TOO_DEEP'

export class CanonicalJsonError extends Error {
  override readonly name = 'CanonicalJsonError'
  readonly code: CanonicalJsonCode
  constructor(code: CanonicalJsonCode, message: string) {
    super(message)
    this.code = code
  }
}

// Far above the 32 levels that any boundary admits and far below the end of the stack; a cycle ends
// here too.
const maxDepth = 128

/**
 * RFC 8785 text of a value: sorted keys, ECMAScript numbers, no white space. Text is not normalised:
 * NFC and NFD are different values.
 * @throws CanonicalJsonError for anything that JSON cannot carry exactly
 */
export function canonicalJson(value: unknown): string {
  assertJson(value, 0)
  const text = canonicalize(value)
  if (text === undefined) throw new CanonicalJsonError('NOT_JSON', 'value has no JSON form')
  return text
}

function assertJson(value: unknown, depth: number): asserts value is JsonValue {
  switch (typeof value) {
    case 'boolean':
      return
    case 'string':
      assertWellFormed(value)
      return
    case 'number':
      assertNumber(value)
      return
    case 'object':
      if (value !== null) assertContainer(value, depth + 1)
      return
    default:
      throw new CanonicalJsonError('NOT_JSON', `a ${typeof value} is not JSON`)
  }
}

function assertContainer(value: object, depth: number): void {
  if (depth > maxDepth) throw new CanonicalJsonError('TOO_DEEP', `deeper than ${maxDepth} levels`)
  if (Array.isArray(value)) {
    // By index, so that a hole is seen as the undefined that it is.
    for (let index = 0; index < value.length; index += 1) assertJson(value[index], depth)
    return
  }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    throw new CanonicalJsonError('NOT_JSON', 'only plain objects and arrays are JSON')
  }
  for (const [key, member] of Object.entries(value)) {
    assertWellFormed(key)
    assertJson(member, depth)
  }
}

function assertNumber(value: number): void {
  if (!Number.isFinite(value)) {
    throw new CanonicalJsonError('NUMBER_NOT_FINITE', 'number is not finite')
  }
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new CanonicalJsonError('INTEGER_UNSAFE', 'integer beyond 2^53 - 1')
  }
}

function assertWellFormed(text: string): void {
  if (!text.isWellFormed()) {
    throw new CanonicalJsonError('LONE_SURROGATE', 'text contains a lone surrogate')
  }
}
