// Arguments that do not fit: every one made from an example by one mistake, so that it is known what is
// wrong with it. An agent that takes one does not hold plans to what it declares.

import { alternativesOf, type JsonSchema, toJsonSchema } from '../../plan/json-schema.ts'
import { isObject } from '../../plan/pointer.ts'
import { prepare } from './call.ts'
import { type Checked, type Example, withCase } from './cases.ts'

interface Mistake {
  readonly what: string
  readonly args: unknown
}

export async function tryInputs(checked: Checked, good: readonly Example[]): Promise<void> {
  for (const [action, { declaration }] of checked.agent.actions) {
    const example = good.find((one) => one.action === action)
    if (example === undefined) continue
    const schema = toJsonSchema(declaration.input, 'input')
    const args = await withCase(checked, example, async (open) => open.args)
    for (const mistake of [...foreignValues, ...mistakesIn(args, schema, '')]) {
      checked.tally.tried('inputs')
      if (prepare(checked.agent, action, mistake.args, checked.tally) !== undefined) {
        checked.tally.add('INPUT_LOOSE', action, `it takes ${mistake.what}`)
      }
    }
  }
}

/** None of them is an object of arguments. */
const foreignValues: readonly Mistake[] = [
  { what: 'nothing', args: undefined },
  { what: 'null', args: null },
  { what: 'a text for its arguments', args: '{}' },
  { what: 'a number for its arguments', args: 0 },
  { what: 'a list for its arguments', args: [] },
]

/** One value of each type of JSON. */
const samples: readonly (readonly [string, unknown])[] = [
  ['string', '1'],
  ['number', 1.5],
  ['boolean', true],
  ['null', null],
  ['array', []],
  ['object', {}],
]

function mistakesIn(value: unknown, schema: JsonSchema, at: string): readonly Mistake[] {
  if (!isObject(value)) return []
  const shapes = alternativesOf(schema).filter((one) => isObject(one['properties']))
  // Of a union it is not known which alternative the value is meant for.
  const [shape] = shapes.length === 1 ? shapes : []
  const properties = shape?.['properties']
  if (shape === undefined || !isObject(properties)) return []
  const required = Array.isArray(shape['required']) ? shape['required'].map(String) : []
  const mistakes: Mistake[] = [
    {
      what: `an argument ${at}/x-unknown that it does not declare`,
      args: { ...value, 'x-unknown': 1 },
    },
    ...required.map((name) => {
      const { [name]: _left, ...rest } = value
      return { what: `arguments without ${at}/${name}`, args: rest }
    }),
  ]
  for (const [name, property] of Object.entries(properties)) {
    if (!isObject(property)) continue
    const types = typesOf(property)
    for (const [type, sample] of types === undefined ? [] : samples) {
      if (types?.has(type)) continue
      mistakes.push({ what: `a ${type} for ${at}/${name}`, args: { ...value, [name]: sample } })
    }
    for (const { what, args } of mistakesIn(value[name], property, `${at}/${name}`)) {
      mistakes.push({ what, args: { ...value, [name]: args } })
    }
  }
  return mistakes
}

/** Types that a schema admits; undefined where it does not say. */
function typesOf(schema: JsonSchema): ReadonlySet<string> | undefined {
  const types = alternativesOf(schema).map((one) => {
    if (typeof one['type'] === 'string') return one['type'] === 'integer' ? 'number' : one['type']
    const literals = Object.hasOwn(one, 'const') ? [one['const']] : one['enum']
    const [first] = Array.isArray(literals) ? literals : []
    return first === null ? 'null' : first === undefined ? undefined : typeof first
  })
  return types.includes(undefined) ? undefined : new Set(types.flatMap((type) => type ?? []))
}
