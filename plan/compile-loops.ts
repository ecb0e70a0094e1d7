// Loops of a plan: what they run over must be a list, what an item is, and how much they come to
// together. The schema of an item is what `$item` is checked against.

import { typeOfArgument } from './argument-types.ts'
import type { Check, LoopScope } from './compile-arguments.ts'
import type { Findings } from './findings.ts'
import { alternativesOf, type JsonSchema } from './json-schema.ts'
import { limits } from './limits.ts'
import { isObject } from './pointer.ts'
import { formOf } from './references.ts'
import type { WrittenPlan, WrittenStep } from './schema.ts'

/** What the arguments and the guard of the step may say of its items; undefined without a loop. */
export function checkLoop(step: WrittenStep, path: string, check: Check): LoopScope | undefined {
  const { forEach, join } = step
  if (forEach === undefined) return undefined
  const { findings } = check
  const { as, max, in: list } = forEach
  if (max > limits.loopItems) {
    const message = `a loop has at most ${limits.loopItems} items`
    findings.add({ code: 'LIMIT', path: `${path}/forEach/max`, message })
  }
  const at = `${path}/forEach/in`
  if (Buffer.byteLength(JSON.stringify(list)) > limits.argumentBytes) {
    findings.add({ code: 'LIMIT', path: at, message: 'the list is longer than 64 KiB' })
    return { as, item: undefined }
  }
  // Its own items are not there yet, and a list that is missing is one of nothing.
  const outside: Check = { ...check, within: { join: join ?? 'all' } }
  const isReference = isObject(list) && ['from', 'handle'].includes(formOf(list).form)
  if (!Array.isArray(list) && !isReference) {
    const message = 'wanted: a list, or a reference to one'
    findings.add({ code: 'INVALID_ARGUMENT', path: at, message })
    return { as, item: undefined }
  }
  const type = Array.isArray(list)
    ? typeOfList(list, at, outside)
    : typeOfArgument(list, at, outside)
  return { as, item: type === undefined ? undefined : itemOf(type, at, findings) }
}

/** Every loop at its maximum: what the run must be able to carry. */
export function checkExpansion({ steps }: WrittenPlan, findings: Findings): void {
  const count = steps.reduce((sum, { forEach }) => sum + Math.max(1, forEach?.max ?? 1), 0)
  if (count <= limits.expandedSteps) return
  const message = `with its loops the plan has up to ${count} steps, and may have ${limits.expandedSteps}`
  findings.add({ code: 'LIMIT', path: '/steps', message })
}

function itemOf(list: JsonSchema, path: string, findings: Findings): JsonSchema | undefined {
  const lists = alternativesOf(list).filter((one) => one['type'] !== 'null')
  const items = lists.map((one) => (one['type'] === 'array' ? one['items'] : undefined))
  const known = items.filter(isObject)
  if (known.length === items.length && known.length > 0) return { anyOf: known }
  const message = 'what a loop runs over is a list whose items are known'
  findings.add({ code: 'INVALID_ARGUMENT', path, message })
  return undefined
}

function typeOfList(list: readonly unknown[], path: string, check: Check): JsonSchema | undefined {
  // Equal ones are said once: a list of five thousand numbers is a union of those that differ.
  const types = new Map<string, JsonSchema>()
  let sound = true
  for (const [index, value] of list.entries()) {
    if (check.findings.full) return undefined
    const type = typeOfValue(value, `${path}/${index}`, check)
    if (type === undefined) sound = false
    else types.set(JSON.stringify(type), type)
  }
  if (!sound) return undefined
  return { type: 'array', items: types.size === 0 ? { not: {} } : { anyOf: [...types.values()] } }
}

/** Of a value that the plan writes out, with the forms in it. */
function typeOfValue(value: unknown, path: string, check: Check): JsonSchema | undefined {
  if (Array.isArray(value)) return typeOfList(value, path, check)
  if (!isObject(value)) return { const: value }
  if (formOf(value).form !== 'none') return typeOfArgument(value, path, check)
  const properties: [string, JsonSchema][] = []
  for (const [name, part] of Object.entries(value)) {
    const type = typeOfValue(part, `${path}/${name}`, check)
    if (type === undefined) return undefined
    properties.push([name, type])
  }
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required: Object.keys(value),
    additionalProperties: false,
  }
}
