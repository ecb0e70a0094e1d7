import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { CanonicalJsonError, canonicalJson } from '../../security/verify/canonical-json.ts'
import { parseStrictJson, StrictJsonError } from '../../security/verify/strict-json.ts'
import { safeJson } from './safe-json.ts'

const vectors = z
  .strictObject({
    description: z.string(),
    accepted: z.array(
      z.strictObject({ name: z.string(), text: z.string(), canonical: z.string() }),
    ),
    refused: z.array(z.strictObject({ name: z.string(), text: z.string(), code: z.string() })),
  })
  .parse(
    JSON.parse(readFileSync(new URL('../vectors/canonical-json.json', import.meta.url), 'utf8')),
  )

const limits = { maxBytes: 1_024, maxDepth: 8 }

function codeOf(value: unknown): string {
  try {
    return `accepted ${canonicalJson(value)}`
  } catch (error) {
    if (error instanceof CanonicalJsonError) return error.code
    throw error
  }
}

describe('canonical JSON', () => {
  it.each(vectors.accepted)('spells as RFC 8785 says: $name', ({ text, canonical }) => {
    expect(canonicalJson(parseStrictJson(text, limits))).toBe(canonical)
  })

  it.each(vectors.refused)('is not reached by $name ($code)', ({ text, code }) => {
    let refusal: unknown
    try {
      parseStrictJson(text, limits)
    } catch (error) {
      refusal = error
    }
    expect(refusal).toBeInstanceOf(StrictJsonError)
    expect(refusal).toMatchObject({ code })
  })

  it('has as many vectors refused as accepted', () => {
    expect(vectors.refused.length).toBeGreaterThanOrEqual(vectors.accepted.length)
  })

  // RFC 8785, appendix B, without the integers beyond 2^53 - 1.
  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['44b52d02c7e14af7', 'INTEGER_UNSAFE'],
    ['7fefffffffffffff', 'INTEGER_UNSAFE'],
    ['7fffffffffffffff', 'NUMBER_NOT_FINITE'],
    ['7ff0000000000000', 'NUMBER_NOT_FINITE'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
  ])('spells the double %s as %s', (bits, expected) => {
    const code = codeOf(Buffer.from(bits, 'hex').readDoubleBE(0))
    expect(code).toBe(/^[A-Z]/.test(expected) ? expected : `accepted ${expected}`)
  })

  it.each<[string, unknown, string]>([
    ['undefined', undefined, 'NOT_JSON'],
    ['an undefined member, which would vanish', { a: undefined }, 'NOT_JSON'],
    ['an undefined item, which would become null', [undefined], 'NOT_JSON'],
    ['a hole in an array', new Array(2), 'NOT_JSON'],
    ['a function', { a: () => 1 }, 'NOT_JSON'],
    ['a big integer', 1n, 'NOT_JSON'],
    ['a symbol', Symbol('a'), 'NOT_JSON'],
    ['a date, which would become text', new Date(0), 'NOT_JSON'],
    ['a map, which would become {}', new Map([['a', 1]]), 'NOT_JSON'],
    ['bytes', Buffer.from('a'), 'NOT_JSON'],
    ['a boxed number', Object(1), 'NOT_JSON'],
    ['NaN', [Number.NaN], 'NUMBER_NOT_FINITE'],
    ['Infinity', { a: Infinity }, 'NUMBER_NOT_FINITE'],
    ['an unsafe integer', 2 ** 53, 'INTEGER_UNSAFE'],
    ['a lone surrogate', ['\ud800'], 'LONE_SURROGATE'],
    ['a lone surrogate in a key', { '\udfff': 1 }, 'LONE_SURROGATE'],
  ])('refuses %s', (_name, value, code) => {
    expect(codeOf(value)).toBe(code)
  })

  it('refuses a cycle and a depth that would end the stack', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    expect(codeOf(cycle)).toBe('TOO_DEEP')
    expect(codeOf(JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)))).toBe('TOO_DEEP')
  })

  it('is a fixed point and keeps the value', () => {
    fc.assert(
      fc.property(safeJson, (value) => {
        const text = canonicalJson(value)
        const parsed = parseStrictJson(text, { maxBytes: 1 << 20, maxDepth: 64 })
        expect(canonicalJson(parsed)).toBe(text)
        expect(JSON.stringify(parsed)).toBe(text)
      }),
    )
  })

  it('does not depend on the order in which keys were set', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.integer()), (value) => {
        const reversed = Object.fromEntries(Object.entries(value).reverse())
        expect(canonicalJson(reversed)).toBe(canonicalJson(value))
      }),
    )
  })
})
