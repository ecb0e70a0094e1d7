// Statements of banks as they come: CSV under rules, SimpleFIN's JSON. What is
// read, line by line, and what each awkward or hostile file ends in: a fault of one line, or a typed failure.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CsvRules, parseCsvRules } from '../../agents/finance/csv-rules.ts'
import { readCsv } from '../../agents/finance/csv-statement.ts'
import { readSimpleFin } from '../../agents/finance/simplefin.ts'
import { plainText, withIds } from '../../agents/finance/statement.ts'

const account = 'assets:bank:giro'
const code = (value: string) => expect.objectContaining({ name: 'ActionFailure', code: value })

function rulesOf(text: string): CsvRules {
  const parsed = parseCsvRules(text)
  if (!parsed.ok) throw new Error(`line ${parsed.line}: ${parsed.why}`)
  return parsed.rules
}
const csv = (text: string, rules?: string, currency?: string) =>
  readCsv({
    ...{ file: 'a.csv', text, account, currency },
    rules: rules === undefined ? undefined : rulesOf(rules),
  })
const german = `
# as one bank writes them
skip 1
separator ;
decimal-mark ,
date-format %d.%m.%Y
fields date, , description, memo, amount, currency
comment %memo
account1 assets:bank:giro

if grocer|bakery
 account2 expenses:food

if
%description railway
 account2 expenses:travel
 comment by train, %2
`

describe('a CSV file', () => {
  test('is read by its rules, a category where a pattern is found', () => {
    const { lines, faults } = csv(
      [
        'Datum;Typ;Name;Zweck;Betrag;W',
        '03.11.2026;LS;The Grocer;weekly;-1.234,56;EUR',
        '04.11.2026;UE;Railway;ticket;"-19,90";EUR',
        '05.11.2026;GS;The Grocer;returned goods;5,00;EUR',
      ].join('\r\n'),
      german,
    )
    expect(faults).toEqual([])
    const minor = (value: number) => ({ minor: value, currency: 'EUR' })
    expect(lines).toEqual([
      {
        ...{ date: '2026-11-03', money: minor(-123456), payee: 'The Grocer', note: 'weekly' },
        category: 'expenses:food',
      },
      {
        ...{ date: '2026-11-04', money: minor(-1990), payee: 'Railway', note: 'by train, UE' },
        category: 'expenses:travel',
      },
      {
        ...{ date: '2026-11-05', money: minor(500), payee: 'The Grocer', note: 'returned goods' },
        category: 'expenses:food',
      },
    ])
  })

  test('needs no rules where its first line names date, amount and description', () => {
    const { lines } = csv('Date,Payee,Amount\n2026-11-03,Kiosk,-2.50\n', undefined, 'EUR')
    expect(lines).toEqual([
      { date: '2026-11-03', money: { minor: -250, currency: 'EUR' }, payee: 'Kiosk', note: '' },
    ])
    expect(() => csv('a,b\n1,2\n', undefined, 'EUR')).toThrow(code('INVALID_INPUT'))
    expect(() => csv('')).toThrow(code('INVALID_INPUT'))
  })

  test('may have two columns for what came in and what went out', () => {
    const rules = 'fields date, description, amount-in, amount-out\ncurrency JPY\n'
    const { lines, faults } = csv(
      '2026-11-03,a,500,\n2026-11-04,b,,300\n2026-11-05,c,,-20\n2026-11-06,d,,\n',
      rules,
    )
    expect(lines.map(({ money }) => money.minor)).toEqual([500, -300, -20])
    expect(faults).toEqual([{ line: 4, code: 'not-an-amount' }])
  })

  test('gives each line that is not understood its own fault, and reads the others', () => {
    const { lines, faults } = csv(
      [
        'date,description,amount,currency',
        '2026-11-03,formula,=1+1,EUR',
        '2026-11-03,"=HYPERLINK(""http://x"")",-1.00,EUR',
        '-2026-11-03,negative,-1.00,EUR',
        '9999-12-31,late,-1.00,EUR',
        '2026-02-30,never,-1.00,EUR',
        '2026-11-03,doubtful,"1,234",EUR',
        '2026-11-03,fine,1.001,EUR',
        '2026-11-03,huge,99999999999999999999,EUR',
        '2026-11-03,no money,1,BTC',
        '2026-11-03,short',
      ].join('\n'),
    )
    expect(lines.map(({ payee }) => payee)).toEqual(['=HYPERLINK("http://x")'])
    expect(faults).toEqual([
      { line: 1, code: 'not-an-amount' },
      { line: 3, code: 'date' },
      { line: 4, code: 'date' },
      { line: 5, code: 'date' },
      { line: 6, code: 'ambiguous' },
      { line: 7, code: 'ambiguous' },
      { line: 8, code: 'too-large' },
      { line: 9, code: 'not-a-currency' },
      { line: 10, code: 'columns' },
    ])
  })

  test.each([
    ['CORRUPT_DATA', 'date,description,amount\n2026-11-03,"never closed,1\n'],
    ['CORRUPT_DATA', 'date,description,amount\n2026-11-03,"a"b"c,1\n'],
  ])('ends in %s', (failure, text) => {
    expect(() => csv(text, undefined, 'EUR')).toThrow(code(failure))
  })

  test('of another account is not imported into this one', () => {
    const rules = `${german}`.replace('assets:bank:giro', 'assets:bank:other')
    expect(() => csv('x\n', rules)).toThrow(code('INVALID_INPUT'))
  })

  test.each([
    ['fields a, b\nif (a+)+$\n account2 x', 2],
    ['fields a, b\nif .*\n account2 x', 2],
    ['fields a, b\nif a||b\n account2 x', 2],
    ['fields a, b\nif,a,b\n', 2],
    ['fields a, b\nif a\n& b\n account2 x', 3],
    ['fields a, b\naccount2 ../../x', 2],
    ['fields a, b\naccount2 a  b', 2],
    ['fields a, b\ninclude other.rules', 2],
    ['fields a, b\nsource | curl example.org', 2],
    ['fields a, b\ndate-format %q', 2],
    ['separator ;;', 1],
    ['skip -1', 1],
    ['decimal-mark x', 1],
    ['# nothing', 1],
    ['x'.repeat(1_000), 1],
  ])('has no rule like %j', (text, line) => {
    expect(parseCsvRules(text)).toMatchObject({ ok: false, line })
  })

  test('of any content ends in lines, faults or a typed failure', () => {
    const cell = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom('2026-11-03', '-1.00', '"', ',', '\n'),
    )
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 30 }), (cells) => {
        try {
          const { lines, faults } = csv(
            `date,description,amount\n${cells.join(',')}`,
            undefined,
            'EUR',
          )
          expect(lines.every(({ money }) => Number.isSafeInteger(money.minor))).toBe(true)
          expect(faults.every(({ line }) => line >= 1)).toBe(true)
        } catch (error) {
          expect(error).toEqual(expect.objectContaining({ name: 'ActionFailure' }))
        }
      }),
    )
  })
})

describe('an answer of SimpleFIN', () => {
  const one = {
    id: 'T1',
    posted: 1_793_700_000,
    amount: '-12.34',
    description: 'GROCER 12',
    payee: 'Grocer',
  }
  const answer = (change: object = {}, currency = 'EUR') =>
    JSON.stringify({
      errors: [],
      accounts: [
        {
          org: { domain: 'b.example' },
          id: 'X',
          name: 'Giro',
          currency,
          balance: '1.00',
          transactions: [{ ...one, ...change }],
        },
        {
          id: 'Y',
          name: 'Other',
          currency: 'USD',
          balance: '1.00',
          transactions: [{ ...one, id: 'T2' }],
        },
      ],
    })

  test('is the account that is asked for, its amounts from their texts', () => {
    expect(readSimpleFin(answer(), 'X')).toEqual({
      lines: [
        {
          ...{ reference: 'T1', date: '2026-11-03', money: { minor: -1234, currency: 'EUR' } },
          ...{ payee: 'Grocer', note: 'GROCER 12' },
        },
      ],
      ...{ faults: [], pending: 0, notices: 0 },
    })
    expect(() => readSimpleFin(answer(), 'Z')).toThrow(code('NOT_FOUND'))
  })

  test('says how much the server complained of', () => {
    const complaints = { errors: ['log in again'], errlist: [{ code: 'con.auth' }, {}] }
    const body = JSON.stringify({ ...JSON.parse(answer()), ...complaints })
    expect(readSimpleFin(body, 'X')).toMatchObject({ notices: 3 })
  })

  test('leaves out what is pending, because it will have another name', () => {
    for (const change of [{ pending: true }, { posted: 0 }]) {
      expect(readSimpleFin(answer(change), 'X')).toMatchObject({
        lines: [],
        faults: [],
        pending: 1,
      })
    }
  })

  test.each([
    ['CORRUPT_DATA', answer({ amount: -12.34 })],
    ['CORRUPT_DATA', '{"accounts":'],
    ['INVALID_INPUT', answer({}, 'https://example.org/points')],
  ])('ends in %s', (failure, body) => {
    expect(() => readSimpleFin(body, 'X')).toThrow(code(failure))
  })
})

describe('a line of a statement', () => {
  const line = {
    date: '2026-11-03',
    money: { minor: -250, currency: 'EUR' },
    payee: 'Kiosk',
    note: '',
  }

  test('without a reference has the same id in every file, as the first, the second of its kind', () => {
    const [first, second] = withIds(account, [line, line])
    expect(first?.id).not.toBe(second?.id)
    const overlapping = withIds(account, [{ ...line, payee: 'Other' }, line, line])
    expect(overlapping.slice(1).map(({ id }) => id)).toEqual([first?.id, second?.id])
    expect(withIds('assets:other', [line])[0]?.id).not.toBe(first?.id)
  })

  test('with a reference that a bank uses twice is two lines if it says two things', () => {
    const [first, second, third] = withIds(account, [
      { ...line, reference: '1' },
      { ...line, reference: '1', money: { minor: -300, currency: 'EUR' } },
      { ...line, reference: '1', payee: 'kiosk berlin' },
    ])
    expect(first?.id).not.toBe(second?.id)
    expect(first?.id).toBe(third?.id)
  })

  test('has texts that cannot become another part of an entry', () => {
    expect(plainText('* (12) a;b | c')).toBe('12) a,b / c')
    expect(plainText('a\n2026-01-01 x\n  assets:b  1 EUR')).toBe('a 2026-01-01 x assets:b 1 EUR')
    expect(plainText('x; bulkhead-import:y')).toBe('x, bulkhead-import:y')
    expect(plainText('\u202egnp\u200b\u2028\u0007')).toBe('gnp')
    expect(plainText('=cmd|x!A1')).toBe('=cmd/x!A1')
    expect(plainText('😀'.repeat(300)).length).toBeLessThanOrEqual(200)
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 250 }), (text) => {
        expect(plainText(text)).not.toMatch(/[;|\p{Cc}\p{Zl}\p{Zp}]|^[\s(*!]|\s$/u)
        expect(plainText(text).isWellFormed()).toBe(true)
      }),
    )
  })
})
