// What the compiler reads of JSON Schema. The property that counts: when it says that one schema's
// values always fit another, they do; where it cannot tell, it says no.

import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  alternativesOf,
  blindSpotsOf,
  isAssignable,
  leavesOf,
  toJsonSchema,
  walkSchema,
} from '../../plan/json-schema.ts'

interface Tree {
  readonly name: string
  readonly children: readonly Tree[]
}
const tree: z.ZodType<Tree> = z.lazy(() =>
  z.strictObject({ name: z.string(), children: z.array(tree) }),
)
const text = z.string()
const list = z.array(text)

/** Types beside values of theirs. */
const types: Readonly<Record<string, readonly [z.ZodType, readonly unknown[]]>> = {
  text: [text, ['', 'a', 'x']],
  number: [z.number(), [1, 1.5]],
  integer: [z.number().int(), [1, 2]],
  boolean: [z.boolean(), [true, false]],
  null: [z.null(), [null]],
  nullable: [text.nullable(), ['a', null]],
  enum: [z.enum(['a', 'b']), ['a', 'b']],
  smallerEnum: [z.enum(['a']), ['a']],
  literalText: [z.literal('a'), ['a']],
  literalNumber: [z.literal(1), [1]],
  mixedLiterals: [z.literal([1, 'a', null]), [1, 'a', null]],
  union: [z.union([text, z.number()]), ['a', 1.5]],
  list: [list, [[], ['a']]],
  listOfNullable: [z.array(text.nullable()), [['a', null]]],
  listOfAnything: [z.array(z.unknown()), [[1, 'a', {}]]],
  pair: [z.tuple([text, z.number()]), [['a', 1]]],
  empty: [z.strictObject({}), [{}]],
  object: [z.strictObject({ a: text }), [{ a: 'x' }]],
  widerObject: [z.strictObject({ a: text, b: text }), [{ a: 'x', b: 'y' }]],
  optional: [z.strictObject({ a: text.optional() }), [{}, { a: 'x' }]],
  otherObject: [z.strictObject({ a: z.number() }), [{ a: 1 }]],
  loose: [z.looseObject({ a: text }), [{ a: 'x', b: 1 }]],
  catchall: [z.object({ a: text }).catchall(z.number()), [{ a: 'x', b: 1 }]],
  record: [z.record(text, text), [{}, { a: 'x' }, { b: 'y' }]],
  recordOfNumbers: [z.record(text, z.number()), [{ a: 1 }]],
  optionalNumbers: [z.strictObject({ b: z.number().optional() }), [{}, { b: 1 }]],
  tree: [tree, [{ name: 'a', children: [] }]],
  intersection: [
    z.intersection(z.object({ a: text }), z.object({ b: text })),
    [{ a: 'x', b: 'y' }],
  ],
  anything: [z.unknown(), [1, 'a', null, {}, []]],
  never: [z.never(), []],
  emptyUnion: [z.union([]), []],
}
const names = Object.keys(types)
const schemaOf = (name: string, io: 'input' | 'output') => {
  const entry = types[name]
  if (entry === undefined) throw new Error(name)
  return toJsonSchema(entry[0], io)
}
const assignable = (from: string, to: string) =>
  isAssignable(schemaOf(from, 'output'), schemaOf(to, 'input'))

describe('isAssignable', () => {
  it.each(names)('says yes of %s only where each of its values fits', (from) => {
    for (const to of names.filter((one) => assignable(from, one))) {
      for (const value of types[from]?.[1] ?? []) {
        const fits = types[to]?.[0].safeParse(value).success
        expect({ from, to, value, fits }).toEqual({ from, to, value, fits: true })
      }
    }
  })

  it.each([
    ['text', 'nullable'],
    ['text', 'union'],
    ['integer', 'number'],
    ['integer', 'union'],
    ['enum', 'text'],
    ['smallerEnum', 'enum'],
    ['literalText', 'enum'],
    ['literalNumber', 'integer'],
    ['literalNumber', 'number'],
    ['null', 'nullable'],
    ['list', 'list'],
    ['list', 'listOfNullable'],
    ['list', 'listOfAnything'],
    ['object', 'object'],
    ['object', 'optional'],
    ['empty', 'optional'],
    ['object', 'record'],
    ['optional', 'record'],
    ['recordOfNumbers', 'recordOfNumbers'],
    ['tree', 'anything'],
    ['anything', 'anything'],
  ])('says yes of %s for %s', (from, to) => {
    expect(assignable(from, to)).toBe(true)
  })

  it.each([
    ['nullable', 'text'],
    ['union', 'text'],
    ['number', 'integer'],
    ['text', 'enum'],
    ['enum', 'smallerEnum'],
    ['mixedLiterals', 'number'],
    ['mixedLiterals', 'text'],
    ['listOfNullable', 'list'],
    ['listOfAnything', 'list'],
    ['pair', 'list'],
    ['list', 'pair'],
    ['widerObject', 'object'],
    ['optional', 'object'],
    ['otherObject', 'object'],
    ['loose', 'object'],
    ['loose', 'optional'],
    ['catchall', 'object'],
    ['record', 'optional'],
    ['record', 'empty'],
    ['record', 'optionalNumbers'],
    ['tree', 'tree'],
    ['tree', 'object'],
    ['object', 'intersection'],
    ['intersection', 'object'],
    ['anything', 'text'],
    ['text', 'never'],
    ['never', 'text'],
    ['emptyUnion', 'text'],
  ])('says no of %s for %s', (from, to) => {
    expect(assignable(from, to)).toBe(false)
  })

  it('says no of keywords it does not know, on either side', () => {
    expect(isAssignable({ type: 'string' }, { type: 'string', not: { const: 'x' } })).toBe(false)
    expect(isAssignable({ $ref: '#/x' }, { type: 'string' })).toBe(false)
    expect(isAssignable({ type: 'object' }, { type: 'object', patternProperties: {} })).toBe(false)
    expect(isAssignable({ type: ['string', 'null'] }, { type: 'string' })).toBe(false)
    expect(isAssignable({ type: 'string' }, { type: ['string', 'null'] })).toBe(true)
  })
})

describe('walkSchema', () => {
  const walk = (type: z.ZodType, ...tokens: readonly string[]) => {
    const found = walkSchema(toJsonSchema(type, 'output'), tokens)
    if (found === undefined) return undefined
    return alternativesOf(found).map((one) => one['type'] ?? one['const'] ?? 'anything')
  }
  const shape = z.union([
    z.strictObject({ kind: z.literal('a'), a: text }),
    z.strictObject({ kind: z.literal('b'), b: z.number() }),
  ])

  it.each([
    ['the whole', walk(text), ['string']],
    ['a property', walk(z.strictObject({ a: text }), 'a'), ['string']],
    ['what may be absent', walk(z.strictObject({ a: text.optional() }), 'a'), ['string', 'null']],
    ['what has a default', walk(z.strictObject({ a: text.default('x') }), 'a'), ['string']],
    ['an item', walk(list, '0'), ['string', 'null']],
    ['a value of a record', walk(z.record(text, text), 'x'), ['string', 'null']],
    ['a part of some of a union', walk(shape, 'b'), ['number', 'null']],
    ['a part of all of a union', walk(shape, 'kind'), ['string', 'string']],
    [
      'a part of what may be null',
      walk(z.strictObject({ a: text }).nullable(), 'a'),
      ['string', 'null'],
    ],
    ['what may be anything', walk(z.strictObject({ a: z.unknown() }), 'a'), ['anything']],
    ['nothing', walk(z.strictObject({ a: text }), 'b'), undefined],
    ['a method', walk(z.strictObject({ a: text }), 'toString'), undefined],
    ['a prototype', walk(z.strictObject({ a: text }), '__proto__'), undefined],
    ['an item by name', walk(list, 'length'), undefined],
    ['an item with a leading zero', walk(list, '00'), undefined],
    ['a part of anything', walk(z.unknown(), 'a'), undefined],
    [
      'a part that an alternative may have as anything',
      walk(z.union([z.strictObject({ a: text }), z.unknown()]), 'a'),
      undefined,
    ],
    ['a part of a recursive type', walk(tree, 'children', '0', 'name'), undefined],
    [
      'a part that a recursive alternative may have',
      walk(z.union([z.strictObject({ name: z.number() }), z.array(tree), tree]), 'name'),
      undefined,
    ],
    ['an item of a tuple', walk(z.tuple([text]), '0'), undefined],
  ])('finds %s', (_, found, expected) => {
    expect(found).toEqual(expected)
  })
})

describe('an input', () => {
  it('has a leaf for each value, * for items and free keys', () => {
    const type = z.strictObject({
      a: text,
      b: z.strictObject({ 'c/d~': text, e: z.array(z.strictObject({ f: text })) }),
      g: z.record(text, z.number()),
      h: z.union([text, list]).nullable(),
    })
    expect(leavesOf(toJsonSchema(type, 'input'))).toEqual([
      '/a',
      '/b/c~1d~0',
      '/b/e/*/f',
      '/g/*',
      '/h',
      '/h/*',
    ])
  })

  it.each([
    ['of texts', z.strictObject({ a: text, b: list, c: z.record(text, text) }), []],
    ['that is not strict', z.object({ a: text }), ['the input is not a strict object']],
    [
      'that is not strict inside',
      z.strictObject({ a: z.object({ b: text }) }),
      ['/a is not a strict object'],
    ],
    [
      'that is loose in a list',
      z.strictObject({ a: z.array(z.looseObject({})) }),
      ['/a/* is not a strict object'],
    ],
    ['that may be anything', z.strictObject({ a: z.unknown() }), ['/a may be anything']],
    ['with a list of anything', z.strictObject({ a: z.array(z.any()) }), ['/a/* may be anything']],
    [
      'with a record of anything',
      z.strictObject({ a: z.record(text, z.any()) }),
      ['/a/* may be anything'],
    ],
    ['that is recursive', z.strictObject({ a: tree }), ['the input cannot be checked in advance']],
    [
      'that is a tuple',
      z.strictObject({ a: z.tuple([text]) }),
      ['/a cannot be checked in advance'],
    ],
    ['that no JSON can be', z.strictObject({ a: z.date() }), ['/a may be anything']],
  ])('%s has the blind spots %#', (_, type, expected) => {
    expect(blindSpotsOf(toJsonSchema(type, 'input'))).toEqual(expected)
  })
})
