// What comes back and what a budget says, from rows made by hand: cadences with their weekends and short
// months, series that have ended or changed, and budgets in which nothing is counted twice.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBudgets } from '../../agents/finance/budgets.ts'
import { addDays, addMonths } from '../../agents/finance/dates.ts'
import type { Transaction } from '../../agents/finance/hledger.ts'
import { findRecurring } from '../../agents/finance/recurring.ts'
import { type Row, typesFrom } from '../../agents/finance/rows.ts'
import { groupSpending } from '../../agents/finance/spending.ts'

const row = (date: string, change: Partial<Row> & { minor?: number } = {}): Row => ({
  ...{ id: date, date, account: 'assets:bank', payee: 'Landlord', category: 'expenses:rent' },
  ...{ amount: { minor: change.minor ?? -70000, currency: 'EUR' }, pending: false },
  ...change,
})
const rowsOn = (dates: readonly string[]) => dates.map((date) => row(date))
const only = (rows: readonly Row[], today: string) => findRecurring(rows, today)[0]

describe('a payment that comes back', () => {
  test.each([
    ['weekly', ['2026-11-02', '2026-11-09', '2026-11-16'], '2026-11-23'],
    ['biweekly', ['2026-10-23', '2026-11-06', '2026-11-20'], '2026-12-04'],
    ['monthly', ['2026-08-31', '2026-09-30', '2026-10-31'], '2026-11-30'],
    ['monthly', ['2026-09-01', '2026-10-02', '2026-11-02'], '2026-12-02'],
    ['quarterly', ['2026-05-15', '2026-08-17', '2026-11-16'], '2027-02-17'],
    ['yearly', ['2024-12-01', '2025-12-01'], '2026-12-01'],
  ])('%s is due next on its day: %j', (cadence, dates, nextDate) => {
    expect(only(rowsOn(dates), '2026-11-21')).toMatchObject({ cadence, nextDate })
  })

  test('is found wherever it begins, with the day that it has', () => {
    const start = fc.integer({ min: 0, max: 3_000 }).map((days) => addDays('2020-01-01', days))
    fc.assert(
      fc.property(start, fc.integer({ min: 3, max: 20 }), (first, times) => {
        const day = Number(first.slice(8))
        const dates = Array.from({ length: times }, (_, at) => addMonths(first, at, day))
        const found = only(rowsOn(dates), dates.at(-1) ?? first)
        expect(found).toMatchObject({ cadence: 'monthly', changed: null })
        // Short months alone may hide that the thirty-first was meant.
        if (day <= 28) expect(found?.nextDate).toBe(addMonths(first, times, day))
      }),
    )
  })

  test('says what it was before, when it has changed', () => {
    const rows = [...rowsOn(['2026-09-01', '2026-10-01']), row('2026-11-01', { minor: -72000 })]
    expect(only(rows, '2026-11-21')).toMatchObject({
      ...{ amount: { minor: -72000 }, changed: { minor: -70000 }, text: '-720.00 EUR' },
    })
  })

  test('is one whatever number or month its text has', () => {
    const rows = ['08', '09', '10'].map((month) =>
      row(`2026-${month}-01`, { payee: `Rent ${month}/2026, invoice 4${month}` }),
    )
    expect(only(rows, '2026-10-21')).toMatchObject({ payee: 'Rent 10/2026, invoice 410' })
  })

  test.each([
    ['twice is not enough', ['2026-10-01', '2026-11-01']],
    ['it has ended', ['2026-06-01', '2026-07-01', '2026-08-01']],
    ['without a rhythm', ['2026-09-01', '2026-09-20', '2026-11-01', '2026-11-05']],
    ['all on one day', ['2026-11-01', '2026-11-01', '2026-11-01']],
    ['in the future', ['2027-01-01', '2027-02-01', '2027-03-01']],
  ])('is none when %s', (_, dates) => {
    expect(findRecurring(rowsOn(dates), '2026-11-21')).toEqual([])
  })

  test('keeps apart other accounts, currencies and what comes in', () => {
    const dates = ['2026-09-01', '2026-10-01', '2026-11-01']
    const mixed = [
      row(dates[0] ?? '', {}),
      row(dates[1] ?? '', { account: 'assets:other' }),
      row(dates[2] ?? '', { minor: 70000 }),
    ]
    expect(findRecurring(mixed, '2026-11-21')).toEqual([])
  })

  test('is late before it has ended, and sorted by what is due first', () => {
    const early = rowsOn(['2026-08-15', '2026-09-15', '2026-10-15'])
    const late = ['2026-09-01', '2026-10-01', '2026-11-01'].map((date) => row(date, { payee: 'B' }))
    expect(findRecurring([...late, ...early], '2026-11-21').map(({ inDays }) => inDays)).toEqual([
      -6, 10,
    ])
  })
})

const transaction = (legs: readonly (readonly [string, number, string?])[]): Transaction => ({
  ...{ date: '2026-11-03', payee: 'x', legs: legs.map(([account]) => account), others: 0 },
  postings: legs.map(([account, minor, currency = 'EUR'], leg) => ({
    ...{ leg, account, minor, currency, isPending: false },
  })),
})
const typeOf = typesFrom(new Map([['Ausgaben', 'X']] as const))

describe('a budget', () => {
  test('counts what is spent below it, once, and a currency by itself', () => {
    const { budgets, unbudgeted } = compareBudgets({
      goals: [
        transaction([
          ['expenses:food', 5000],
          ['expenses:food:out', 1000],
          ['assets:x', -6000],
        ]),
      ],
      spent: [
        transaction([
          ['expenses:food:home', 4000],
          ['assets:bank', -4000],
        ]),
        transaction([['expenses:food:out:bar', 1200]]),
        transaction([['expenses:food', -100]]),
        transaction([
          ['expenses:food', 300, 'USD'],
          ['expenses:foodstuff', 5],
          ['Ausgaben:Kino', 7],
        ]),
      ],
      typeOf,
    })
    expect(budgets).toMatchObject([
      { category: 'expenses:food:out', spent: { minor: 1200 }, usedPct: 120, over: true },
      { category: 'expenses:food', spent: { minor: 3900 }, usedPct: 78, over: false },
    ])
    expect(unbudgeted).toEqual([
      { minor: 12, currency: 'EUR' },
      { minor: 300, currency: 'USD' },
    ])
  })

  test('is over by a cent, and not when it is just used up', () => {
    const check = (minor: number, goal: number) =>
      compareBudgets({
        goals: [transaction([['expenses:a', goal]])],
        spent: [transaction([['expenses:a', minor]])],
        typeOf,
      }).budgets[0]
    expect(check(100_00, 100_00)).toMatchObject({ usedPct: 100, over: false, left: { minor: 0 } })
    expect(check(100_01, 100_00)).toMatchObject({ usedPct: 100, over: true, left: { minor: -1 } })
    expect(check(5, 0)).toMatchObject({ over: true })
    expect(check(-5, 0)).toMatchObject({ usedPct: 0, over: false })
  })
})

describe('spending', () => {
  test('of any postings adds up to what was spent, a currency each', () => {
    const leg = fc.tuple(
      fc.constantFrom('expenses:a', 'expenses:b', 'Ausgaben:c', 'assets:bank', 'expensesnot:x'),
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.constantFrom('EUR', 'USD'),
    )
    fc.assert(
      fc.property(fc.array(leg), fc.constantFrom('category', 'payee', 'month'), (legs, by) => {
        const groups = groupSpending([transaction(legs)], { by: by as 'payee', typeOf })
        for (const currency of ['EUR', 'USD']) {
          const own = legs.filter(
            ([name, , code]) => /^(expenses:|Ausg)/.test(name) && code === currency,
          )
          const sum = groups.filter((one) => one.amount.currency === currency)
          expect(sum.reduce((total, one) => total + one.amount.minor, 0)).toBe(
            own.reduce((total, [, minor]) => total + minor, 0),
          )
        }
      }),
    )
  })
})
