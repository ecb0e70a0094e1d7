// Parses JSON that came from outside, once, into one meaning. JSON.parse does the parsing; a scan of
// the same text before it refuses what JSON.parse lets through: duplicate keys (the last one wins),
// prototype keys, unsafe integers, lone surrogates, depth. Why our own scan: the registry's parsers
// for duplicate keys have no depth or number rules, those with limits no duplicate rule, and all
// replace JSON.parse, whose values we want. Not a validator: wrong syntax is left to JSON.parse.

import type { JsonValue } from './canonical-json.ts'

export const strictJsonCodes = [
  'TOO_LARGE',
  'TOO_DEEP',
  'SYNTAX',
  'DUPLICATE_KEY',
  'FORBIDDEN_KEY',
  'NUMBER_NOT_FINITE',
  'INTEGER_UNSAFE',
  'LONE_SURROGATE',
] as const
export type StrictJsonCode = (typeof strictJsonCodes)[number]

export class StrictJsonError extends Error {
  override readonly name = 'StrictJsonError'
  readonly code: StrictJsonCode
  /** Offset in UTF-16 units where the scan stopped; content is never quoted. */
  readonly offset: number
  constructor(code: StrictJsonCode, offset: number, options?: ErrorOptions) {
    super(`strict json: ${code} at ${offset}`, options)
    this.code = code
    this.offset = offset
  }
}

export interface StrictJsonLimits {
  /** Bytes of the text as UTF-8. */
  readonly maxBytes: number
  /** Containers within containers; `1` admits `[]` and refuses `[[]]`. */
  readonly maxDepth: number
}

// Own keys of these names are where prototype pollution starts in code that merges objects.
const forbiddenKeys: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])
const number = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const colonNext = /[ \t\n\r]*:/y

/**
 * The value that JSON.parse gives, for text that has exactly one meaning.
 * @throws StrictJsonError
 */
export function parseStrictJson(text: string, limits: StrictJsonLimits): JsonValue {
  // Characters first: a UTF-16 unit is at least one byte, so hostile text is not even measured.
  if (text.length > limits.maxBytes || Buffer.byteLength(text) > limits.maxBytes) {
    throw new StrictJsonError('TOO_LARGE', 0)
  }
  if (!text.isWellFormed()) throw new StrictJsonError('LONE_SURROGATE', 0)
  scan(text, limits.maxDepth)
  try {
    return JSON.parse(text) as JsonValue
  } catch {
    // No cause: V8's message quotes the text.
    throw new StrictJsonError('SYNTAX', 0)
  }
}

function scan(text: string, maxDepth: number): void {
  // One entry a container: the keys seen so far in an object, null for an array.
  const open: (Set<string> | null)[] = []
  let at = 0
  while (at < text.length) {
    const character = text.charCodeAt(at)
    if (character === 0x22) {
      at = scanString(text, at, open.at(-1) ?? null)
    } else if (character === 0x7b || character === 0x5b) {
      if (open.length >= maxDepth) throw new StrictJsonError('TOO_DEEP', at)
      open.push(character === 0x7b ? new Set() : null)
      at += 1
    } else if (character === 0x7d || character === 0x5d) {
      open.pop()
      at += 1
    } else if (character === 0x2d || (character >= 0x30 && character <= 0x39)) {
      at = scanNumber(text, at)
    } else {
      at += 1
    }
  }
}

/** Returns the offset after the closing quote. A string before a colon is a key in valid JSON. */
function scanString(text: string, start: number, keys: Set<string> | null): number {
  const end = endOfString(text, start)
  const content = decodeString(text.slice(start, end), start)
  colonNext.lastIndex = end
  if (keys !== null && colonNext.test(text)) {
    if (forbiddenKeys.has(content)) throw new StrictJsonError('FORBIDDEN_KEY', start)
    if (keys.has(content)) throw new StrictJsonError('DUPLICATE_KEY', start)
    keys.add(content)
  }
  return end
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const character = text.charCodeAt(at)
    if (character === 0x22) return at + 1
    if (character === 0x5c) at += 1
  }
  throw new StrictJsonError('SYNTAX', start)
}

function decodeString(quoted: string, start: number): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1)
  let content: string
  try {
    content = JSON.parse(quoted) as string
  } catch {
    throw new StrictJsonError('SYNTAX', start)
  }
  if (!content.isWellFormed()) throw new StrictJsonError('LONE_SURROGATE', start)
  return content
}

function scanNumber(text: string, start: number): number {
  number.lastIndex = start
  const match = number.exec(text)
  if (match === null) throw new StrictJsonError('SYNTAX', start)
  const value = Number(match[0])
  if (!Number.isFinite(value)) throw new StrictJsonError('NUMBER_NOT_FINITE', start)
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new StrictJsonError('INTEGER_UNSAFE', start)
  }
  return number.lastIndex
}
