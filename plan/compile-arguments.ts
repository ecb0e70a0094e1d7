// Arguments against the action's input schema: literals by their value, references by the schema of
// what they name, texts by their template and names. What can only be known of the actual value
// (lengths, patterns, refinements of a referenced value) is checked again before a token is minted.

import { z } from 'zod'
import { canonicalJson } from '../security/verify/canonical-json.ts'
import type { Issue, IssueCode } from './issues.ts'
import {
  alternativesOf,
  isAssignable,
  type JsonSchema,
  toJsonSchema,
  walkSchema,
} from './json-schema.ts'
import { limits } from './limits.ts'
import type { ActionManifest } from './manifest.ts'
import { nearest } from './nearest.ts'
import { isObject, parseReference } from './pointer.ts'
import { formOf } from './references.ts'
import type { Argument, InputDeclaration, WrittenStep } from './schema.ts'
import { namesOf, parseText, TextError } from './text.ts'

export interface StepScope {
  readonly actions: ReadonlyMap<string, ActionManifest>
  readonly written: ReadonlyMap<string, WrittenStep>
  readonly inputs: Readonly<Record<string, InputDeclaration>>
}

interface Check {
  readonly step: string
  readonly scope: StepScope
  report(code: IssueCode, path: string, message: string, fix?: string): void
}

const anything: JsonSchema = {}
const nothingElse: JsonSchema = { type: 'null' }

export function checkArguments(
  step: WrittenStep,
  path: string,
  scope: StepScope,
  issues: Issue[],
): void {
  const check: Check = {
    step: step.id,
    scope,
    report: (code, at, message, fix) =>
      issues.push({ code, path: at, message, ...(fix === undefined ? {} : { fix }) }),
  }
  const args = step.args ?? {}
  const action = scope.actions.get(step.id)
  if (Buffer.byteLength(JSON.stringify(args)) > limits.argumentBytes) {
    check.report('LIMIT', `${path}/args`, 'the arguments are longer than 64 KiB')
    return
  }
  if (action !== undefined)
    checkObject(args, toJsonSchema(action.input, 'input'), `${path}/args`, check)
  else
    for (const [name, value] of Object.entries(args))
      typeOfArgument(value, `${path}/args/${name}`, check)
  for (const [name, value] of Object.entries(step.when?.with ?? {})) {
    typeOfArgument(value, `${path}/when/with/${name}`, check)
  }
}

function checkObject(
  value: Readonly<Record<string, unknown>>,
  schema: JsonSchema,
  path: string,
  check: Check,
): void {
  const properties = isObject(schema['properties']) ? schema['properties'] : {}
  const additional = schema['additionalProperties']
  for (const [name, item] of Object.entries(value)) {
    const at = `${path}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
    const own = Object.hasOwn(properties, name) ? properties[name] : additional
    if (isObject(own)) checkValue(item, own, at, check)
    else if (own === false || own === undefined) {
      const { fix } = nearest(name, Object.keys(properties))
      check.report('INVALID_ARGUMENT', at, `there is no argument ${name}`, fix)
    }
  }
  const required = Array.isArray(schema['required']) ? schema['required'].map(String) : []
  for (const name of required.filter((one) => !Object.hasOwn(value, one))) {
    check.report('INVALID_ARGUMENT', path, `the argument ${name} is missing`)
  }
}

function checkValue(value: unknown, schema: JsonSchema, path: string, check: Check): void {
  if (isObject(value) && formOf(value).form !== 'none') {
    const given = typeOfArgument(value, path, check)
    if (given === undefined || isAssignable(given, schema)) return
    const nullable =
      isAssignable({ type: 'null' }, given) && !isAssignable({ type: 'null' }, schema)
    const reason = nullable
      ? 'it may be null (its step may be skipped or fail, or the value may be absent)'
      : `it is ${describe(given)}`
    check.report('INVALID_ARGUMENT', path, `${reason}; wanted: ${describe(schema)}`)
    return
  }
  if (!containsForm(value)) {
    checkLiteral(value, schema, path, check)
    return
  }
  const wanted = alternativesOf(schema).find((one) =>
    Array.isArray(value) ? one['type'] === 'array' : one['type'] === 'object',
  )
  if (wanted === undefined) {
    check.report('INVALID_ARGUMENT', path, `wanted: ${describe(schema)}`)
  } else if (Array.isArray(value)) {
    const items = isObject(wanted['items']) ? wanted['items'] : anything
    for (const [index, item] of value.entries()) checkValue(item, items, `${path}/${index}`, check)
  } else if (isObject(value)) {
    checkObject(value, wanted, path, check)
  }
}

function containsForm(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(containsForm)
  if (!isObject(value)) return false
  return formOf(value).form !== 'none' || Object.values(value).some(containsForm)
}

function checkLiteral(value: unknown, schema: JsonSchema, path: string, check: Check): void {
  try {
    canonicalJson(value)
  } catch {
    check.report(
      'INVALID_ARGUMENT',
      path,
      'not a JSON value with safe numbers and whole characters',
    )
    return
  }
  const parsed = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(value)
  for (const issue of parsed.error?.issues ?? []) {
    const at = issue.path.map((token) => `/${String(token)}`).join('')
    check.report('INVALID_ARGUMENT', path + at, issue.message)
  }
}

/** The schema of what an argument resolves to; undefined when it was refused. */
function typeOfArgument(
  value: Argument | unknown,
  path: string,
  check: Check,
): JsonSchema | undefined {
  if (!isObject(value)) {
    if (containsForm(value) && Array.isArray(value)) {
      for (const [index, item] of value.entries()) typeOfArgument(item, `${path}/${index}`, check)
    }
    return anything
  }
  const form = formOf(value)
  switch (form.form) {
    case 'from':
      return typeOfReference(form.reference, path, check)
    case 'input':
      return typeOfInput(form.name, path, check)
    case 'text':
      return checkText(form, path, check) ? { type: 'string' } : undefined
    case 'unknown': {
      const later = form.keys.find((key) => key === '$handle' || key === '$item')
      const message =
        later === undefined
          ? `${form.keys.join(', ')} is not a form of an argument`
          : `${later} is not supported by this version`
      check.report('INVALID_SHAPE', path, message)
      return undefined
    }
    case 'none':
      for (const [name, item] of Object.entries(value))
        typeOfArgument(item, `${path}/${name}`, check)
      return anything
  }
}

function typeOfReference(reference: string, path: string, check: Check): JsonSchema | undefined {
  const parsed = parseReference(reference)
  if (parsed === undefined) {
    check.report(
      'UNKNOWN_REFERENCE',
      path,
      `${JSON.stringify(reference.slice(0, 80))} is not step#/pointer`,
    )
    return undefined
  }
  const producer = check.scope.written.get(parsed.step)
  if (producer === undefined) {
    const { fix } = nearest(parsed.step, check.scope.written.keys())
    check.report('UNKNOWN_REFERENCE', path, `there is no step ${parsed.step}`, fix)
    return undefined
  }
  const action = check.scope.actions.get(parsed.step)
  // An unknown action has been reported; nothing more can be said of its result.
  if (action === undefined) return undefined
  const found = walkSchema(toJsonSchema(action.output, 'output'), parsed.tokens)
  if (found === undefined) {
    check.report(
      'UNKNOWN_REFERENCE',
      path,
      `${producer.agent}.${producer.action} has no result /${parsed.tokens.join('/')}`,
    )
    return undefined
  }
  const mayBeAbsent = producer.when !== undefined || producer.onError === 'continue'
  return mayBeAbsent ? { anyOf: [found, nothingElse] } : found
}

function typeOfInput(name: string, path: string, check: Check): JsonSchema | undefined {
  const declared = Object.hasOwn(check.scope.inputs, name) ? check.scope.inputs[name] : undefined
  if (declared === undefined) {
    check.report('UNKNOWN_REFERENCE', path, `there is no input ${name}`)
    return undefined
  }
  return { type: declared.type === 'date' ? 'string' : declared.type }
}

function checkText(
  text: { readonly template: string; readonly with: Readonly<Record<string, Argument>> },
  path: string,
  check: Check,
): boolean {
  for (const [name, value] of Object.entries(text.with)) {
    typeOfArgument(value, `${path}/with/${name}`, check)
  }
  try {
    const missing = namesOf(parseText(text.template)).filter(
      (name) => !Object.hasOwn(text.with, name),
    )
    for (const name of missing) {
      const { fix } = nearest(name, Object.keys(text.with))
      check.report(
        'UNKNOWN_REFERENCE',
        `${path}/$text`,
        `the text uses ${name}, which is not in with`,
        fix,
      )
    }
    return missing.length === 0
  } catch (error) {
    if (!(error instanceof TextError)) throw error
    check.report('INVALID_ARGUMENT', `${path}/$text`, error.message)
    return false
  }
}

function describe(schema: JsonSchema): string {
  const names = alternativesOf(schema).map((one) => {
    if (Array.isArray(one['enum'])) return one['enum'].map(String).join(' | ')
    return String(one['const'] ?? one['type'] ?? 'anything')
  })
  return [...new Set(names)].join(' or ')
}
