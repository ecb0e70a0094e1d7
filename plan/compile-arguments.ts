// Arguments against the action's input schema: literals and inputs by their value, references by the
// schema of what they name, texts by their template and names. What can only be known of the actual
// value (lengths, patterns, refinements of a referenced value) is checked again before a token is
// minted.

import { z } from 'zod'
import { typeOfArgument } from './argument-types.ts'
import type { HandleScope } from './compile-handles.ts'
import type { Findings } from './findings.ts'
import type { IssueCode } from './issues.ts'
import { alternativesOf, isAssignable, type JsonSchema, toJsonSchema } from './json-schema.ts'
import { isPrefix } from './labels.ts'
import { limits } from './limits.ts'
import type { ActionManifest } from './manifest.ts'
import { escapeToken, isObject, type Reference, toPointer } from './pointer.ts'
import { type Form, formOf, referenceOf, resolveRecord } from './references.ts'
import type { Argument, InputDeclaration, InputValues, Join, WrittenStep } from './schema.ts'

export interface StepScope {
  readonly actions: ReadonlyMap<string, ActionManifest>
  readonly written: ReadonlyMap<string, WrittenStep>
  readonly inputs: Readonly<Record<string, InputDeclaration>>
  /** Values of those inputs that have a right one. */
  readonly values: InputValues
  readonly handles: HandleScope
}

export interface Check {
  readonly scope: StepScope
  readonly findings: Findings
  /** What only the arguments of one step may refer to, and what it makes of all references. */
  readonly within?: { readonly join: Join; readonly loop?: LoopScope | undefined }
  /** What the guard of the step reads of other steps. */
  readonly guarded?: readonly Reference[]
}

export interface LoopScope {
  readonly as: string
  /** Undefined where the list itself was refused. */
  readonly item: JsonSchema | undefined
}

const anything: JsonSchema = {}

export function checkArguments(step: WrittenStep, path: string, check: Check): void {
  const args = step.args ?? {}
  const action = check.scope.actions.get(step.id)
  if (Buffer.byteLength(JSON.stringify(args)) > limits.argumentBytes) {
    const message = 'the arguments are longer than 64 KiB'
    check.findings.add({ code: 'LIMIT', path: `${path}/args`, message })
  } else if (action === undefined) {
    checkNamed(args, `${path}/args`, check)
  } else {
    const before = check.findings.issues.length
    const guarded = referencesOfGuard(step)
    checkObject(args, toJsonSchema(action.input, 'input'), `${path}/args`, { ...check, guarded })
    const isSound = check.findings.issues.length === before
    if (isSound && isKnownNow(args, check.scope.values))
      checkWhole(args, action, `${path}/args`, check)
  }
  checkNamed(step.when?.with ?? {}, `${path}/when/with`, check)
}

/** Values that are named here and typed nowhere: only their references and forms can be wrong. */
function checkNamed(named: Readonly<Record<string, unknown>>, path: string, check: Check): void {
  for (const [name, value] of Object.entries(named)) {
    if (check.findings.full) return
    typeOfArgument(value, `${path}/${escapeToken(name)}`, check)
  }
}

/** Refinements over several arguments, which no JSON Schema carries, where all values are known. */
function checkWhole(
  args: Readonly<Record<string, Argument>>,
  action: ActionManifest,
  path: string,
  check: Check,
): void {
  const context = { inputs: check.scope.values, resultOf: () => null }
  const parsed = action.input.safeParse(resolveRecord(args, context))
  for (const issue of parsed.error?.issues ?? []) {
    const at = path + toPointer(issue.path)
    check.findings.add({ code: 'INVALID_ARGUMENT', path: at, message: issue.message })
  }
}

/** An input without a value was refused already, where it was given. */
function isKnownNow(value: unknown, inputs: InputValues): boolean {
  if (Array.isArray(value)) return value.every((item) => isKnownNow(item, inputs))
  if (!isObject(value)) return true
  const { form } = formOf(value)
  if (form === 'input') return Object.hasOwn(inputs, String(value['$input']))
  return form === 'none' && Object.values(value).every((item) => isKnownNow(item, inputs))
}

function report(check: Check, code: IssueCode, path: string, message: string): void {
  check.findings.add({ code, path, message })
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
    if (check.findings.full) return
    const at = `${path}/${escapeToken(name)}`
    const own = Object.hasOwn(properties, name) ? properties[name] : additional
    if (isObject(own)) checkValue(item, own, at, check)
    else {
      const message = `there is no argument ${name}`
      const slip = { name, known: Object.keys(properties) }
      check.findings.add({ code: 'INVALID_ARGUMENT', path: at, message }, slip)
    }
  }
  const required = Array.isArray(schema['required']) ? schema['required'].map(String) : []
  for (const name of required.filter((one) => !Object.hasOwn(value, one))) {
    report(check, 'INVALID_ARGUMENT', path, `the argument ${name} is missing`)
  }
}

function checkValue(value: unknown, schema: JsonSchema, path: string, check: Check): void {
  const form = isObject(value) ? formOf(value) : { form: 'none' as const }
  if (form.form === 'none') {
    if (containsForm(value)) checkParts(value, schema, path, check)
    else checkLiteral(value, schema, path, check)
    return
  }
  const given = typeOfArgument(value, path, check)
  if (given === undefined) return
  if (form.form === 'input' && Object.hasOwn(check.scope.values, form.name)) {
    checkLiteral(check.scope.values[form.name], schema, path, check)
    return
  }
  if (isAssignable(given, schema)) return
  const nullable = isAssignable({ type: 'null' }, given) && !isAssignable({ type: 'null' }, schema)
  const isGuarded = form.form !== 'input' && isReadByGuard(form, check)
  if (nullable && isGuarded && isAssignable(withoutNull(given), schema)) return
  const reason = nullable
    ? 'it may be null (its step may be skipped or fail, or the value may be absent)'
    : `it is ${describe(given)}`
  report(check, 'INVALID_ARGUMENT', path, `${reason}; wanted: ${describe(schema)}`)
}

/**
 * Whether the value is there is for the guard to say, where it reads the value or what the value is part
 * of. One that says yes to an absent value is no danger: the notary refuses the null (docs/adr/0047).
 */
function isReadByGuard(form: Form, { guarded = [] }: Check): boolean {
  const given = referenceOf(form)
  if (given === undefined) return false
  return guarded.some(({ step, tokens }) => step === given.step && isPrefix(tokens, given.tokens))
}

function referencesOfGuard({ when }: WrittenStep): readonly Reference[] {
  return Object.values(when?.with ?? {}).flatMap((value) =>
    isObject(value) ? (referenceOf(formOf(value)) ?? []) : [],
  )
}

function withoutNull(schema: JsonSchema): JsonSchema {
  return { anyOf: alternativesOf(schema).filter((one) => one['type'] !== 'null') }
}

/** A list or object with a form somewhere in it: each part against its own schema. */
function checkParts(value: unknown, schema: JsonSchema, path: string, check: Check): void {
  const kind = Array.isArray(value) ? 'array' : 'object'
  const wanted = alternativesOf(schema).find((one) => one['type'] === kind)
  if (Object.keys(schema).length === 0) {
    typeOfArgument(value, path, check)
  } else if (wanted === undefined) {
    report(check, 'INVALID_ARGUMENT', path, `wanted: ${describe(schema)}`)
  } else if (Array.isArray(value)) {
    const items = isObject(wanted['items']) ? wanted['items'] : anything
    const { minItems, maxItems } = wanted
    const fits =
      !(typeof minItems === 'number' && value.length < minItems) &&
      !(typeof maxItems === 'number' && value.length > maxItems)
    if (!fits) report(check, 'INVALID_ARGUMENT', path, 'not the number of items that is wanted')
    for (const [index, item] of value.entries()) {
      if (check.findings.full) return
      checkValue(item, items, `${path}/${index}`, check)
    }
  } else if (isObject(value)) {
    checkObject(value, wanted, path, check)
  }
}

function containsForm(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(containsForm)
  if (!isObject(value)) return false
  return formOf(value).form !== 'none' || Object.values(value).some(containsForm)
}

const validators = new WeakMap<JsonSchema, z.ZodType>()

/** Made once a schema: a plan of a thousand steps asks the same few. */
function validatorFor(schema: JsonSchema): z.ZodType {
  const known = validators.get(schema)
  if (known !== undefined) return known
  const made = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
  validators.set(schema, made)
  return made
}

function checkLiteral(value: unknown, schema: JsonSchema, path: string, check: Check): void {
  for (const issue of validatorFor(schema).safeParse(value).error?.issues ?? []) {
    if (check.findings.full) return
    report(check, 'INVALID_ARGUMENT', path + toPointer(issue.path), issue.message)
  }
}

function describe(schema: JsonSchema): string {
  const names = alternativesOf(schema).map((one) => {
    if (Array.isArray(one['enum'])) return one['enum'].map(String).join(' | ')
    return String(one['const'] ?? one['type'] ?? 'anything')
  })
  return [...new Set(names)].join(' or ')
}
