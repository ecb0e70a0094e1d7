// Amounts and dates: exact in minor units, or refused. What a text says is told from a second way to
// compute it, and no amount ever becomes a floating-point number on its way.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { exponentOf, isCurrency } from '../../agents/finance/currencies.ts'
import {
  addDays,
  addMonths,
  dateOf,
  dateReader,
  daysBetween,
  readDate,
} from '../../agents/finance/dates.ts'
import { decimalText, moneyText, readAmount, roundToMinor } from '../../agents/finance/money.ts'
import { sumsOf } from '../../agents/finance/sums.ts'

const minor = fc.integer({ min: -(10 ** 15), max: 10 ** 15 })
const currency = fc.constantFrom('EUR', 'JPY', 'KWD', 'USD', 'IQD')

describe('an amount', () => {
  test('reads back as what it was written from, in every currency', () => {
    fc.assert(
      fc.property(minor, currency, (value, code) => {
        const money = { minor: value === 0 ? 0 : value, currency: code }
        const read = (text: string, decimalMark?: '.' | ',') =>
          readAmount(text, { currency: code, decimalMark })
        expect(read(decimalText(money), '.')).toEqual({ ok: true, money })
        expect(read(moneyText(money), '.')).toEqual({ ok: true, money })
        expect(read(decimalText(money).replace('.', ','), ',')).toEqual({ ok: true, money })
      }),
    )
  })

  test('reads as written with the groups of a country, its mark seen or said', () => {
    fc.assert(
      fc.property(
        minor,
        fc.constantFrom(['.', ','], [',', '.'], ["'", '.'], [' ', ',']),
        (value, marks) => {
          const [group, mark] = marks as [string, '.' | ',']
          const money = { minor: value === 0 ? 0 : value, currency: 'EUR' }
          const [whole = '', cents = ''] = decimalText(money).split('.')
          const text = `${whole.replace(/\B(?=(?:\d{3})+$)/g, group)}${mark}${cents}`
          for (const decimalMark of [mark, undefined]) {
            expect(readAmount(text, { currency: 'EUR', decimalMark })).toEqual({ ok: true, money })
          }
        },
      ),
    )
  })

  test.each([
    ['(12.34)', -1234],
    ['12.34-', -1234],
    ['-€5.00', -500],
    ['€ 5', 500],
    ['EUR -5', -500],
    ['\u22125,00', -500],
    ["1'234.50 EUR", 123450],
    ['12,34,567.00', 123456700],
    ['1.234.567', 123456700],
    ['+3,00', 300],
    ['.5', 50],
    ['1.000000', 100],
    ['-0', 0],
  ])('as banks write it: %s', (text, value) => {
    expect(readAmount(text, { currency: 'EUR' })).toEqual({
      ok: true,
      money: { minor: value, currency: 'EUR' },
    })
  })

  test.each([
    ['=1+1', 'not-an-amount'],
    ['@SUM(1)', 'not-an-amount'],
    ['1e5', 'not-an-amount'],
    ['0x10', 'not-an-amount'],
    ['NaN', 'not-an-amount'],
    ['Infinity', 'not-an-amount'],
    ['', 'not-an-amount'],
    ['-', 'not-an-amount'],
    ['--5', 'not-an-amount'],
    ['(-5)', 'not-an-amount'],
    ['(5', 'not-an-amount'],
    ['1..2', 'not-an-amount'],
    ['1,2,3.4', 'not-an-amount'],
    ['1 2', 'not-an-amount'],
    ['\u0661\u0662', 'not-an-amount'],
    [`${'9'.repeat(100)}`, 'not-an-amount'],
    ['1.234', 'ambiguous'],
    ['1,234', 'ambiguous'],
    ['12.3456', 'too-fine'],
    ['999999999999999.00', 'too-large'],
    ['5 USD', 'another-currency'],
    ['$5', 'another-currency'],
  ])('is refused where it is none, or not one: %s', (text, fault) => {
    expect(readAmount(text, { currency: 'EUR' })).toEqual({ ok: false, fault })
  })

  test('never throws, and is exact when it is read at all', () => {
    const text = fc.string({ unit: fc.constantFrom(..."0123456789.,-+() '€$EURe="), maxLength: 70 })
    fc.assert(
      fc.property(text, currency, (value, code) => {
        const read = readAmount(value, { currency: code })
        if (read.ok) expect(Number.isSafeInteger(read.money.minor)).toBe(true)
      }),
    )
  })

  test('of a journal is rounded half to even, as a second computation has it', () => {
    expect(roundToMinor({ mantissa: -70_576_357n, places: 6 }, 'EUR')).toBe(-7058n)
    expect(roundToMinor({ mantissa: 125n, places: 3 }, 'EUR')).toBe(12n)
    expect(roundToMinor({ mantissa: 135n, places: 3 }, 'EUR')).toBe(14n)
    expect(roundToMinor({ mantissa: -125n, places: 3 }, 'EUR')).toBe(-12n)
    expect(roundToMinor({ mantissa: 12n, places: 0 }, 'KWD')).toBe(12_000n)
    expect(roundToMinor({ mantissa: 1n, places: 255 }, 'EUR')).toBe(0n)
    expect(roundToMinor({ mantissa: 10n ** 30n, places: 2 }, 'EUR')).toBeUndefined()
    fc.assert(
      fc.property(
        fc.bigInt(-(10n ** 15n), 10n ** 15n),
        fc.integer({ min: 2, max: 12 }),
        (mantissa, places) => {
          const rounded = roundToMinor({ mantissa, places }, 'EUR') ?? 0n
          const twiceOff = 2n * (rounded * 10n ** BigInt(places - 2) - mantissa)
          const unit = 10n ** BigInt(places - 2)
          expect((twiceOff < 0n ? -twiceOff : twiceOff) <= unit).toBe(true)
        },
      ),
    )
  })

  test('sums by currency, exactly, and refuses a sum beyond all bounds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ minor: fc.integer({ min: -1e9, max: 1e9 }), currency })),
        (amounts) => {
          for (const { minor: sum, currency: code } of sumsOf(amounts)) {
            const own = amounts.filter((one) => one.currency === code)
            expect(sum).toBe(own.reduce((total, one) => total + one.minor, 0))
          }
        },
      ),
    )
    const most = { minor: 10 ** 15, currency: 'EUR' }
    expect(() => sumsOf([most, most])).toThrow('beyond all bounds')
  })
})

describe('a currency', () => {
  test('has the decimals of ISO 4217, not those of custom', () => {
    const exponents = ['EUR', 'JPY', 'KWD', 'IQD', 'ALL', 'ISK', 'UGX', 'TND'].map(exponentOf)
    expect(exponents).toEqual([2, 0, 3, 3, 2, 0, 0, 3])
  })

  test.each(['eur', 'EURO', 'XXX', 'XTS', 'XAU', 'CLF', 'ABC', '', '__proto__'])(
    'is none: %s',
    (code) => {
      expect(isCurrency(code)).toBe(false)
    },
  )
})

describe('a date', () => {
  const day = fc.integer({ min: 0, max: 40_000 }).map((days) => addDays('1970-01-01', days))

  test('goes forward and back by days', () => {
    fc.assert(
      fc.property(day, fc.integer({ min: -300, max: 300 }), (date, days) => {
        expect(daysBetween(date, addDays(date, days))).toBe(days)
      }),
    )
  })

  test('goes forward by months to its day or the last one', () => {
    expect(addMonths('2026-01-31', 1)).toBe('2026-02-28')
    expect(addMonths('2028-01-31', 1)).toBe('2028-02-29')
    expect(addMonths('2026-02-28', 1, 31)).toBe('2026-03-31')
    expect(addMonths('2026-11-30', -13)).toBe('2025-10-30')
    expect(addMonths('2026-12-15', 1)).toBe('2027-01-15')
  })

  test('reads in the format that it was written in', () => {
    fc.assert(
      fc.property(day, (date) => {
        const [year = '', month = '', dayOfMonth = ''] = date.split('-')
        expect(dateReader('%d.%m.%Y')?.(`${dayOfMonth}.${month}.${year}`)).toBe(date)
        expect(dateReader('%-m/%-d/%Y')?.(`${Number(month)}/${Number(dayOfMonth)}/${year}`)).toBe(
          date,
        )
        expect(dateReader('%Y%m%d')?.(`${year}${month}${dayOfMonth}`)).toBe(date)
      }),
    )
  })

  test.each([
    '2026-02-30',
    '0000-00-00',
    '-2026-01-01',
    '9999-12-31',
    '1066-10-14',
    '2026-1-1',
    '',
  ])('is none that a statement has: %s', (text) => {
    expect(readDate(text)).toBeUndefined()
  })

  test('is refused beyond what numbers can say, too', () => {
    expect(dateOf(Number.NaN, 1, 1)).toBeUndefined()
    expect(dateOf(2026, 13, 1)).toBeUndefined()
    expect(dateOf(2026, 1, 1e9)).toBeUndefined()
  })

  test.each(['%q', '%', '%d.%m', '%d %d %Y', '%Y-%m-%d %H'])('has no format %s', (format) => {
    expect(dateReader(format)).toBeUndefined()
  })
})
