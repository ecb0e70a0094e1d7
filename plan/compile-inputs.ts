// The values of a plan's inputs: given ones checked against their declaration, defaults for the rest.

import type { Issue } from './issues.ts'
import type { InputDeclaration, InputValues } from './schema.ts'
import { fitsInput } from './written.ts'

type Value = string | number | boolean

/** Text from a command line becomes what the declaration asks for, where it reads as that. */
function toDeclared(type: InputDeclaration['type'], value: Value): Value {
  if (typeof value !== 'string') return value
  if (type === 'integer' && /^-?\d{1,15}$/.test(value)) return Number(value)
  if (type === 'boolean' && (value === 'true' || value === 'false')) return value === 'true'
  return value
}

export function resolveInputs(
  declared: Readonly<Record<string, InputDeclaration>>,
  given: InputValues,
  issues: Issue[],
): InputValues {
  const values: [string, Value][] = []
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(declared, name)) continue
    const known = Object.keys(declared).join(', ')
    issues.push({
      code: 'INVALID_ARGUMENT',
      path: `/inputs/${name}`,
      message: `there is no input ${name}; inputs: ${known === '' ? 'none' : known}`,
    })
  }
  for (const [name, { type, default: fallback }] of Object.entries(declared)) {
    const raw = Object.hasOwn(given, name) ? given[name] : fallback
    const path = `/inputs/${name}`
    if (raw === undefined) {
      const message = `the input ${name} (${type}) has no default and was not given`
      issues.push({ code: 'INVALID_ARGUMENT', path, message, fix: `--input ${name}=...` })
      continue
    }
    const value = toDeclared(type, raw)
    if (fitsInput(type, value)) values.push([name, value])
    else
      issues.push({ code: 'INVALID_ARGUMENT', path, message: `the input ${name} is not a ${type}` })
  }
  return Object.fromEntries(values)
}
