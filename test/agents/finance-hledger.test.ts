// The reading actions against a real hledger, whose version is printed: what it makes of a journal with
// refunds, foreign money, shares and fractions of a cent. What an import writes is read back by it.
// Journals that mean harm are finance-journals.test.ts's.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { financeFiles } from '../../examples/home/finance.ts'
import { installed } from '../support/installed.ts'
import { failureOf } from './action-context.ts'
import { account, createFolder, type FinanceFolder, runOf } from './finance-folder.ts'

const hledger = await installed('hledger')
if ('missing' in hledger) console.info(`skipped: ${hledger.missing}`)
else console.info(`hledger ${hledger.version}`)

const journal = `decimal-mark .
account Ausgaben:Kino  ; type: X

~ monthly
    expenses:food   50.00 EUR
    expenses:fun    10.00 EUR
    assets:budget

2026-10-30 * Grocer | before the month
    expenses:food         20.00 EUR
    assets:bank:giro
2026-11-03 * Grocer | weekly
    expenses:food         45.50 EUR
    assets:bank:giro
2026-11-05 * Grocer | a refund
    assets:bank:giro       5.00 EUR
    expenses:food
2026-11-06 ! Käse & Söhne
    expenses:food         12.34 €
    liabilities:card
2026-11-07 Fuel
    expenses:fuel         40.123 L @ 1.759 EUR
    assets:bank:giro
2026-11-08 Trip
    expenses:travel       10.00 USD @@ 9.20 EUR
    assets:bank:giro
2026-11-09 Kino
    Ausgaben:Kino         15 EUR
    assets:cash
2026-11-10 Shares
    assets:depot           3 AAPL @@ 300.00 EUR
    assets:bank:giro
2026-11-11 Envelope
    (assets:envelope)    100 EUR
`

describe.skipIf('missing' in hledger)('with hledger', () => {
  let home: FinanceFolder
  beforeEach(() => {
    home = createFolder('missing' in hledger ? {} : { run: runOf(hledger) })
    home.put('main.journal', journal)
  })
  afterEach(() => home.remove())
  const eur = (minor: number) => ({ minor, currency: 'EUR' })
  const november = { from: '2026-11-01', to: '2026-12-01' }

  test('balances are of accounts that hold money or a debt, in cents', async () => {
    const result = await home.run('balances', {})
    expect(result.accounts).toEqual([
      { account: 'assets:bank:giro', type: 'asset', amount: eur(-44028), text: '-440.28 EUR' },
      { account: 'assets:cash', type: 'asset', amount: eur(-1500), text: '-15.00 EUR' },
      { account: 'assets:envelope', type: 'asset', amount: eur(10000), text: '100.00 EUR' },
      { account: 'liabilities:card', type: 'liability', amount: eur(-1234), text: '-12.34 EUR' },
    ])
    expect(result).toMatchObject({ count: 4, others: 1, totals: [eur(-36762)] })
    const earlier = await home.run('balances', { accounts: ['assets:bank'], asOf: '2026-11-03' })
    expect(earlier.accounts.map(({ amount }) => amount)).toEqual([eur(-6550)])
  })

  test('transactions are rows of own accounts, found by text and size, the latest first', async () => {
    const { transactions, count } = await home.run('transactions', { ...november, limit: 3 })
    expect(count).toBe(7)
    expect(transactions[0]).toMatchObject({
      ...{ date: '2026-11-10', account: 'assets:bank:giro', amount: eur(-30000), payee: 'Shares' },
      ...{ category: 'assets:depot', pending: false, text: '-300.00 EUR' },
    })
    const card = await home.run('transactions', { ...november, query: 'käse' })
    expect(card.transactions).toMatchObject([{ amount: eur(-1234), pending: true }])
    const large = await home.run('transactions', {
      ...november,
      minAbs: 7000,
      accounts: ['assets:bank'],
    })
    expect(large.transactions.map(({ payee }) => payee)).toEqual(['Shares', 'Fuel'])
    const again = await home.run('transactions', { ...november, limit: 3 })
    expect(again.transactions).toEqual(transactions)
  })

  test('spending is at cost, less refunds, with bars, by category, payee and month', async () => {
    const by = async (grouping: string) => {
      const { spending } = await home.run('spending', { ...november, by: grouping })
      return spending.map(({ key, amount, bar }) => [key, amount.minor, bar.length])
    }
    expect(await by('category')).toEqual([
      ['expenses:fuel', 7058, 20],
      ['expenses:food', 5284, 15],
      ['Ausgaben:Kino', 1500, 5],
      ['expenses:travel', 920, 3],
    ])
    expect((await by('payee'))[1]).toEqual(['Grocer', 4050, 12])
    expect(await by('month')).toEqual([['2026-11', 14762, 20]])
    const week = await home.run('spending', { day: '2026-11-09', lastDays: 2 })
    expect(week).toMatchObject({ from: '2026-11-08', to: '2026-11-10', totalText: '24.20 EUR' })
  })

  test('a budget is checked against the periodic rules of the journal', async () => {
    const result = await home.run('budget_check', { month: '2026-11' })
    expect(result).toMatchObject({ month: '2026-11', count: 2, over: 1 })
    expect(result.budgets).toMatchObject([
      {
        category: 'expenses:food',
        spent: eur(5284),
        goal: eur(5000),
        left: eur(-284),
        usedPct: 105,
      },
      {
        category: 'expenses:fun',
        spent: eur(0),
        goal: eur(1000),
        usedPct: 0,
        over: false,
        bar: '',
      },
    ])
    expect(result.unbudgeted).toEqual([eur(9478)])
  })

  test('recurring payments are found, with what has changed', async () => {
    const rent = ['08', '09', '10', '11'].map(
      (month, at) =>
        `2026-${month}-01 Landlord ${month}\n    expenses:rent  ${at === 3 ? 720 : 700}.00 EUR\n    ${account}\n`,
    )
    home.put('main.journal', rent.join('\n'))
    const { recurring } = await home.run('recurring', { withinDays: 14 })
    expect(recurring).toMatchObject([
      {
        ...{ payee: 'Landlord 11', amount: eur(-72000), changed: eur(-70000), cadence: 'monthly' },
        ...{
          lastDate: '2026-11-01',
          nextDate: '2026-12-01',
          inDays: 10,
          category: 'expenses:rent',
        },
      },
    ])
    expect(await home.run('recurring', { withinDays: 3 })).toMatchObject({ count: 0 })
  })

  test('imports are read together with the journal, and once where it includes them itself', async () => {
    home.put('bank/a.csv', 'date,description,amount\n2026-11-03,"Grocer; x | (y",-1.00\n')
    await home.run('import', { file: 'a.csv', account: 'assets:new', currency: 'EUR' })
    const total = async () =>
      (await home.run('balances', { accounts: ['assets:new'] })).accounts.map(
        ({ amount }) => amount,
      )
    expect(await total()).toEqual([eur(-100)])
    home.put('main.journal', `include imported/*.journal\n${journal}`)
    expect(await total()).toEqual([eur(-100)])
    rmSync(join(home.folder, 'main.journal'))
    expect(await total()).toEqual([eur(-100)])
  })

  test('whatever a bank writes, hledger reads it as one entry of that amount', async () => {
    const text = fc.string({
      unit: fc.constantFrom(...'ab ;|*!()[]=~@#:\t"\'\\äß€😀-0123,.\u202e'),
      maxLength: 24,
    })
    const rows = fc.array(fc.tuple(fc.integer({ min: -99999, max: 99999 }), text), {
      minLength: 8,
      maxLength: 8,
    })
    await fc.assert(
      fc.asyncProperty(rows, async (lines) => {
        home.put('main.journal', '')
        const cell = (value: string) => `"${value.replaceAll('"', '""')}"`
        const written = lines.map(([minor, value]) => `2026-11-03,${cell(value)},${minor}`)
        home.put('bank/a.csv', `date,description,amount\n${written.join('\n')}\n`)
        rmSync(join(home.folder, 'imported'), { recursive: true, force: true })
        const { new: added } = await home.run('import', { file: 'a.csv', account, currency: 'JPY' })
        const { transactions } = await home.run('transactions', november)
        expect(transactions).toHaveLength(added)
        expect(transactions.map(({ amount }) => amount.minor).sort()).toEqual(
          lines.map(([minor]) => (minor === 0 ? 0 : minor)).sort(),
        )
      }),
      { numRuns: 12 },
    )
  })

  test('amounts longer than a number of JavaScript are exact: a little above the half is rounded up', async () => {
    const legs = '    assets:a  1234567.0050000001 EUR\n    b\n'
    home.put('main.journal', `2026-11-03 x\n${legs}`)
    expect((await home.run('balances', {})).totals).toEqual([eur(123456701)])
  })

  test('ten thousand accounts are counted, and cut to what was asked for', async () => {
    const lines = Array.from({ length: 10_000 }, (_, at) => `    assets:a${at}  0.01 EUR`)
    home.put('main.journal', `2026-11-03 x\n${lines.join('\n')}\n    equity:opening\n`)
    const result = await home.run('balances', { limit: 5 })
    expect(result).toMatchObject({ count: 10_000, totals: [eur(10_000)] })
    expect(result.accounts).toHaveLength(5)
  }, 60_000)

  test('the sample home has a journal, and statements of which all but one line is understood', async () => {
    const today = '2026-11-21'
    const files = financeFiles({ today, seed: 1, timeZone: 'Europe/Vienna' })
    expect(financeFiles({ today, seed: 1, timeZone: 'Europe/Vienna' })).toEqual(files)
    for (const [name, text] of files) home.put(name, text)
    const giro = { file: 'giro.csv', rules: 'giro', account }
    expect(await home.run('import', giro, { idem: 'giro' })).toMatchObject({
      ...{
        new: 7,
        duplicate: 0,
        errors: { count: 1, first: [{ line: 8, code: 'not-an-amount' }] },
      },
    })
    const card = { file: 'card.ofx', account: 'liabilities:card' }
    expect(await home.run('import', card, { idem: 'card' })).toMatchObject({
      ...{
        new: 4,
        errors: { count: 0 },
        added: [{ payee: 'Pizzeria & Bar' }, {}, { payee: 'Shoe shop' }, {}],
      },
    })
    const { recurring } = await home.run('recurring', { day: today, lookbackMonths: 25 })
    const found = recurring.map(({ payee, cadence, changed }) => [payee, cadence, changed?.minor])
    expect(found).toEqual(
      expect.arrayContaining([
        ['Landlord', 'monthly', -87000],
        ['Household insurance', 'yearly', undefined],
        ['Internet provider', 'monthly', undefined],
      ]),
    )
    const { accounts } = await home.run('balances', {})
    expect(accounts.map((one) => one.account)).toEqual([
      ...[account, 'assets:bank:savings', 'assets:cash', 'liabilities:card'],
    ])
    const { spending } = await home.run('spending', { from: '2026-11-01', to: '2026-12-01' })
    // What was sent back is taken off: the shoes cost nothing.
    expect(spending.find(({ key }) => key === 'expenses:clothes')?.amount).toEqual(eur(0))
  })

  test('today is that of the zone that the folder names', async () => {
    const range = async () => {
      const { from, to } = await home.run('spending', { day: 'today', lastDays: 1 })
      return [from, to]
    }
    expect(await range()).toEqual(['2026-11-21', '2026-11-22'])
    home.put('timezone', 'Pacific/Pago_Pago\n')
    expect(await range()).toEqual(['2026-11-20', '2026-11-21'])
    for (const none of ['/etc/passwd', '+01:00', '']) {
      home.put('timezone', none)
      expect(await failureOf(range())).toMatchObject({ code: 'CORRUPT_DATA' })
    }
  })

  test('without any journal there is nothing to read', async () => {
    rmSync(join(home.folder, 'main.journal'))
    expect(await failureOf(home.run('balances', {}))).toMatchObject({ code: 'NOT_FOUND' })
  })

  test.each([
    ['transactions', { from: '2026-02-30', to: '2026-03-01' }],
    ['transactions', { from: '2026-11-03', to: '2026-11-03' }],
    ['spending', {}],
    ['spending', { from: '2026-11-01' }],
    ['spending', { ...november, lastDays: 3 }],
    ['budget_check', { month: '2026-11', day: '2026-11-03' }],
    ['balances', { accounts: ['@/etc/passwd'] }],
    ['balances', { accounts: ['-f/etc/passwd'] }],
  ] as const)('%s refuses %j', async (action, args) => {
    expect(await failureOf(home.run(action, args))).toMatchObject({ code: 'INVALID_INPUT' })
  })
})
