// What counts as said by a person: their words as they are, and no part of one, no look-alike and no other
// spelling.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isSaid } from '../../plan/said.ts'

const word = fc.stringMatching(/^[a-z0-9]{3,12}$/)
const space = fc.constantFrom(' ', '  ', '\n', '\t', ' \u00a0')

describe('a value is said', () => {
  it.each([
    ['bob@x.org', 'mail bob@x.org.'],
    ['bob@x.org', 'mail to <bob@x.org>, please'.replace(/[<>]/g, '')],
    ['bob@X.ORG', 'Mail bob@x.org'],
    ['Bob', "Bob's birthday"],
    ['Bob', '(bob)'],
    ['shopping list', 'put it on my Shopping  list, please'],
    ['+43 1 234', 'call +43 1 234!'],
    ['100', 'pay 100 EUR'],
    ['jos\u00e9', 'ask Jose\u0301 about it'],
    ['the office', '\u00abthe office\u00bb'],
    ['caf\u00e9', 'the \u201ecaf\u00e9\u201c'],
  ])('%j in %j', (value, words) => {
    expect(isSaid(value, words)).toBe(true)
  })

  it('wherever it stands among other words, and whatever stands around it', () => {
    const around = fc.constantFrom(
      ['', ''],
      ['"', '"'],
      ['(', ')'],
      ['', '.'],
      ['', ','],
      ['', '?'],
    )
    const sentence = fc.array(word, { maxLength: 8 })
    fc.assert(
      fc.property(
        sentence,
        word,
        sentence,
        around,
        space,
        (head, value, tail, [open, close], gap) => {
          const words = [...head, `${open}${value}${close}`, ...tail].join(gap)
          expect(isSaid(value, words)).toBe(true)
        },
      ),
    )
  })
})

describe('a value is not said', () => {
  it.each([
    ['', ''],
    ['', 'anything'],
    ['a', 'a note'],
    ['to', 'mail to bob'],
    [' ', 'a b'],
    ['   ', 'a   b'],
    ['bob@x.org', 'mail bob@x.org.example'],
    ['bob@x.org', 'mail not-bob@x.org'],
    ['bob@x.org', 'mail "bob" at x.org'],
    ['Bob@x.org', 'mail bob@x.org'],
    ['\uff42ob@x.org', 'mail bob@x.org'],
    ['b\u043eb@x.org', 'mail bob@x.org'],
    ['bob@x.org', 'mail b\u043eb@x.org'],
    ['rene\u0301@x.org', 'mail ren\u00e9@x.org'],
    ['bob\u200b@x.org', 'mail bob\u200b@x.org'],
    ['\u202ebob@x.org', 'mail \u202ebob@x.org'],
    ['bob@x.org\n', 'mail bob@x.org\n'],
    ['bob@x.org cc: eve@x.org', 'mail bob@x.org, and then eve@x.org'],
    ['evil.example', 'see http://good.example/evil.example'],
    ['100', 'pay 1000 EUR'],
    ['100', 'pay 100.50 EUR'],
    ['00', 'pay 100 EUR'],
    ['one two', 'one, two'],
    ['one two', 'one "two"'],
    ['two one', 'one two'],
    ['one  two', 'one  two'],
    ['one\u00a0two', 'one\u00a0two'],
    ['x\ud800y', 'x\ud800y'],
  ])('%j in %j', (value, words) => {
    expect(isSaid(value, words)).toBe(false)
  })

  it('where it is only a part of what was said', () => {
    const glue = fc.constantFrom('', '.', '-', '_', '@', '/', ':', '+')
    fc.assert(
      fc.property(word, word, glue, fc.boolean(), (value, other, between, isFirst) => {
        fc.pre(other !== value)
        const joined = isFirst ? `${value}${between}${other}` : `${other}${between}${value}`
        expect(isSaid(value, `tell ${joined} now`)).toBe(joined === value)
      }),
    )
  })

  it('where nobody said anything like it, whatever the words', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.string({ unit: 'grapheme' }),
        (value, words) => {
          if (!isSaid(value, words)) return
          const folded = (text: string) =>
            text.normalize('NFC').toLowerCase().replaceAll(/\s+/gu, ' ')
          expect(folded(words)).toContain(folded(value))
          expect([...value].length).toBeGreaterThanOrEqual(3)
        },
      ),
    )
  })

  it('however long the words are, without taking for ever', () => {
    const words = `${'"'.repeat(2_000)}${'.'.repeat(2_000)}`
    for (let count = 0; count < 1_000; count += 1) expect(isSaid(`v${count}x`, words)).toBe(false)
  })
})
