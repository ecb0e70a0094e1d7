// The part of JSON Schema that zod writes for our manifests, as the compiler reads it: walking to the
// schema a pointer names, listing leaves, and whether a value of one schema always fits another.
// Where it cannot tell, it says no.

import { z } from 'zod'
import { arrayIndex, escapeToken, isObject } from './pointer.ts'

export type JsonSchema = Readonly<Record<string, unknown>>

type Direction = 'input' | 'output'
const caches: Readonly<Record<Direction, WeakMap<z.ZodType, JsonSchema>>> = {
  input: new WeakMap(),
  output: new WeakMap(),
}

/** What may be written (`input`: a default makes a property optional) or what is read (`output`). */
export function toJsonSchema(type: z.ZodType, io: Direction): JsonSchema {
  const known = caches[io].get(type)
  if (known !== undefined) return known
  const schema = z.toJSONSchema(type, { io, unrepresentable: 'any' }) as JsonSchema
  caches[io].set(type, schema)
  return schema
}

/** What says nothing about a value. */
const annotations = ['$schema', 'title', 'description', 'default', 'examples', 'deprecated', 'id']
/** Keywords that the functions below read, or that only narrow a single text, number or list. */
const understood: ReadonlySet<string> = new Set([
  ...annotations,
  ...['type', 'enum', 'const', 'anyOf', 'oneOf', 'properties', 'required'],
  ...['additionalProperties', 'propertyNames', 'items', 'minItems', 'maxItems'],
  ...['format', 'pattern', 'minLength', 'maxLength', 'contentEncoding'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
])

/** False for references, tuples, intersections, negations: nothing can be told of such a schema. */
function isUnderstood(schema: JsonSchema): boolean {
  return Object.keys(schema).every((keyword) => understood.has(keyword))
}

function isAnything(schema: JsonSchema): boolean {
  return Object.keys(schema).every((keyword) => annotations.includes(keyword))
}

/** True when a value of the schema may hold what the schema does not tell. */
export function isOpen(schema: JsonSchema): boolean {
  return alternativesOf(schema).some((one) => !isUnderstood(one) || isAnything(one))
}

function schemaAt(schema: JsonSchema, key: string): JsonSchema | undefined {
  const value = schema[key]
  return isObject(value) ? value : undefined
}

/** The alternatives of a union, or the schema itself. */
export function alternativesOf(schema: JsonSchema): readonly JsonSchema[] {
  const options = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(options)) {
    const known = options.filter(isObject).flatMap(alternativesOf)
    // A union of nothing has no value; as an empty list it would fit everything.
    return known.length === 0 ? [{ not: {} }] : known
  }
  const { type } = schema
  if (Array.isArray(type)) return type.map((one) => ({ ...schema, type: one }))
  return [schema]
}

/**
 * The schema of the value that a pointer names; undefined when no alternative has it, or when one
 * may have anything there. A union's other alternatives make it nullable, because resolving gives
 * null there.
 */
export function walkSchema(schema: JsonSchema, tokens: readonly string[]): JsonSchema | undefined {
  const [token, ...rest] = tokens
  if (token === undefined) return schema
  const found: JsonSchema[] = []
  let absent = false
  for (const alternative of alternativesOf(schema)) {
    if (!isUnderstood(alternative) || isAnything(alternative)) return undefined
    const next = stepInto(alternative, token)
    const end = next === undefined ? undefined : walkSchema(next.schema, rest)
    if (end === undefined) absent = true
    else {
      found.push(end)
      absent ||= next?.optional === true
    }
  }
  if (found.length === 0) return undefined
  return { anyOf: absent ? [...found, { type: 'null' }] : found }
}

function stepInto(
  schema: JsonSchema,
  token: string,
): { readonly schema: JsonSchema; readonly optional: boolean } | undefined {
  if (schema['type'] === 'array') {
    const items = schemaAt(schema, 'items')
    // An index may lie beyond the end, so what it names may be absent.
    if (items === undefined || !arrayIndex.test(token)) return undefined
    return { schema: items, optional: true }
  }
  const properties = schemaAt(schema, 'properties')
  if (properties !== undefined && Object.hasOwn(properties, token)) {
    const property = schemaAt(properties, token)
    if (property === undefined) return undefined
    const required = Array.isArray(schema['required']) && schema['required'].includes(token)
    return { schema: property, optional: !required }
  }
  const additional = schemaAt(schema, 'additionalProperties')
  return additional === undefined ? undefined : { schema: additional, optional: true }
}

/** RFC 6901 pointers of all leaves, `*` for array items and free keys. */
export function leavesOf(schema: JsonSchema, at = ''): readonly string[] {
  const leaves = new Set<string>()
  for (const alternative of alternativesOf(schema)) {
    const properties = schemaAt(alternative, 'properties')
    const inner = schemaAt(alternative, 'items') ?? schemaAt(alternative, 'additionalProperties')
    if (properties !== undefined) {
      for (const [name, property] of Object.entries(properties)) {
        const pointer = `${at}/${escapeToken(name)}`
        if (isObject(property)) for (const leaf of leavesOf(property, pointer)) leaves.add(leaf)
      }
    } else if (inner !== undefined) {
      for (const leaf of leavesOf(inner, `${at}/*`)) leaves.add(leaf)
    } else if (alternative['type'] !== 'null') {
      leaves.add(at)
    }
  }
  return [...leaves]
}

/**
 * What of an input's schema the compiler could not hold a plan to: keywords it cannot read, values of
 * any kind, objects that let unknown keys through.
 */
export function blindSpotsOf(schema: JsonSchema, at = ''): readonly string[] {
  return alternativesOf(schema).flatMap((alternative) => {
    const place = at === '' ? 'the input' : at
    if (!isUnderstood(alternative)) return [`${place} cannot be checked in advance`]
    if (typeOf(alternative) === undefined) return [`${place} may be anything`]
    const { type, additionalProperties: additional } = alternative
    const items = schemaAt(alternative, 'items')
    if (type === 'array') {
      return items === undefined ? [`${at}/* may be anything`] : blindSpotsOf(items, `${at}/*`)
    }
    if (type !== 'object') return []
    const properties = schemaAt(alternative, 'properties')
    if (properties !== undefined && additional !== false) return [`${place} is not a strict object`]
    if (isObject(additional)) return blindSpotsOf(additional, `${at}/*`)
    if (properties === undefined && additional !== false) return [`${at}/* may be anything`]
    return Object.entries(properties ?? {}).flatMap(([name, property]) =>
      isObject(property) ? blindSpotsOf(property, `${at}/${escapeToken(name)}`) : [],
    )
  })
}

/** True when every value of `from` has the shape that `to` wants. Ranges and patterns of strings
 * and numbers are left to the check of the actual value, which is made before a token is minted. */
export function isAssignable(from: JsonSchema, to: JsonSchema): boolean {
  return alternativesOf(from).every((one) => alternativesOf(to).some((other) => fits(one, other)))
}

function fits(from: JsonSchema, to: JsonSchema): boolean {
  if (isAnything(to)) return true
  if (!isUnderstood(from) || !isUnderstood(to)) return false
  const [given, allowed] = [literalsOf(from), literalsOf(to)]
  if (allowed !== undefined) return given?.every((literal) => allowed.includes(literal)) ?? false
  const want = to['type']
  if (given !== undefined) return given.every((literal) => typesOf(literal).some((t) => t === want))
  const have = from['type']
  if (have === 'integer' && want === 'number') return true
  if (have === undefined || have !== want) return false
  if (have === 'array') {
    const [items, wanted] = [schemaAt(from, 'items'), schemaAt(to, 'items')]
    return wanted === undefined || (items !== undefined && isAssignable(items, wanted))
  }
  return have !== 'object' || objectFits(from, to)
}

function typesOf(literal: unknown): readonly string[] {
  if (literal === null) return ['null']
  return Number.isInteger(literal) ? ['integer', 'number'] : [typeof literal]
}

function literalsOf(schema: JsonSchema): readonly unknown[] | undefined {
  if (Object.hasOwn(schema, 'const')) return [schema['const']]
  return Array.isArray(schema['enum']) ? schema['enum'] : undefined
}

function typeOf(schema: JsonSchema): string | undefined {
  if (typeof schema['type'] === 'string') return schema['type']
  const literal = literalsOf(schema)?.[0]
  return literal === undefined ? undefined : typesOf(literal)[0]
}

function objectFits(from: JsonSchema, to: JsonSchema): boolean {
  const have = schemaAt(from, 'properties') ?? {}
  const want = schemaAt(to, 'properties') ?? {}
  const required = Array.isArray(to['required']) ? to['required'] : []
  const given = Array.isArray(from['required']) ? from['required'] : []
  if (!required.every((name) => given.includes(name))) return false
  // Keys that `from` does not name may have any name, and so be each of those that `to` names.
  const rest = from['additionalProperties']
  const unnamed = Object.keys(want).filter((name) => !Object.hasOwn(have, name))
  const free =
    rest === false ||
    [...unnamed.map((name) => want[name]), to['additionalProperties']].every((wanted) =>
      admits(wanted, rest),
    )
  return (
    free &&
    Object.entries(have).every(([name, property]) =>
      admits(Object.hasOwn(want, name) ? want[name] : to['additionalProperties'], property),
    )
  )
}

/** A property's schema in either of JSON Schema's spellings; an absent one admits anything. */
function admits(wanted: unknown, given: unknown): boolean {
  if (wanted === false) return false
  if (!isObject(wanted)) return true
  return isAssignable(isObject(given) ? given : {}, wanted)
}
