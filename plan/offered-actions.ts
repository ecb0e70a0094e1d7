// The actions as a model is offered them: names, what each does, and its arguments and result in a few words
// of type. Made of manifests alone, never of anything that an agent has returned (R8), and in one order, so
// that worker and notary write the same bytes. Left out is what undoes others and asks models: neither is
// what a person asks for. Pure.

import { type JsonSchema, toJsonSchema } from './json-schema.ts'
import type { ActionManifest, AgentManifest, Catalogue } from './manifest.ts'
import { isObject } from './pointer.ts'
import { byCodeUnits } from './principals.ts'

/** What asks models is no part of a plan that a model proposes. */
export const modelAgent = 'model'

export interface OfferedAction {
  /** `agent.action` */
  readonly action: string
  readonly summary: string
  readonly args: readonly { readonly name: string; readonly type: string }[]
  readonly result: string
}

/** Of all that is offered, as the arguments of one step: names of members count too. */
const maxTypeCharacters = 140
const maxResultCharacters = 180
const maxSummaryCharacters = 200

export function offeredActions(catalogue: Catalogue): readonly OfferedAction[] {
  return [...catalogue]
    .filter(([agent]) => agent !== modelAgent)
    .toSorted(([one], [other]) => byCodeUnits(one, other))
    .flatMap(([agent, manifest]) =>
      Object.entries(manifest.actions)
        .filter(([name]) => !undoes(manifest, name))
        .toSorted(([one], [other]) => byCodeUnits(one, other))
        .map(([name, action]) => offer(`${agent}.${name}`, action)),
    )
}

function undoes({ actions }: AgentManifest, name: string): boolean {
  return Object.values(actions).some(({ undo }) => undo !== 'none' && undo.action === name)
}

function offer(action: string, { summary, input, output }: ActionManifest): OfferedAction {
  const { properties, required } = membersOf(toJsonSchema(input, 'input'))
  return {
    action,
    summary: cut(summary, maxSummaryCharacters),
    args: Object.entries(properties).map(([name, schema]) => {
      const optional = required.includes(name) ? '' : 'optional, '
      return { name, type: cut(`${optional}${typeWords(schema)}`, maxTypeCharacters) }
    }),
    result: resultWords({ output }),
  }
}

/** What an action returns, in a few words of type. */
export function resultWords({ output }: Pick<ActionManifest, 'output'>): string {
  return cut(typeWords(toJsonSchema(output, 'output')), maxResultCharacters)
}

function membersOf(schema: JsonSchema): {
  readonly properties: Readonly<Record<string, JsonSchema>>
  readonly required: readonly unknown[]
} {
  const { properties, required } = schema
  return {
    properties: (isObject(properties) ? properties : {}) as Readonly<Record<string, JsonSchema>>,
    required: Array.isArray(required) ? required : [],
  }
}

function typeWords(schema: JsonSchema): string {
  const { enum: choices, const: only, anyOf, oneOf, type, items, default: usual } = schema
  const unless = usual === undefined || isObject(usual) ? '' : ` = ${JSON.stringify(usual)}`
  if (only !== undefined) return JSON.stringify(only)
  if (Array.isArray(choices)) return choices.map((one) => JSON.stringify(one)).join('|') + unless
  const kinds = anyOf ?? oneOf
  if (Array.isArray(kinds)) return kinds.filter(isObject).map(typeWords).join('|') + unless
  if (type === 'array') return `[${isObject(items) ? typeWords(items) : ''}]`
  if (type === 'object') {
    const { properties, required } = membersOf(schema)
    const members = Object.entries(properties).map(
      ([name, member]) => `${name}${required.includes(name) ? '' : '?'}: ${typeWords(member)}`,
    )
    return `{${members.join(', ')}}`
  }
  return `${scalarWords(schema)}${unless}`
}

function scalarWords({ type, format, pattern, minimum, maximum }: JsonSchema): string {
  if (typeof format === 'string') return format
  if (typeof pattern === 'string' && pattern.length <= 60) return `text /${pattern}/`
  const isBound = (bound: unknown) => typeof bound === 'number' && Math.abs(bound) < 2 ** 53 - 1
  const from = isBound(minimum) ? ` from ${String(minimum)}` : ''
  const to = isBound(maximum) ? ` to ${String(maximum)}` : ''
  const kinds: readonly unknown[] = Array.isArray(type) ? type : [type ?? 'anything']
  const words = kinds.map((one) => (one === 'string' ? 'text' : String(one))).join('|')
  return `${words}${from}${to}`
}

function cut(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1).toWellFormed()}…` : text
}
