// Arguments drawn from the JSON Schema of an action: values that the schema describes, with the awkward
// ones among them (empty, longest, other scripts, path tricks, numbers at their bounds). What a schema
// cannot say (a refinement) is left to the parser: callers keep what it takes.

import fc from 'fast-check'
import { alternativesOf, type JsonSchema } from '../../plan/json-schema.ts'
import { isObject } from '../../plan/pointer.ts'

/** Longest text drawn where the schema names no shorter bound: beyond it only time would be tested. */
const maxText = 70_000
const maxItems = 5
/** Of the drawn numbers of a schema without bounds. */
const span = 1_000_000

/** Texts that have broken programs before. None names a person, a place or a secret. */
export const awkwardTexts = [
  '',
  ' ',
  '.',
  '..',
  '../../etc/passwd',
  '/etc/passwd',
  'C:\\Windows',
  '~',
  'con',
  '-rf',
  '--help',
  '$(id)',
  "'; --",
  '=1+1',
  '%00',
  '%',
  '(',
  '\u0000',
  '\u202egnp.exe',
  'e\u0301',
  '\u{1f469}\u200d\u{1f680}',
  '\r\nX-Header: 1',
  '<script>',
  '__proto__',
  'constructor',
  '1e400',
  '-0',
  '9999-12-31',
  '0000-00-00',
  '2026-02-30',
  '2026-11-21T25:61',
  'https://127.0.0.1/',
  'file:///etc/passwd',
]

export function argumentsOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  const alternatives = alternativesOf(schema)
  if (alternatives.length > 1) return fc.oneof(...alternatives.map(argumentsOf))
  const [one = schema] = alternatives
  if (Object.hasOwn(one, 'const')) return fc.constant(one['const'])
  if (Array.isArray(one['enum'])) return fc.constantFrom(...one['enum'])
  switch (one['type']) {
    case 'string':
      return textOf(one)
    case 'integer':
    case 'number':
      return numberOf(one)
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return listOf(one)
    case 'object':
      return objectOf(one)
    default:
      return fc.jsonValue({ maxDepth: 3 })
  }
}

/** Names of the members of an object that may be texts. */
export function textNamesOf(schema: JsonSchema): readonly string[] {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  return Object.entries(properties)
    .filter(([, one]) => isObject(one) && alternativesOf(one).some(({ type }) => type === 'string'))
    .map(([name]) => name)
}

function textOf({ minLength, maxLength, pattern }: JsonSchema): fc.Arbitrary<unknown> {
  const most = Math.min(countOf(maxLength, maxText), maxText)
  const least = countOf(minLength, 0)
  const texts: fc.Arbitrary<string>[] = [
    fc.string({ unit: 'binary', minLength: least, maxLength: Math.max(least, Math.min(most, 60)) }),
    fc.constantFrom(...awkwardTexts),
    fc.constant('x'.repeat(most)),
    fc.constant('\u{1f4a9}'.repeat(Math.floor(most / 2))),
  ]
  const matching = typeof pattern === 'string' ? matchingTexts(pattern) : undefined
  // Most texts that the pattern does not describe are refused, and nothing is learnt from them.
  if (matching !== undefined) return fc.oneof({ weight: 8, arbitrary: matching }, ...texts)
  return fc.oneof(...texts)
}

/** Undefined for patterns that the library cannot draw from (look-around). */
function matchingTexts(pattern: string): fc.Arbitrary<string> | undefined {
  try {
    return fc.stringMatching(new RegExp(pattern))
  } catch {
    return undefined
  }
}

function numberOf(schema: JsonSchema): fc.Arbitrary<number> {
  const step = typeof schema['multipleOf'] === 'number' ? schema['multipleOf'] : 1
  const low = boundOf(schema, 'minimum', 'exclusiveMinimum') ?? -span
  const high = boundOf(schema, 'maximum', 'exclusiveMaximum') ?? Math.max(low, 0) + span
  const [min, max] = [Math.ceil(low / step), Math.floor(high / step)]
  if (!(min <= max) || !Number.isSafeInteger(min) || !Number.isSafeInteger(max)) {
    return fc.integer()
  }
  // Written, not multiplied: 0.07 is no multiple of 0.01 in binary.
  const digits = (String(step).split('.')[1] ?? '').length
  const places = fc.integer({ min, max }).map((count) => Number((count * step).toFixed(digits)))
  const isWhole = schema['type'] === 'integer' || schema['multipleOf'] !== undefined
  if (isWhole) return places
  return fc.oneof(places, fc.double({ min: low, max: high, noNaN: true }))
}

function listOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  const items = isObject(schema['items']) ? schema['items'] : {}
  const minLength = countOf(schema['minItems'], 0)
  const most = Math.min(countOf(schema['maxItems'], maxItems), maxItems)
  return fc.array(argumentsOf(items), { minLength, maxLength: Math.max(minLength, most) })
}

function objectOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  const properties = isObject(schema['properties']) ? schema['properties'] : undefined
  if (properties === undefined) {
    const values = schema['additionalProperties']
    return fc.dictionary(
      fc.string({ minLength: 1, maxLength: 10 }),
      argumentsOf(isObject(values) ? values : {}),
      { maxKeys: maxItems, noNullPrototype: true },
    )
  }
  const parts = Object.entries(properties).map(
    ([name, property]): [string, fc.Arbitrary<unknown>] => [
      name,
      argumentsOf(isObject(property) ? property : {}),
    ],
  )
  const required = Array.isArray(schema['required']) ? schema['required'].map(String) : []
  return fc.record(Object.fromEntries(parts), {
    requiredKeys: required.filter((name) => Object.hasOwn(properties, name)),
    noNullPrototype: true,
  })
}

function countOf(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise
}

function boundOf(schema: JsonSchema, inclusive: string, exclusive: string): number | undefined {
  const [closed, open] = [schema[inclusive], schema[exclusive]]
  if (typeof closed === 'number') return closed
  if (typeof open !== 'number') return undefined
  // The parser refuses the bound itself where it is open.
  return open
}
