// The values of a plan's inputs: given ones checked against their declaration, defaults for the rest.

import type { Findings } from './findings.ts'
import { toPointer } from './pointer.ts'
import type { InputDeclaration, InputValues } from './schema.ts'
import { fitsInput } from './written.ts'

type Value = string | number | boolean

const wordsFor: Readonly<Record<InputDeclaration['type'], string>> = {
  string: 'a text of up to 1,000 characters',
  integer: 'an integer',
  boolean: 'true or false',
  date: 'a date (YYYY-MM-DD or today)',
}

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
  findings: Findings,
): InputValues {
  const values: [string, Value][] = []
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(declared, name)) continue
    if (findings.full) break
    const known = Object.keys(declared)
    const message = `there is no input ${name}; inputs: ${known.join(', ') || 'none'}`
    const path = toPointer(['inputs', name])
    findings.add({ code: 'INVALID_ARGUMENT', path, message }, { name, known })
  }
  for (const [name, { type, default: fallback }] of Object.entries(declared)) {
    const isGiven = Object.hasOwn(given, name)
    // Left out of the plan: absent-inputs.ts.
    if (!isGiven && fallback === null) continue
    const raw = isGiven ? given[name] : fallback
    const path = `/inputs/${name}`
    if (raw === undefined) {
      const message = `the input ${name} (${type}) has no default and was not given`
      findings.add({ code: 'INVALID_ARGUMENT', path, message, fix: `--input ${name}=...` })
      continue
    }
    const value = raw === null ? raw : toDeclared(type, raw)
    if (value !== null && fitsInput(type, value)) values.push([name, value])
    else {
      const message = `the input ${name} is not ${wordsFor[type]}`
      findings.add({ code: 'INVALID_ARGUMENT', path, message })
    }
  }
  return Object.fromEntries(values)
}
