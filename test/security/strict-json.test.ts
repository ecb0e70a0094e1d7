import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMessage } from '../../security/bus.ts'
import { parseStrictJson, StrictJsonError } from '../../security/verify/strict-json.ts'
import { safeJson } from './safe-json.ts'

const wide = { maxBytes: 1 << 20, maxDepth: 64 }

function codeOf(text: string, limits = wide): string {
  try {
    parseStrictJson(text, limits)
    return 'accepted'
  } catch (error) {
    if (error instanceof StrictJsonError) return error.code
    throw error
  }
}

describe('the strict parser', () => {
  it('agrees with JSON.parse on every value that has one meaning', () => {
    fc.assert(
      fc.property(safeJson, fc.constantFrom(0, 1, 3), (value, indent) => {
        const text = JSON.stringify(value, null, indent)
        expect(parseStrictJson(text, wide)).toEqual(JSON.parse(text))
      }),
      { numRuns: 500 },
    )
  })

  it('agrees with JSON.parse on escaped spellings', () => {
    const escaped = (value: unknown) =>
      JSON.stringify(value).replaceAll(
        /[\u0080-\uffff]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
    fc.assert(
      fc.property(safeJson, (value) => {
        expect(parseStrictJson(escaped(value), wide)).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('never accepts what JSON.parse refuses, nor gives another value', () => {
    const fragment = fc.constantFrom(
      ...['{', '}', '[', ']', ',', ':', '"', '\\', '"a"', '"b":', '1', '-', '.5', 'e9', 'null'],
      ...['tru', ' ', '\n', '\\u0061', '\u0000', '{"a":1}', '[1,2]', '"\\""', '01', '1e999'],
    )
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 12 }), (fragments) => {
        const text = fragments.join('')
        if (codeOf(text) === 'accepted')
          expect(parseStrictJson(text, wide)).toEqual(JSON.parse(text))
      }),
      { numRuns: 3_000 },
    )
  })

  it('finds a repeated key wherever it is put', () => {
    const key = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 })
    const names = fc.uniqueArray(key, { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(names, fc.nat(), fc.nat({ max: 4 }), (keys, pick, depth) => {
        const members = [...keys, keys[pick % keys.length] ?? ''].map(
          (name) => `${JSON.stringify(name)} : ["\\"", {"n":1}]`,
        )
        const text = `${'['.repeat(depth)}{${members.join(',')}}${']'.repeat(depth)}`
        expect(codeOf(text)).toMatch(/DUPLICATE_KEY|FORBIDDEN_KEY/)
      }),
    )
  })

  it('does not take a string value before a colon in text for a key', () => {
    expect(codeOf('{"a":"b","c":"b","d":["a","a"],"e":":"}')).toBe('accepted')
  })

  it('refuses a lone surrogate that stands in the text itself', () => {
    expect(codeOf('["\ud800"]')).toBe('LONE_SURROGATE')
    expect(codeOf('{"\udc00":1}')).toBe('LONE_SURROGATE')
    expect(codeOf('["\ud800\\udc00"]')).toBe('LONE_SURROGATE')
  })

  it('counts depth exactly', () => {
    expect(codeOf('[[{}]]', { maxBytes: 100, maxDepth: 3 })).toBe('accepted')
    expect(codeOf('[[{"a":[]}]]', { maxBytes: 100, maxDepth: 3 })).toBe('TOO_DEEP')
    expect(codeOf('[[],[],[[]]]', { maxBytes: 100, maxDepth: 2 })).toBe('TOO_DEEP')
    expect(codeOf('["[[[[", "{{{{"]', { maxBytes: 100, maxDepth: 1 })).toBe('accepted')
  })

  it('counts bytes, not characters', () => {
    expect(codeOf('"ää"', { maxBytes: 6, maxDepth: 1 })).toBe('accepted')
    expect(codeOf('"ää"', { maxBytes: 5, maxDepth: 1 })).toBe('TOO_LARGE')
  })

  it('ends quickly on a bomb of any kind', () => {
    const many = 500_000
    expect(codeOf('['.repeat(many), { maxBytes: many, maxDepth: 40 })).toBe('TOO_DEEP')
    expect(codeOf(`"${'\\'.repeat(many)}`, { maxBytes: 2 * many, maxDepth: 40 })).toBe('SYNTAX')
    expect(codeOf('"'.repeat(many + 1), { maxBytes: 2 * many, maxDepth: 40 })).toBe('SYNTAX')
    expect(codeOf('9'.repeat(many), { maxBytes: many, maxDepth: 40 })).toBe('NUMBER_NOT_FINITE')
    expect(codeOf(' '.repeat(many), { maxBytes: many, maxDepth: 40 })).toBe('SYNTAX')
    expect(codeOf(`{"a"${' '.repeat(many)}`, { maxBytes: 2 * many, maxDepth: 40 })).toBe('SYNTAX')
    // Generous: it guards against quadratic time, which would take minutes.
  })

  it('does not quote content in its error', () => {
    for (const text of ['{"canary":1,"canary":2}', '["canary" "canary"]', 'canary']) {
      try {
        parseStrictJson(text, wide)
        expect.unreachable()
      } catch (error) {
        expect(String(error)).not.toContain('canary')
      }
    }
  })
})

describe('a message from the bus', () => {
  const decode = (text: string) => decodeMessage(Buffer.from(text))

  it('is decoded when it has one meaning', () => {
    expect(decode('{"payload":{"a":[1]}}')).toEqual({ payload: { a: [1] } })
  })

  it.each([
    ['repeats a key', '{"op":"run","op":"health"}'],
    ['names a prototype', '{"__proto__":{}}'],
    ['is too deep', '['.repeat(41) + ']'.repeat(41)],
    ['is too large', `"${'x'.repeat(2 * 1024 * 1024)}"`],
    ['is empty', ''],
  ])('is nothing when it %s', (_name, text) => {
    expect(decode(text)).toBeUndefined()
  })

  it('is nothing when its bytes are not UTF-8', () => {
    expect(decodeMessage(Buffer.from([0x22, 0xc3, 0x28, 0x22]))).toBeUndefined()
  })
})
