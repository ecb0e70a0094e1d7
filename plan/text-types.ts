// Which names a template may use, and how: every variable and section is looked up in the schemas of
// what it will be rendered with, by the rule that text.ts renders by. Pure. What stands in a value
// whose schema says nothing passes, and prints nothing where it is missing.

import { alternativesOf, isOpen, type JsonSchema, walkSchema } from './json-schema.ts'
import { nearest } from './nearest.ts'
import type { TextNode } from './text.ts'

export interface TextFault {
  readonly code: 'UNKNOWN_REFERENCE' | 'INVALID_ARGUMENT'
  readonly message: string
  readonly fix?: string
}

/** @param view schema of the object that the outermost names are looked up in */
export function checkNames(nodes: readonly TextNode[], view: JsonSchema): readonly TextFault[] {
  const faults = new Map<string, TextFault>()
  checkNodes(nodes, [view], faults)
  return [...faults.values()]
}

function checkNodes(
  nodes: readonly TextNode[],
  scopes: readonly JsonSchema[],
  faults: Map<string, TextFault>,
): void {
  for (const node of nodes) {
    if (node.type === 'text') continue
    const name = node.path.length === 0 ? '.' : node.path.join('.')
    const found = lookUp(scopes, node.path)
    if (found === undefined) {
      const message = `the text uses ${name}, which is not among its values`
      faults.set(name, { code: 'UNKNOWN_REFERENCE', message, ...slipOf(node.path, scopes) })
      continue
    }
    if (node.type === 'name') {
      const fault = printFault(name, found)
      if (fault !== undefined) faults.set(name, fault)
    } else {
      const inner = node.inverted ? scopes : [...scopes, itemOf(found)]
      checkNodes(node.nodes, inner, faults)
    }
  }
}

function lookUp(scopes: readonly JsonSchema[], path: readonly string[]): JsonSchema | undefined {
  const [first, ...rest] = path
  if (first === undefined) return scopes.at(-1)
  for (const scope of scopes.toReversed()) {
    if (isOpen(scope)) return {}
    // A list has no names, not even `0`: sections go into it.
    const objects = alternativesOf(scope).filter((one) => one['type'] !== 'array')
    const own = objects.length === 0 ? undefined : walkSchema({ anyOf: objects }, [first])
    if (own !== undefined) return walkOpen(own, rest)
  }
  return undefined
}

function walkOpen(schema: JsonSchema, path: readonly string[]): JsonSchema | undefined {
  const [name, ...rest] = path
  if (name === undefined) return schema
  if (isOpen(schema)) return {}
  const next = walkSchema(schema, [name])
  return next === undefined ? undefined : walkOpen(next, rest)
}

function printFault(name: string, schema: JsonSchema): TextFault | undefined {
  const types = alternativesOf(schema).map((one) => (isOpen(one) ? 'any' : one['type']))
  const printable = types.filter((type) => type !== 'array' && type !== 'object')
  if (printable.some((type) => type !== 'null') || types.length === printable.length) {
    return undefined
  }
  const what = types.includes('array') ? 'a list' : 'an object'
  const fix = `{{#${name}}}...{{/${name}}}`
  return { code: 'INVALID_ARGUMENT', message: `${name} is ${what}, which is not text`, fix }
}

/** What a section over a value of this schema has as its innermost scope. */
function itemOf(schema: JsonSchema): JsonSchema {
  const items = alternativesOf(schema).flatMap((one) => {
    if (one['type'] === 'null') return []
    if (one['type'] !== 'array') return [one]
    const item = one['items']
    return [typeof item === 'object' && item !== null ? (item as JsonSchema) : {}]
  })
  return items.length === 0 ? { type: 'null' } : { anyOf: items }
}

/** Which part of a dotted name is the wrong one, and what it was probably meant to be. */
function slipOf(path: readonly string[], scopes: readonly JsonSchema[]): { readonly fix?: string } {
  const parent = path.length > 1 ? lookUp(scopes, path.slice(0, -1)) : undefined
  return parent === undefined
    ? nearest(path[0] ?? '', namesIn(scopes))
    : nearest(path.at(-1) ?? '', namesIn([parent]))
}

function namesIn(scopes: readonly JsonSchema[]): readonly string[] {
  return scopes.flatMap((scope) =>
    alternativesOf(scope).flatMap((one) => Object.keys(one['properties'] ?? {})),
  )
}
