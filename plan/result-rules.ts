// What a result must be before anything is built on it: one RFC 8785 text within its bounds, of the shape
// that its manifest declares, and free of what no result may carry. One function, asked by the worker of
// every reply and by the notary of every source, so that a worker that skips it gains nothing. Pure.
// Says nothing about whether a result is true, and finds no secret that was spelled otherwise.

import { canonicalJson, type JsonValue } from '../security/verify/canonical-json.ts'
import {
  parseStrictJson,
  StrictJsonError,
  strictJsonCodes,
} from '../security/verify/strict-json.ts'
import { holdsSecret } from './flow-secrets.ts'
import { isPrefix, labelOfField } from './labels.ts'
import { limits } from './limits.ts'
import type { ActionManifest } from './manifest.ts'
import { isObject, parsePointer } from './pointer.ts'

/**
 * Why a result is refused. Those of strict JSON: size, depth, syntax, keys, numbers, characters ·
 * `NOT_CANONICAL` it has another spelling · `OFF_SCHEMA` not of the declared shape · `ADDRESS` a field
 * that names whom or where has characters nobody sees, or another spelling that looks the same ·
 * `PUBLIC_TOO_LONG` more than a field that anybody may see needs · `SECRET` a text that looks like nothing
 * but a credential, or a private key.
 */
export const resultFaults = [
  ...strictJsonCodes,
  'NOT_CANONICAL',
  'OFF_SCHEMA',
  'ADDRESS',
  'PUBLIC_TOO_LONG',
  'SECRET',
] as const
export type ResultFault = (typeof resultFaults)[number]

export type JudgedResult =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly fault: ResultFault }

/** What of a manifest results are judged by. */
export type ResultDeclaration = Pick<
  ActionManifest,
  'output' | 'maxResultBytes' | 'labels' | 'addresses' | 'quotes'
>

/** Characters of an address: the longest URL that common servers take. */
const maxAddress = 2_048
/** Characters of one text that anybody may see: an id, a name, a line. What is longer could carry a page. */
const maxPublic = 1_024

/** The value of the exact text that an agent returned, or the first thing wrong with it. */
export function judgeResult(text: string, action: ResultDeclaration): JudgedResult {
  const maxBytes = Math.min(limits.resultBytes, action.maxResultBytes)
  const read = readCanonical(text, { maxBytes, maxDepth: limits.jsonDepth })
  if (!read.ok) return read
  const fault = faultOfValue(read.value, action)
  return fault === undefined ? read : { ok: false, fault }
}

/** One spelling, one meaning: agents must send RFC 8785. */
export function readCanonical(
  text: string,
  bounds: { readonly maxBytes: number; readonly maxDepth: number },
): JudgedResult {
  let value: JsonValue
  try {
    value = parseStrictJson(text, bounds)
  } catch (cause) {
    if (cause instanceof StrictJsonError) return { ok: false, fault: cause.code }
    throw cause
  }
  return canonicalJson(value) === text ? { ok: true, value } : { ok: false, fault: 'NOT_CANONICAL' }
}

/** Shape and policy of a value that was read by `readCanonical`. */
export function faultOfValue(value: JsonValue, action: ResultDeclaration): ResultFault | undefined {
  if (!action.output.safeParse(value).success) return 'OFF_SCHEMA'
  return faultOfPart(value, [], {
    action,
    addresses: parsed(action.addresses),
    quotes: parsed(action.quotes),
  })
}

interface Rules {
  readonly action: ResultDeclaration
  readonly addresses: readonly (readonly string[])[]
  readonly quotes: readonly (readonly string[])[]
}

/** Depth is bounded by the parser. */
function faultOfPart(
  value: JsonValue,
  at: readonly string[],
  rules: Rules,
): ResultFault | undefined {
  if (typeof value === 'string') return faultOfText(value, at, rules)
  if (typeof value !== 'object' || value === null) return undefined
  // The private half of a key is a member among others, and no pattern of texts.
  if (isObject(value) && typeof value['kty'] === 'string' && typeof value['d'] === 'string') {
    return 'SECRET'
  }
  for (const [name, part] of Object.entries(value)) {
    const fault = faultOfPart(part, [...at, name], rules)
    if (fault !== undefined) return fault
  }
  return undefined
}

function faultOfText(
  text: string,
  at: readonly string[],
  { action, addresses, quotes }: Rules,
): ResultFault | undefined {
  if (addresses.some((tokens) => isPrefix(tokens, at)) && !isPlainAddress(text)) return 'ADDRESS'
  if (text.length > maxPublic && labelOfField(action, at).readers === 'PUBLIC') {
    return 'PUBLIC_TOO_LONG'
  }
  if (!quotes.some((tokens) => isPrefix(tokens, at)) && holdsSecret(text)) return 'SECRET'
  return undefined
}

/** Controls, formats (bidirectional overrides, zero width) and separators: what makes it look like another. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u

function isPlainAddress(text: string): boolean {
  return (
    text.length <= maxAddress &&
    !unseen.test(text) &&
    text.trim() === text &&
    text.normalize('NFC') === text
  )
}

function parsed(pointers: readonly string[] = []): readonly (readonly string[])[] {
  return pointers.flatMap((pointer) => {
    const tokens = parsePointer(pointer)
    return tokens === undefined ? [] : [tokens]
  })
}
