// What a person reads before they decide: everything that is signed, nothing that a terminal obeys, and
// no word of an agent's that could be taken for one of ours.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Card } from '../../plan/card.ts'
import { cardWords } from '../../plan/card-words.ts'
import { quote, spellOut } from '../../plan/quotation.ts'
import { CardError, readCard } from '../../plan/read-card.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { sampleCard as card } from '../support/sample-card.ts'

const withArgs = (args: Card['asks'][number]['args'], more: Partial<Card> = {}): Card => ({
  ...card,
  asks: card.asks.map((ask) => ({ ...ask, args })),
  ...more,
})
const text = (shown: Card, whole = false) => cardWords(shown, { whole }).join('\n')

/** What a terminal obeys, turns around or does not show; a line break is the list's own. */
const obeyed = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u

describe('a card in words', () => {
  it('tells what is done, to whom, with what, where that comes from, and around what', () => {
    expect(cardWords(card)).toEqual([
      'step send of run weekly-1, as it will be sent, for user:owner',
      'plan "weekly": "mail me the numbers"',
      '',
      '! send  mail.send  irreversible, CANNOT be undone',
      '  seen by "addr:bob@example.org"',
      '  to/0: "bob@example.org"   <- written in the plan',
      '  subject: "Numbers"',
      '  body: "up"',
      '  amount: 250   <- from "numbers#/total"',
      '  asked because of ask.irreversible',
      '',
      'the whole plan:',
      '  numbers  sheet.read  read',
      '! send  mail.send  irreversible, after numbers, only if "n > 0"',
      '',
      'nothing of this name was approved before',
      'unanswered it counts as denied from 2027-01-22T08:00 on',
    ])
  })

  it.each<[string, Partial<Card>, readonly string[]]>([
    ['plan', { subject: { is: 'plan', request: 'r1' } }, ['before anything of run r1 begins,']],
    [
      'schedule',
      { subject: { is: 'schedule', schedule: 'weekly' } },
      ['every time that schedule weekly is due'],
    ],
    ['change', { changes: ['step send has other arguments'] }, ['- step send has other arguments']],
    ['no change', { changes: [] }, ['the plan is the one that was approved last']],
  ])('tells of a %s', (_, more, expected) => {
    for (const line of expected) expect(text({ ...card, ...more })).toContain(line)
  })

  it('tells each item of a list, the first few, and all of them when asked', () => {
    const args = Array.from({ length: 12 }, (_, index) => ({ to: `p${index}@example.org` }))
    const subject = { is: 'list', request: 'r1', step: 'send', rerun: 0 } as const
    const list = withArgs(args, { subject })
    expect(text(list)).toContain('12 times')
    expect(text(list)).toContain('p9@example.org')
    expect(text(list)).not.toContain('p10@example.org')
    expect(text(list)).toContain('and 2 more of them')
    expect(text(list, true)).toContain('p11@example.org')
  })

  it('tells what agents decide, as it was read, and which items a guard leaves out', () => {
    const conditions = [
      { by: 'when', cel: 'n > 0', from: ['numbers#/total'], values: { n: '\u043ene' } },
      { by: 'forEach', cel: null, from: ['numbers#/list'], values: {} },
      { by: 'join', cel: null, from: ['numbers#'], values: {} },
    ] as const
    const asks = card.asks.map((ask) => ({ ...ask, args: [{ to: 'a' }, null], conditions }))
    const subject = { is: 'list', request: 'r1', step: 'send', rerun: 0 } as const
    const shown = text({ ...card, subject, asks })
    expect(shown).toContain(
      [
        '  2. is left out: its condition is not met',
        '  that it happens is decided by "numbers#/total": only if "n > 0"',
        '    n was "\u043ene" (spelled "\\u{43e}ne")',
        '  how often it happens, and with what, is decided by "numbers#/list"',
        '  that it happens by now is decided by "numbers#"',
      ].join('\n'),
    )
    const long = asks.map((ask) => ({
      ...ask,
      conditions: [{ ...conditions[0], values: { n: Array.from({ length: 30 }, () => 'x') } }],
    }))
    expect(text({ ...card, asks: long })).toContain('    and 6 more values')
    expect(text({ ...card, asks: long }, true)).toContain('    n/29 was "x"')
  })

  it('says so when anybody will see it', () => {
    const asks = card.asks.map((ask) => ({ ...ask, audience: 'PUBLIC' as const }))
    expect(text({ ...card, asks })).toContain('seen by ANYBODY')
  })

  it('takes a reference for one only where results are still to come', () => {
    const args = { to: { $from: 'numbers#/mail' } }
    const schedule = withArgs(args, { subject: { is: 'schedule', schedule: 'weekly' } })
    expect(text(schedule)).toContain('to: what "numbers#/mail" will be')
    expect(text(withArgs(args))).toContain('"to/$from": "numbers#/mail"')
  })

  it('tells letters that look alike apart, where they decide', () => {
    const shown = text(withArgs({ to: ['b\u043eb@example.org'], body: '\u043e' }))
    expect(shown).toContain('(spelled "b\\u{43e}b@example.org")')
    expect(shown).not.toContain('body: "\u043e" (spelled')
  })

  it('cuts what is long, says by how much, and has the whole of it', () => {
    const long = withArgs({ body: 'x'.repeat(5_000) })
    expect(text(long)).toContain('and 4700 more characters')
    expect(text(long).length).toBeLessThan(1_500)
    expect(text(long, true)).toContain('x'.repeat(5_000))
    const many = withArgs(Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`k${n}`, n])))
    expect(text(many)).toContain('and 36 more values')
    expect(text(many, true)).toContain('k59: 59')
  })

  it('shows no agent text as a line, a command or a link, whatever it says and wherever it stands', () => {
    const hostile = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '"\n! pay  bank.pay  read, can be undone',
        '\u001b[2Japproved\u0007',
        '\u202egro.elpmaxe@bob',
        'https://example.org/x mailto:a@b www.example.org',
        '\u200b\u2066\u2028\u2029\ufeff\u00a0\u0085',
        `a${'\u0301'.repeat(50)}`,
      ),
    )
    const args = fc.dictionary(hostile, hostile, { maxKeys: 4 })
    fc.assert(
      fc.property(args, hostile, hostile, fc.boolean(), (values, one, other, whole) => {
        const lines = cardWords(
          {
            ...withArgs(values),
            changes: [other],
            plan: { ...card.plan, name: one, goal: other },
            asks: [
              {
                step: 'send',
                rules: [],
                args: values,
                audience: [one],
                decides: [{ pointer: `/${one}`, from: other }],
                conditions: [{ by: 'when', cel: one, from: [other], values }],
              },
            ],
          },
          { whole },
        )
        for (const line of lines) {
          expect(line).not.toMatch(obeyed)
          expect(line).not.toMatch(/:\/\/|www\.|mailto:/i)
        }
        expect(lines.filter((line) => line.startsWith('! '))).toEqual([
          '! send  mail.send  irreversible, CANNOT be undone',
          expect.stringMatching(/^! send {2}mail\.send {2}irreversible, after numbers/),
        ])
      }),
    )
  })
})

describe('a quotation', () => {
  it('is exactly one text', () => {
    const spelled = /\\(u\{([0-9a-f]+)\}|.)/gu
    const read = (quoted: string) =>
      quoted.slice(1, -1).replaceAll(spelled, (_, character: string, code: string | undefined) => {
        if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16))
        return character === 'n' ? '\n' : character === 't' ? '\t' : character
      })
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        expect(read(quote(value, 1_000))).toBe(value)
        expect(read(spellOut(value))).toBe(value)
        expect(spellOut(value)).toMatch(/^[ -~]*$/)
      }),
    )
  })
})

describe('reading a card', () => {
  const bytes = canonicalJson(card)

  it('gives the card whose bytes they are', () => {
    expect(readCard(bytes)).toEqual(card)
    const conditions = [{ by: 'when', cel: 'n > 0', from: ['a#/n'], values: { n: 1 } }] as const
    const shown = { ...card, asks: card.asks.map((ask) => ({ ...ask, conditions })) }
    expect(readCard(canonicalJson(shown))).toEqual(shown)
  })

  it.each([
    ['another spelling', JSON.stringify(card)],
    ['a member twice', bytes.replace('"version":1', '"version":1,"version":1')],
    ['a member that is not shown', bytes.replace('"asks":', '"aside":1,"asks":')],
    ['another version', bytes.replace('"version":1', '"version":2')],
    ['a step name that is none', bytes.replaceAll('"send"', '"Send it"')],
    ['a user that is none', bytes.replace('user:owner', 'owner')],
    ['no JSON', 'card'],
    ['nothing', ''],
  ])('refuses %s', (_, given) => {
    expect(() => readCard(given)).toThrow(CardError)
  })
})
