// The first two gates of a plan, each alone: in a whole compile the strict schema stands behind them.

import { describe, expect, it } from 'vitest'
import { createFindings } from '../../plan/findings.ts'
import { checkPlainValue } from '../../plan/plain-value.ts'

function faultsOf(value: unknown): readonly string[] {
  const findings = createFindings()
  checkPlainValue(value, findings)
  return findings.issues.map(({ code, path }) => `${code} ${path}`)
}

describe('a plain value', () => {
  it.each([
    ['null', null],
    ['numbers', [0, -0, 1.5, 1e-300, 2 ** 53 - 1]],
    ['texts of whole characters', ['', 'ä', '\u{1f600}', '\u0000']],
    ['objects without a prototype', Object.assign(Object.create(null), { a: 1 })],
    ['keys of methods, which no lookup of ours confuses', { toString: 1, hasOwnProperty: 2 }],
  ])('may be %s', (_, value) => {
    expect(faultsOf(value)).toEqual([])
  })

  it.each<readonly [string, unknown, string]>([
    ['not a number', [Number.NaN], 'INVALID_SHAPE /0'],
    ['infinite', { a: Number.POSITIVE_INFINITY }, 'INVALID_SHAPE /a'],
    ['beyond safe integers', { a: -(2 ** 53) }, 'INVALID_SHAPE /a'],
    ['a big integer', [1n], 'INVALID_SHAPE /0'],
    ['undefined', { a: undefined }, 'INVALID_SHAPE /a'],
    ['a hole', new Array(1), 'INVALID_SHAPE /0'],
    ['a symbol', [Symbol('x')], 'INVALID_SHAPE /0'],
    ['a function', [() => 1], 'INVALID_SHAPE /0'],
    ['a date', [new Date(0)], 'INVALID_SHAPE /0'],
    ['a map', new Map(), 'INVALID_SHAPE '],
    ['bytes', [new Uint8Array(1)], 'INVALID_SHAPE /0'],
    ['an object with another prototype', [Object.create({ a: 1 })], 'INVALID_SHAPE /0'],
    ['half a character', ['\udc00'], 'INVALID_SHAPE /0'],
    ['half a character in a key', { '\udc00': 1 }, 'INVALID_NAME /\ufffd'],
    [
      'a prototype as a key',
      JSON.parse('{"a/b": {"__proto__": 1}}'),
      'INVALID_NAME /a~1b/__proto__',
    ],
  ])('may not be %s', (_, value, fault) => {
    expect(faultsOf(value)).toEqual([fault])
  })
})

describe('findings', () => {
  it('are a hundred at most, and look for no suggestion after that', () => {
    const findings = createFindings()
    let asked = 0
    const known = {
      *[Symbol.iterator]() {
        asked += 1
        yield 'abcd'
      },
    }
    for (let n = 0; n < 1_000; n += 1) {
      findings.add({ code: 'CYCLE', path: '', message: 'x' }, { name: 'abce', known })
    }
    expect(findings.issues.length).toBe(100)
    expect(findings.full).toBe(true)
    expect(asked).toBe(100)
    expect(findings.issues[0]?.fix).toBe('did you mean abcd?')
  })
})
