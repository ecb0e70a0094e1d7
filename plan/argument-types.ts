// What an argument will be, as a JSON Schema, before it is anything: references by the schema of what
// they name, inputs by their declaration, texts. Reports what is wrong with the form itself; whether
// the type is the wanted one is asked in compile-arguments.ts.

import type { Check } from './compile-arguments.ts'
import { typeOfHandle } from './compile-handles.ts'
import type { Findings } from './findings.ts'
import { type JsonSchema, toJsonSchema, walkSchema } from './json-schema.ts'
import { escapeToken, isObject, parsePointer, parseReference } from './pointer.ts'
import { type Form, formOf } from './references.ts'
import type { WrittenStep } from './schema.ts'
import { parseText, TextError } from './text.ts'
import { checkNames } from './text-types.ts'
import { isValueName } from './written.ts'

const anything: JsonSchema = {}

/** The schema of what an argument resolves to; undefined when it was refused. */
export function typeOfArgument(value: unknown, path: string, check: Check): JsonSchema | undefined {
  if (check.findings.full) return undefined
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) typeOfArgument(item, `${path}/${index}`, check)
    return anything
  }
  if (!isObject(value)) return anything
  const form = formOf(value)
  switch (form.form) {
    case 'from':
      return typeOfReference(form.reference, path, check)
    case 'item':
      return typeOfItem(form, path, check)
    case 'input':
      return typeOfInput(form.name, path, check)
    case 'handle':
      return typeOfHandle(form, path, check)
    case 'text':
      return checkText(form, path, check) ? { type: 'string' } : undefined
    case 'unknown': {
      const message = form.keys.includes('$handle')
        ? 'an earlier result is { $handle: <request>/<step>/<iteration>, pointer: /<field> }'
        : `${form.keys.join(', ')} is not a form of an argument`
      check.findings.add({ code: 'INVALID_SHAPE', path, message })
      return undefined
    }
    case 'none':
      for (const [name, item] of Object.entries(value)) {
        typeOfArgument(item, `${path}/${escapeToken(name)}`, check)
      }
      return anything
  }
}

function typeOfReference(reference: string, path: string, check: Check): JsonSchema | undefined {
  const code = 'UNKNOWN_REFERENCE'
  const parsed = parseReference(reference)
  if (parsed === undefined) {
    const message = `${JSON.stringify(reference.slice(0, 80))} is not step#/pointer`
    check.findings.add({ code, path, message })
    return undefined
  }
  const { step, tokens } = parsed
  const producer = check.scope.written.get(step)
  if (producer === undefined) {
    const message = `there is no step ${step}`
    check.findings.add({ code, path, message }, { name: step, known: check.scope.written.keys() })
    return undefined
  }
  const action = check.scope.actions.get(step)
  // An unknown action has been reported; nothing more can be said of its result.
  if (action === undefined) return undefined
  const found = walkSchema(typeOfResult(toJsonSchema(action.output, 'output'), producer), tokens)
  if (found === undefined) {
    const message = `${producer.agent}.${producer.action} has no result /${tokens.join('/')}`
    check.findings.add({ code, path, message })
    return undefined
  }
  const isMissable = producer.forEach === undefined && check.within?.join === 'any'
  return mayBeAbsent(producer) || isMissable ? orNull(found) : found
}

function typeOfItem(
  { pointer, as }: Extract<Form, { form: 'item' }>,
  path: string,
  check: Check,
): JsonSchema | undefined {
  const code = 'UNKNOWN_REFERENCE'
  const loop = check.within?.loop
  if (loop?.as !== as) {
    const message = `there is no item ${JSON.stringify(as.slice(0, 60))} here`
    check.findings.add({ code, path, message }, { name: as, known: loop ? [loop.as] : [] })
    return undefined
  }
  // What the loop runs over has been refused; nothing more can be said of its items.
  if (loop.item === undefined) return undefined
  const tokens = parsePointer(pointer)
  const found = tokens === undefined ? undefined : walkSchema(loop.item, tokens)
  if (found !== undefined) return found
  const message = `an item of ${loop.as} has no ${JSON.stringify(pointer.slice(0, 80))}`
  check.findings.add({ code, path, message })
  return undefined
}

const orNull = (schema: JsonSchema): JsonSchema => ({ anyOf: [schema, { type: 'null' }] })

/** A step that may be skipped, or fail and let the run go on, may leave no result; a loop leaves a list. */
function mayBeAbsent({ when, onError, join, forEach }: WrittenStep): boolean {
  if (forEach !== undefined) return false
  // One that waited for any of its needs is skipped where none of them settled.
  return when !== undefined || onError === 'continue' || join === 'any'
}

/** Of a loop the list of what its iterations return, null where one was skipped or failed. */
function typeOfResult(output: JsonSchema, { forEach, when, onError }: WrittenStep): JsonSchema {
  if (forEach === undefined) return output
  const isGap = when !== undefined || onError === 'continue'
  return { type: 'array', items: isGap ? orNull(output) : output }
}

/** What the whole result of a step is to those that refer to it. */
export function typeOfProduct(output: JsonSchema, producer: WrittenStep): JsonSchema {
  const result = typeOfResult(output, producer)
  return mayBeAbsent(producer) ? orNull(result) : result
}

function typeOfInput(name: string, path: string, check: Check): JsonSchema | undefined {
  const { inputs } = check.scope
  const declared = Object.hasOwn(inputs, name) ? inputs[name] : undefined
  if (declared === undefined) {
    const message = `there is no input ${name}`
    const slip = { name, known: Object.keys(inputs) }
    check.findings.add({ code: 'UNKNOWN_REFERENCE', path, message }, slip)
    return undefined
  }
  return { type: declared.type === 'date' ? 'string' : declared.type }
}

function checkText(text: Extract<Form, { form: 'text' }>, path: string, check: Check): boolean {
  const types = new Map<string, JsonSchema>()
  for (const [name, value] of Object.entries(text.with)) {
    const at = `${path}/with/${escapeToken(name)}`
    if (!isValueName(name)) {
      const message = `${JSON.stringify(name)} is not a name for a value`
      check.findings.add({ code: 'INVALID_NAME', path: at, message })
    }
    types.set(name, typeOfArgument(value, at, check) ?? anything)
  }
  return checkTemplate(text.template, types, `${path}/$text`, check.findings)
}

/** A template against the types of the values that it will be rendered with. */
export function checkTemplate(
  template: string,
  types: ReadonlyMap<string, JsonSchema>,
  path: string,
  findings: Findings,
): boolean {
  const view = {
    type: 'object',
    properties: Object.fromEntries(types),
    required: [...types.keys()],
  }
  try {
    const faults = checkNames(parseText(template), view)
    for (const fault of faults) findings.add({ ...fault, path })
    return faults.length === 0
  } catch (error) {
    if (!(error instanceof TextError)) throw error
    findings.add({ code: 'INVALID_ARGUMENT', path, message: error.message })
    return false
  }
}
