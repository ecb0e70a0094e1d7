// A value that a schema accepts, with a word of the caller's in every place that takes a text.

import type { z } from 'zod'
import { alternativesOf, type JsonSchema, toJsonSchema } from '../../plan/json-schema.ts'
import type { JsonValue } from '../../security/verify/canonical-json.ts'

/** `items`: how many there are in each list; numbers and choices follow from it. */
export function valueOfSchema(schema: z.ZodType, word: () => string, items: number): JsonValue {
  return fill(toJsonSchema(schema, 'output'), word, items)
}

function fill(schema: JsonSchema, word: () => string, items: number): JsonValue {
  const all = alternativesOf(schema)
  const one = all[items % all.length] ?? {}
  if ('const' in one) return one['const'] as JsonValue
  if (Array.isArray(one['enum'])) return one['enum'][items % one['enum'].length]
  switch (one['type']) {
    case 'object': {
      const { properties = {}, additionalProperties } = one
      const named = Object.entries(properties as Readonly<Record<string, JsonSchema>>)
      const values = named.map(([name, part]) => [name, fill(part, word, items)])
      const free = typeof additionalProperties === 'object' && additionalProperties !== null
      return Object.fromEntries(free ? [...values, ['free', items]] : values)
    }
    case 'array':
      return Array.from({ length: items }, () =>
        fill((one['items'] ?? {}) as JsonSchema, word, items),
      )
    case 'integer':
    case 'number':
      return items
    case 'boolean':
      return items % 2 === 1
    case 'null':
      return null
    default:
      return word()
  }
}
