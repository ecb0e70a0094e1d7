// The renderer of `$text` and answers: what a template may say, and that no value makes it grow.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../plan/limits.ts'
import { namesOf, parseText, renderText, TextError } from '../../plan/text.ts'
import type { JsonValue } from '../../security/verify/canonical-json.ts'

const render = (template: string, view: Readonly<Record<string, JsonValue>> = {}) =>
  renderText(template, view)

describe('a text', () => {
  it.each([
    ['as it stands', 'a { b } }} c', {}, 'a { b } }} c'],
    ['with a text', '{{a}}', { a: 'x' }, 'x'],
    ['with white space in the tag', '{{  a }}', { a: 'x' }, 'x'],
    ['with a number', '{{a}}', { a: 1.5 }, '1.5'],
    ['with zero', '{{a}}', { a: 0 }, '0'],
    ['with a boolean', '{{a}}', { a: false }, 'false'],
    ['with null', '[{{a}}]', { a: null }, '[]'],
    ['with nothing', '[{{a}}]', {}, '[]'],
    ['with a list as JSON', '{{a}}', { a: [1, 'x'] }, '[1,"x"]'],
    ['with an object as JSON', '{{a}}', { a: { b: 1 } }, '{"b":1}'],
    ['without escaping', '{{a}}', { a: '<&"\'>' }, '<&"\'>'],
    ['without reading a value as a template', '{{a}}', { a: '{{b}}', b: 'x' }, '{{b}}'],
    ['with a path', '{{a.b.c}}', { a: { b: { c: 'x' } } }, 'x'],
    ['with a path through a text', '[{{a.length}}]', { a: 'xyz' }, '[]'],
    ['with a path through a list', '[{{a.length}}]', { a: [1] }, '[]'],
    ['with a method', '[{{a.toString}}{{toString}}]', { a: {} }, '[]'],
    ['with a comment', 'a{{! note }}b', {}, 'ab'],
    ['with a section over a list', '{{#a}}{{n}},{{/a}}', { a: [{ n: 1 }, { n: 2 }] }, '1,2,'],
    ['with a section over texts', '{{#a}}{{.}},{{/a}}', { a: ['x', 'y'] }, 'x,y,'],
    ['with a section over an object', '{{#a}}{{n}}{{/a}}', { a: { n: 'x' } }, 'x'],
    ['with a section over a text', '{{#a}}({{.}}){{/a}}', { a: 'x' }, '(x)'],
    ['with a section over true', '{{#a}}x{{/a}}', { a: true }, 'x'],
    ['with a section over an empty object', '{{#a}}x{{/a}}', { a: {} }, 'x'],
    ['without a section over an empty list', '{{#a}}x{{/a}}', { a: [] }, ''],
    ['without a section over an empty text', '{{#a}}x{{/a}}', { a: '' }, ''],
    ['without a section over null', '{{#a}}x{{/a}}', { a: null }, ''],
    ['without a section over zero', '{{#a}}x{{/a}}', { a: 0 }, ''],
    ['with an inverted section over an empty list', '{{^a}}x{{/a}}', { a: [] }, 'x'],
    ['with an inverted section over nothing', '{{^a}}x{{/a}}', {}, 'x'],
    ['without an inverted section over a list', '{{^a}}x{{/a}}', { a: [0] }, ''],
    ['with names looked up outward', '{{#a}}{{b}}{{n}}{{/a}}', { a: [{ n: 1 }], b: 'x' }, 'x1'],
    ['with the innermost name first', '{{#a}}{{n}}{{/a}}', { a: { n: 'in' }, n: 'out' }, 'in'],
    ['with null hiding an outer name', '[{{#a}}{{n}}{{/a}}]', { a: { n: null }, n: 'out' }, '[]'],
    [
      'with a list in a list',
      '{{#a}}{{#b}}{{.}}{{/b}};{{/a}}',
      { a: [{ b: [1, 2] }, { b: [] }] },
      '12;;',
    ],
    [
      'with section tags on lines of their own',
      '{{#a}}\n- {{.}}\n{{/a}}\n',
      { a: [1, 2] },
      '- 1\n- 2\n',
    ],
    [
      'without control characters of a value',
      '{{a}}',
      { a: 'a\u0000\u001b[2J\u007f\u009b\r\tb\nc' },
      'a[2J\tb\nc',
    ],
    ['without control characters in JSON', '{{a}}', { a: ['\u009b'] }, '[""]'],
    ['with the empty template', '', {}, ''],
  ])('is rendered %s', (_, template, view, expected) => {
    expect(render(template, view as Record<string, JsonValue>)).toBe(expected)
  })

  it.each([
    ['a partial', '{{> a}}', 'partials'],
    ['other delimiters', '{{=<% %>=}}', 'delimiters'],
    ['other delimiters after a space', '{{ =<% %>=}}', 'delimiters'],
    ['other delimiters after a line break', '{{\n=<% %>=}}', 'delimiters'],
    ['a raw name', '{{{a}}}', 'raw'],
    ['a raw name by &', '{{& a}}', 'raw'],
    ['a raw name in a section', '{{#b}}{{{a}}}{{/b}}', 'raw'],
    ['a tag that is not closed', '{{a', 'not closed'],
    ['a section that is not closed', '{{#a}}', 'Unclosed section'],
    ['a section that is closed otherwise', '{{#a}}{{/b}}', 'Unclosed section'],
    ['a section that was not opened', '{{/a}}', 'Unopened section'],
    ['an empty name', '{{}}', 'not a name'],
    ['an expression', '{{a + b}}', 'not a name'],
    ['a call', '{{a()}}', 'not a name'],
    ['a parent', '{{../a}}', 'not a name'],
    ['an index', '{{a.0}}', 'not a name'],
    ['__proto__', '{{__proto__}}', 'refused'],
    ['__proto__ in a path', '{{a.__proto__.b}}', 'refused'],
    ['constructor in a path', '{{a.constructor}}', 'refused'],
    ['a section over prototype', '{{#a.prototype}}{{/a.prototype}}', 'refused'],
    ['a tag of 201 characters', `{{${'a'.repeat(201)}}}`, 'longer than 200'],
    ['sections too deep', `${'{{#a}}'.repeat(40)}${'{{/a}}'.repeat(40)}`, 'deeply'],
    ['sections by the thousand', `${'{{#a}}'.repeat(5_000)}${'{{/a}}'.repeat(5_000)}`, 'deeply'],
    ['more than 64 KiB', 'x'.repeat(64 * 1024 + 1), 'longer than 64 KiB'],
  ])('is refused with %s', (_, template, reason) => {
    expect(() => parseText(template)).toThrow(TextError)
    expect(() => parseText(template)).toThrow(reason)
    expect(() => render(template)).toThrow(TextError)
  })

  it('is parsed in time that grows with its length', () => {
    expect(() => parseText(`{{${' '.repeat(65_000)}a}}`)).toThrow(TextError)
    parseText(`x${' '.repeat(65_000)}x`)
    expect(() => parseText('{{a '.repeat(16_000))).toThrow(TextError)
    parseText('{{a}}'.repeat(13_000))
  })

  it('names what it takes from outside, also within inverted sections', () => {
    const template = '{{a.x}}{{#b}}{{c}}{{/b}}{{^d}}{{e}}{{#f}}{{g}}{{/f}}{{/d}}{{.}}'
    expect(namesOf(parseText(template))).toEqual(['a', 'b', 'd', 'e', 'f'])
  })
})

describe('a rendered text is bounded', () => {
  const list = Array.from({ length: 1_000 }, () => ({ x: 'y' }))
  it.each([
    ['by a value that is long', '{{a}}', { a: 'x'.repeat(70_000) }],
    ['by a value of long characters', '{{a}}', { a: '\u20ac'.repeat(22_000) }],
    ['by a list as JSON', '{{a}}', { a: Array.from({ length: 40_000 }, () => 1) }],
    ['by a value that comes often', '{{a}}'.repeat(100), { a: 'x'.repeat(1_000) }],
    ['by sections that multiply', '{{#a}}{{#a}}{{x}}{{/a}}{{/a}}', { a: list }],
    [
      'by sections that multiply and write nothing',
      `${'{{#a}}'.repeat(6)}${'{{/a}}'.repeat(6)}`,
      { a: list },
    ],
    [
      'by inverted sections that multiply and write nothing',
      `${'{{#a}}'.repeat(5)}{{^b}}{{b}}{{/b}}${'{{/a}}'.repeat(5)}`,
      { a: list },
    ],
  ])('%s', (_, template, view) => {
    expect(() => render(template, view)).toThrow(TextError)
  })

  it('but lets five thousand lines through', () => {
    const a = Array.from({ length: 5_000 }, (_, n) => ({ n, s: 'x', place: null }))
    const text = render('{{#a}}{{n}} {{s}}{{#place}} ({{place}}){{/place}}\n{{/a}}', { a })
    expect(text.split('\n').length).toBe(5_001)
  })

  it('whatever the template and the values are', () => {
    const name = fc.constantFrom('a', 'b', 'c', '.')
    const piece = fc.oneof(
      name.map((one) => `{{${one}}}`),
      fc.string({ maxLength: 20 }),
      fc
        .tuple(name, fc.constantFrom('#', '^'), fc.string({ maxLength: 5 }))
        .map(([one, kind, inner]) => `{{${kind}${one}}}${inner}{{a}}{{/${one}}}`),
    )
    const view = fc.record({ a: fc.jsonValue(), b: fc.jsonValue(), c: fc.jsonValue() })
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), view, (pieces, values) => {
        try {
          const text = render(pieces.join(''), values as Record<string, JsonValue>)
          return Buffer.byteLength(text) <= limits.textBytes
        } catch (error) {
          return error instanceof TextError
        }
      }),
      { numRuns: 500 },
    )
  })
})
