// What an effect's arguments spend: the sum of its amounts for each unit. The unit of an amount is the
// currency in the argument that the manifest names beside it, a unit that several actions of the agent
// share, or, where it names neither, whatever the action counts. Pure. Says nothing about what the agent does with an amount that it is given.

import { alternativesOf, type JsonSchema, walkSchema } from './json-schema.ts'
import type { ActionManifest } from './manifest.ts'
import { isObject, parsePointer } from './pointer.ts'

export const currencyPattern = /^[A-Z]{3}$/
/** What is spelled otherwise has no budget, and its spelling is nobody's to read in the audit. */
const noCurrency = '?'

/** More than any budget: a single amount is counted as no more, so that no sum overflows. */
export const mostAmount = 1_000_000_000_000

export interface Amount {
  /** `EUR`, `?`, `agent.unit` where the manifest names one, else `agent.action`. */
  readonly unit: string
  readonly currency: boolean
  /** Whole and never negative: what takes back counts like what gives. */
  readonly amount: number
}

/**
 * One entry a unit, in the order in which the manifest names them.
 * @param name `agent.action`
 * @param args as they will be executed, checked against the action's schema
 */
export function amountsOf(
  name: string,
  { roles, currencies = {}, units = {} }: Pick<ActionManifest, 'roles' | 'currencies' | 'units'>,
  args: unknown,
): readonly Amount[] {
  const sums = new Map<string, Amount>()
  for (const pointer of Object.keys(roles).filter((one) => roles[one] === 'amount')) {
    const beside = Object.hasOwn(currencies, pointer) ? currencies[pointer] : undefined
    const counted = unitOf(name, { units }, pointer)
    for (const { value, indices } of leavesAt(args, parsePointer(pointer) ?? [])) {
      // Left out, as an optional argument is.
      if (value === undefined || value === null) continue
      const currency = beside !== undefined
      const unit = currency ? toCurrency(leafAt(args, beside, indices)) : counted
      const amount = Math.min(mostAmount, (sums.get(unit)?.amount ?? 0) + toCount(value))
      sums.set(unit, { unit, currency, amount })
    }
  }
  return [...sums.values()]
}

/** What an amount without a currency is counted in. */
export function unitOf(
  name: string,
  { units = {} }: Pick<ActionManifest, 'units'>,
  pointer: string,
): string {
  return Object.hasOwn(units, pointer) ? (units[pointer] ?? name) : name
}

function toCurrency(value: unknown): string {
  const text = typeof value === 'string' ? value.toUpperCase() : ''
  return currencyPattern.test(text) ? text : noCurrency
}

/** What is no number is more than any budget. */
function toCount(value: unknown): number {
  const size = typeof value === 'number' ? Math.ceil(Math.abs(value)) : mostAmount
  return Math.min(size, mostAmount)
}

interface Leaf {
  readonly value: unknown
  /** What stood where the pointer has `*`, from the left. */
  readonly indices: readonly string[]
}

function leavesAt(
  value: unknown,
  [token, ...rest]: readonly string[],
  indices: readonly string[] = [],
): readonly Leaf[] {
  if (token === undefined) return [{ value, indices }]
  if (token !== '*') return leavesAt(member(value, token), rest, indices)
  const names = Array.isArray(value) || isObject(value) ? Object.keys(value) : []
  return names.flatMap((name) => leavesAt(member(value, name), rest, [...indices, name]))
}

/** The argument beside an amount: the same item of the same list. */
function leafAt(args: unknown, pointer: string, indices: readonly string[]): unknown {
  let next = 0
  let value = args
  for (const token of parsePointer(pointer) ?? []) {
    value = member(value, token === '*' ? (indices[next++] ?? '') : token)
  }
  return value
}

function member(value: unknown, name: string): unknown {
  if (!Array.isArray(value) && !isObject(value)) return undefined
  return Object.hasOwn(value, name) ? (value as Readonly<Record<string, unknown>>)[name] : undefined
}

/**
 * What is wrong with the declaration; undefined when nothing is: an amount and the text beside it are
 * leaves of the input, the amount whole, and a currency in a list is beside an amount in the same.
 */
export function faultOfCurrencies(
  { roles, currencies = {} }: Pick<ActionManifest, 'roles' | 'currencies'>,
  input: JsonSchema,
): string | undefined {
  for (const [pointer, beside] of Object.entries(currencies)) {
    if (!Object.hasOwn(roles, pointer) || roles[pointer] !== 'amount') {
      return `has a currency for ${pointer}, which is no amount`
    }
    if (!Object.hasOwn(roles, beside) || roles[beside] !== 'control') {
      return `names ${beside} as a currency, which is no argument that decides`
    }
    const list = listOf(pointer)
    if (listOf(beside).some((token, at) => token !== list[at])) {
      return `names ${beside} as a currency of many, of which ${pointer} is none`
    }
    if (!isOf(input, pointer, 'integer'))
      return `counts ${pointer} in fractions: minor units are whole`
    if (!isOf(input, beside, 'string')) return `names ${beside} as a currency, which is no text`
  }
  return undefined
}

/**
 * What is wrong with the units that several actions share; undefined when nothing is: each is of an amount
 * that has no currency, and is a name of the agent's own that no action of it has.
 */
export function faultOfUnits(
  agent: string,
  { roles, currencies = {}, units = {} }: Pick<ActionManifest, 'roles' | 'currencies' | 'units'>,
  actions: readonly string[],
): string | undefined {
  for (const [pointer, unit] of Object.entries(units)) {
    if (!Object.hasOwn(roles, pointer) || roles[pointer] !== 'amount') {
      return `has a unit for ${pointer}, which is no amount`
    }
    if (Object.hasOwn(currencies, pointer)) return `has a currency and a unit for ${pointer}`
    const [owner, word = '', ...more] = unit.split('.')
    if (owner !== agent || more.length > 0 || !/^[a-z][a-z0-9_]{0,39}$/.test(word)) {
      return `counts ${pointer} in ${unit}, which is no unit of the agent's own`
    }
    if (actions.includes(word)) return `counts ${pointer} in ${unit}, which is an action`
  }
  return undefined
}

/** A pointer down to the items of the innermost list that it goes into; empty: into none. */
function listOf(pointer: string): readonly string[] {
  const tokens = parsePointer(pointer) ?? []
  return tokens.slice(0, tokens.lastIndexOf('*') + 1)
}

/** Whether whatever may stand there is of the type, or absent. */
export function isOf(input: JsonSchema, pointer: string, type: string): boolean {
  const tokens = (parsePointer(pointer) ?? []).map((token) => (token === '*' ? '0' : token))
  const found = walkSchema(input, tokens)
  if (found === undefined) return false
  const types = alternativesOf(found).map((one) => one['type'])
  return types.every((one) => one === type || one === 'null')
}
