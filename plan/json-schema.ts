// The part of JSON Schema that zod writes for our manifests, as the compiler reads it: walking to the
// schema a pointer names, listing leaves, and whether a value of one schema always fits another.
// Where it cannot tell, it says no.

import { z } from 'zod'
import { isObject } from './pointer.ts'

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

function schemaAt(schema: JsonSchema, key: string): JsonSchema | undefined {
  const value = schema[key]
  return isObject(value) ? value : undefined
}

/** The alternatives of a union, or the schema itself. */
export function alternativesOf(schema: JsonSchema): readonly JsonSchema[] {
  const options = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(options)) return options.filter(isObject).flatMap(alternativesOf)
  const { type } = schema
  if (Array.isArray(type)) return type.map((one) => ({ ...schema, type: one }))
  return [schema]
}

/**
 * The schema of the value that a pointer names; undefined when no alternative has it. A union's
 * other alternatives make it nullable, because resolving gives null there.
 */
export function walkSchema(schema: JsonSchema, tokens: readonly string[]): JsonSchema | undefined {
  const [token, ...rest] = tokens
  if (token === undefined) return schema
  const found: JsonSchema[] = []
  let absent = false
  for (const alternative of alternativesOf(schema)) {
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
    return items !== undefined && /^\d+$/.test(token)
      ? { schema: items, optional: true }
      : undefined
  }
  const properties = schemaAt(schema, 'properties')
  if (properties !== undefined && Object.hasOwn(properties, token)) {
    const property = schemaAt(properties, token)
    if (property === undefined) return undefined
    const required = Array.isArray(schema['required']) && schema['required'].includes(token)
    return { schema: property, optional: !required && !Object.hasOwn(property, 'default') }
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
        const pointer = `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
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

/** True when every value of `from` has the shape that `to` wants. Ranges and patterns of strings
 * and numbers are left to the check of the actual value, which is made before a token is minted. */
export function isAssignable(from: JsonSchema, to: JsonSchema): boolean {
  return alternativesOf(from).every((one) => alternativesOf(to).some((other) => fits(one, other)))
}

function fits(from: JsonSchema, to: JsonSchema): boolean {
  if (Object.keys(to).length === 0) return true
  if (!literalsFit(from, to)) return false
  const [have, want] = [typeOf(from), typeOf(to)]
  if (have === undefined || want === undefined) return want === undefined
  if (have === 'integer' && want === 'number') return true
  if (have !== want) return false
  if (have === 'array') {
    const [items, wanted] = [schemaAt(from, 'items'), schemaAt(to, 'items')]
    return wanted === undefined || (items !== undefined && isAssignable(items, wanted))
  }
  return have !== 'object' || objectFits(from, to)
}

function literalsFit(from: JsonSchema, to: JsonSchema): boolean {
  const wanted = literalsOf(to)
  if (wanted === undefined) return true
  return literalsOf(from)?.every((literal) => wanted.includes(literal)) ?? false
}

function literalsOf(schema: JsonSchema): readonly unknown[] | undefined {
  if (Object.hasOwn(schema, 'const')) return [schema['const']]
  return Array.isArray(schema['enum']) ? schema['enum'] : undefined
}

function typeOf(schema: JsonSchema): string | undefined {
  if (typeof schema['type'] === 'string') return schema['type']
  const literal = literalsOf(schema)?.[0]
  if (literal === undefined) return undefined
  return literal === null ? 'null' : typeof literal
}

function objectFits(from: JsonSchema, to: JsonSchema): boolean {
  const have = schemaAt(from, 'properties') ?? {}
  const want = schemaAt(to, 'properties') ?? {}
  const required = Array.isArray(to['required']) ? to['required'] : []
  const given = Array.isArray(from['required']) ? from['required'] : []
  if (!required.every((name) => given.includes(name))) return false
  return Object.entries(have).every(([name, property]) => {
    const wanted = Object.hasOwn(want, name) ? want[name] : to['additionalProperties']
    if (wanted === false) return false
    if (!isObject(wanted)) return true
    return isObject(property) && isAssignable(property, wanted)
  })
}
