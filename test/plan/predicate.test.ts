// Guards: what an expression may say, what it makes of values, and that it ends.

import { describe, expect, it } from 'vitest'
import { checkGuard, evaluateGuard, GuardError } from '../../plan/predicate.ts'
import type { Argument } from '../../plan/schema.ts'
import type { JsonValue } from '../../security/verify/canonical-json.ts'

const result = {
  n: 2,
  half: 0.5,
  t: 'hello',
  nothing: null,
  yes: true,
  items: [1, 2],
  object: { a: 1, none: null },
}
const values: Readonly<Record<string, Argument>> = Object.fromEntries(
  Object.keys(result).map((name) => [name, { $from: `s#/${name}` }]),
)
const resultOf = (): JsonValue => result
const evaluate = (cel: string, given = values) =>
  evaluateGuard({ cel, with: given }, { inputs: { who: 'me' }, resultOf })
const check = (cel: string, given = values) => checkGuard({ cel, with: given })

describe('a guard', () => {
  it.each([
    ['true', true],
    ['n == 2', true],
    ['n == 2.0', true],
    ['n > 1', true],
    ['n + 1.0 == 3.0', true],
    ['half < 1.0', true],
    ['int(n) % 2 == 0', true],
    ['t == "hello"', true],
    ['t.startsWith("he") && t.endsWith("lo") && t.contains("ell")', true],
    ['t.lowerAscii().trim() == t', true],
    ['size(t) == 5 && size(items) == 2 && size(object) == 2', true],
    ['nothing == null', true],
    ['object.none == null', true],
    ['nothing != null && nothing.x == 1', false],
    ['has(object.a)', true],
    ['has(object.b)', false],
    ['has(object.toString)', false],
    ['"a" in object', true],
    ['"__proto__" in object', false],
    ['2.0 in items', true],
    ['items[0] == 1.0', true],
    ['yes', true],
    ['yes ? n == 2.0 : false', true],
    ['!(n == 2.0) || t == "x"', false],
    ['string(n) == "2"', true],
    ['items == [1.0, 2.0]', true],
    // Words that are functions elsewhere are no calls in a text.
    ['t != "all(x) map (y)"', true],
  ])('is evaluated: %s', (cel, expected) => {
    expect(evaluate(cel)).toBe(expected)
  })

  it('sees inputs, literals and texts by name', () => {
    const given = {
      who: { $input: 'who' },
      x: 1,
      l: { $text: '{{who}}!', with: { who: { $input: 'who' } } },
    }
    expect(evaluate('who == "me" && x == 1.0 && l == "me!"', given)).toBe(true)
  })

  it.each([
    ['no expression', ''],
    ['half an expression', 'n >'],
    ['two expressions', 'true; true'],
    ['a name that is not given', 'm == 1'],
    ['all', 'items.all(x, x > 0.0)'],
    ['all behind a comment', 'items.all//\n(x, x > 0.0)'],
    ['all behind a space', 'items.all (x, x > 0.0)'],
    ['exists', 'items.exists(x, x > 0.0)'],
    ['exists_one', 'items.exists_one(x, x > 0.0)'],
    ['map', 'items.map(x, x) == items'],
    ['map with a filter', 'items.map(x, true, x) == items'],
    ['filter', 'size(items.filter(x, x > 0.0)) > 0'],
    ['bind', 'cel.bind(x, items, size(x) > 0)'],
    ['a comprehension in an argument', 'size(items.map(x, x)) > 0'],
    ['a comprehension in a list', '[items.map(x, x)] == []'],
    ['a comprehension in a map', '{"a": items.map(x, x)} == {}'],
    ['a comprehension in an index', 'items[int(items.map(x, x)[0])] == 1.0'],
    ['a comprehension in a condition', 'yes ? items.all(x, true) : false'],
    ['a comprehension as a function', 'all(items, x, x > 0.0)'],
    ['a regular expression', 't.matches("(a+)+$")'],
    ['a regular expression as a function', 'matches(t, "x")'],
    ['split', 'size(t.split("")) > 1'],
    ['join', '["a"].join(t) == t'],
    ['bytes', 'size(bytes(t)) > 1'],
    ['a timestamp', 'timestamp("2026-01-01T00:00:00Z") < timestamp(t)'],
    ['a number', '1'],
    ['a text', '"x"'],
    ['a list', '[true]'],
    ['a comparison of what can never be compared', '1 == "x"'],
    ['null', 'null'],
    ['1,001 characters', `true${' '.repeat(997)}`],
    ['brackets too deep', `${'('.repeat(100)}true${')'.repeat(100)}`],
    ['too many nodes', `true${'||n==n'.repeat(150)}`],
    ['too long a list', `n in [${'1.0,'.repeat(150)}1.0]`],
    ['a name that is a word of the language', 'true', { in: 1, if: 2 }],
    ['a name that CEL reserves', 'true', { package: 1 }],
    ['a name that is a type of CEL', 'true', { list: 1 }],
  ])(
    'is refused at compile time with %s',
    (_, cel, given: Readonly<Record<string, Argument>> = values) => {
      expect(() => check(cel, given)).toThrow(GuardError)
      expect(() => evaluate(cel, given)).toThrow(GuardError)
    },
  )

  it('of a thousand characters is let through', () => {
    check(`true${' '.repeat(996)}`)
  })

  it.each([
    ['a result that is no boolean', 'n'],
    ['a condition that is no boolean', 'yes && t'],
    ['division by zero', '1 / 0 == 1'],
    ['remainder by zero', '1 % 0 == 1'],
    ['a comparison of text and number', 't > 1.0'],
    ['a key that is not there', 'object.b == 1.0'],
    ['a prototype', 'object.__proto__ == 1'],
    ['a constructor', 'object.constructor == 1'],
    ['an item beyond the end', 'items[2] == 1.0'],
    ['a field of null', 'nothing.x == 1'],
    ['the size of null', 'size(nothing) == 0'],
    ['arithmetic of integers and doubles', 'n + 1 == 3'],
    ['a number that is none', 'int(t) == 1'],
  ])('fails with a GuardError on %s', (_, cel) => {
    check(cel)
    expect(() => evaluate(cel)).toThrow(GuardError)
  })

  it('fails with a GuardError when a text in it grows too large', () => {
    const given = { x: { $text: '{{t}}'.repeat(100), with: { t: 'x'.repeat(1_000) } } }
    expect(() => evaluate('x == ""', given)).toThrow(GuardError)
  })

  it('fails with a GuardError when its values are too large together', () => {
    const big = { $from: 'big#' } as const
    const context = { inputs: {}, resultOf: () => 'x'.repeat(500_000) }
    const guard = { cel: 'x == x', with: { x: Array.from({ length: 3_000 }, () => big) } }
    expect(() => evaluateGuard(guard, context)).toThrow(GuardError)
  })

  it('ends within the time of a test, whatever is written', () => {
    const hostile = [
      '!'.repeat(1_000),
      '-'.repeat(999),
      `${'!'.repeat(200)}true`,
      '('.repeat(1_000),
      '['.repeat(1_000),
      '{"a":'.repeat(200),
      'a.'.repeat(500),
      `items${'[0]'.repeat(300)}`,
      `${'true?'.repeat(200)}true`,
      '"'.repeat(1_000),
      `"${'\\'.repeat(998)}"`,
      `n${'==n'.repeat(333)}`,
      '1e'.repeat(500),
      `${'9'.repeat(1_000)}`,
    ]
    for (const cel of hostile) {
      try {
        evaluate(cel)
      } catch (error) {
        expect(error).toBeInstanceOf(GuardError)
      }
    }
    const large = { n: Array.from({ length: 100_000 }, (_, n) => n) }
    const cel = Array.from({ length: 60 }, () => 'x==y').join('&&')
    const given = { x: { $from: 's#/n' }, y: { $from: 's#/n' } }
    const always = { inputs: {}, resultOf: () => large }
    expect(evaluateGuard({ cel, with: given }, always)).toBe(true)
  })
})
