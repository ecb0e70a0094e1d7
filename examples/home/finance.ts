// The money of the sample home: a journal as a hledger user keeps it, and two statements to import (a CSV
// file with its rules, as a bank in Austria writes it, and the OFX file of a card). Invariant: it depends on
// the day and the seed alone. The awkward cases of such files are in it: a refund, foreign money at what
// it cost, litres at a price, a rent that has changed, a bill of once a year, a coffee bought twice, a
// cell that a spreadsheet would run, and a line that nobody can read. Pure.

import { createHash } from 'node:crypto'
import { addDays, addMonths } from '../../agents/finance/dates.ts'

export interface FinanceInput {
  /** `YYYY-MM-DD` */
  readonly today: string
  readonly seed: number
  /** IANA name. */
  readonly timeZone: string
}

/** Path below the folder -> text. */
export function financeFiles(input: FinanceInput): ReadonlyMap<string, string> {
  return new Map([
    ['timezone', `${input.timeZone}\n`],
    ['main.journal', mainJournal(input)],
    ['bank/giro.csv', giroStatement(input)],
    ['bank/giro.rules', giroRules],
    ['bank/card.ofx', cardStatement(input)],
  ])
}

/** Months of history: enough to see what comes back. */
const months = 5

const preface = `; The money of the sample home, for hledger (hledger.org). Statements of banks are imported into
; imported/<account>.journal, which is read together with this file.
decimal-mark .
commodity 1000.00 EUR

account assets:bank:giro
account assets:bank:savings
account assets:cash
account liabilities:card
account expenses:food
account expenses:rent

; Goals of a month: \`finance.budget_check\`, and \`hledger balance --budget\`.
~ monthly
    expenses:food          400.00 EUR
    expenses:fun            60.00 EUR
    expenses:transport     120.00 EUR
    assets:bank:giro
`

interface Entry {
  readonly date: string
  readonly text: string
}

function mainJournal({ today, seed }: FinanceInput): string {
  const first = addMonths(`${today.slice(0, 7)}-01`, 1 - months)
  const entries: Entry[] = [
    entry(addDays(first, -1), 'Opening balances', [
      'assets:bank:giro       2400.00 EUR',
      'assets:bank:savings    8000.00 EUR',
      'assets:cash              80.00 EUR',
      'equity:opening',
    ]),
    // Once a year, and due again in a fortnight.
    ...[-24, -12].map((back) =>
      entry(addMonths(addDays(today, 14), back), 'Household insurance | policy', [
        'expenses:insurance      184.20 EUR',
        'assets:bank:giro',
      ]),
    ),
  ]
  for (let month = 0; month < months; month += 1) {
    entries.push(...monthOf({ start: addMonths(first, month), seed, isLast: month === months - 1 }))
  }
  const past = entries.filter(({ date }) => date <= today)
  past.sort((left, right) => (left.date < right.date ? -1 : 1))
  return `${preface}\n${past.map(({ text }) => text).join('\n')}`
}

interface MonthInput {
  readonly start: string
  readonly seed: number
  readonly isLast: boolean
}

function monthOf({ start, seed, isLast }: MonthInput): readonly Entry[] {
  const on = (day: number) => addDays(start, day - 1)
  const draw = (what: string, least: number, most: number) =>
    centsOf(least + drawn(`${seed} ${start} ${what}`, most - least))
  const groceries = [3, 9, 16, 23, 27].map((day) =>
    entry(on(day), 'Greengrocer | weekly', [
      `expenses:food           ${draw(`food ${day}`, 3_800, 9_600)} EUR`,
      'assets:bank:giro',
    ]),
  )
  const rent = isLast ? '905.00' : '870.00'
  return [
    entry(on(1), 'Landlord | flat', [`expenses:rent         ${rent} EUR`, 'assets:bank:giro']),
    entry(on(1), 'Employer | salary', ['assets:bank:giro     2650.00 EUR', 'income:salary']),
    entry(on(4), 'Internet provider', ['expenses:phone         29.90 EUR', 'assets:bank:giro']),
    entry(on(7), 'Streaming', [
      `expenses:fun           ${isLast ? '14.99' : '12.99'} EUR`,
      'liabilities:card',
    ]),
    entry(on(10), 'Savings', ['assets:bank:savings   200.00 EUR', 'assets:bank:giro']),
    entry(on(12), 'Petrol station', [
      // The price has three decimals, and the sum has more than cents.
      `expenses:transport   ${draw('fuel', 3_000, 4_600)} L @ 1.639 EUR`,
      'assets:bank:giro',
    ]),
    entry(on(14), 'Shoe shop', ['expenses:clothes       79.90 EUR', 'liabilities:card']),
    entry(on(19), 'Shoe shop | returned', ['liabilities:card       79.90 EUR', 'expenses:clothes']),
    entry(on(20), 'Bookshop abroad', [
      `expenses:books         24.00 USD @@ ${draw('books', 2_100, 2_300)} EUR`,
      'liabilities:card',
    ]),
    ...groceries,
  ]
}

function entry(date: string, title: string, postings: readonly string[]): Entry {
  return { date, text: `${date} * ${title}\n${postings.map((one) => `    ${one}\n`).join('')}` }
}

const giroRules = `# What the columns of giro.csv are; the syntax is hledger's.
skip 3
separator ;
decimal-mark ,
date-format %d.%m.%Y
fields date, description, memo, amount, currency
comment %memo

if
greengrocer
bakery
 account2 expenses:food

if railway|petrol
 account2 expenses:transport
`

function giroStatement({ today, seed }: FinanceInput): string {
  const rows = [
    [1, 'Bakery Kurz', 'Danke für Ihren Einkauf', '-4,20'],
    // Twice on one day, and both are real.
    [2, 'Café am Eck', '', '-3,90'],
    [2, 'Café am Eck', '', '-3,90'],
    [3, 'Railway', 'ticket; seat 12', '"-1.049,90"'],
    [4, 'Greengrocer', 'returned deposit', '2,50'],
    [5, '=HYPERLINK("http://prize.example";"You won")', 'text of a stranger', '-1,00'],
    [
      6,
      'Petrol station',
      '',
      `-${centsOf(4_000 + drawn(`${seed} giro`, 2_000)).replace('.', ',')}`,
    ],
    [7, 'Bank', 'fee, to be announced', 'n/a'],
  ] as const
  const lines = rows.map(([back, payee, memo, amount]) => {
    const [year, month, day] = addDays(today, -back).split('-')
    const cell = (text: string) => (/[;"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
    return [`${day}.${month}.${year}`, cell(payee), cell(memo), amount, 'EUR'].join(';')
  })
  const head = ['Kontoauszug;AT00 0000 0000 0000 0000', '', 'Datum;Name;Zweck;Betrag;Währung']
  return [...head, ...lines, ''].join('\r\n')
}

function cardStatement({ today, seed }: FinanceInput): string {
  const charges = [
    ['DEBIT', 2, `-${centsOf(1_500 + drawn(`${seed} card`, 3_000))}`, 'Pizzeria &amp; Bar', ''],
    ['DEBIT', 5, '-14.99', 'Streaming', ''],
    ['CREDIT', 6, '79.90', 'Shoe shop', 'refund'],
    [
      'DEBIT',
      8,
      '-22.10',
      'Bookshop abroad',
      '<ORIGCURRENCY><CURRATE>1.086<CURSYM>USD</ORIGCURRENCY>',
    ],
  ] as const
  const compact = (back: number) => addDays(today, -back).replaceAll('-', '')
  const transactions = charges.map(([type, back, amount, name, more], at) =>
    [
      '<STMTTRN>',
      `<TRNTYPE>${type}`,
      `<DTPOSTED>${compact(back)}120000.000[+1:CET]`,
      `<TRNAMT>${amount}`,
      `<FITID>${compact(back)}${at}`,
      `<NAME>${name}`,
      more === '' || more.startsWith('<') ? more : `<MEMO>${more}`,
      '</STMTTRN>',
    ]
      .filter((line) => line !== '')
      .join('\r\n'),
  )
  return [
    ...['OFXHEADER:100', 'DATA:OFXSGML', 'VERSION:102', 'SECURITY:NONE', 'ENCODING:USASCII'],
    ...['CHARSET:1252', 'COMPRESSION:NONE', 'OLDFILEUID:NONE', 'NEWFILEUID:NONE', ''],
    '<OFX><SIGNONMSGSRSV1><SONRS><STATUS><CODE>0<SEVERITY>INFO</STATUS>',
    `<DTSERVER>${compact(0)}<LANGUAGE>ENG</SONRS></SIGNONMSGSRSV1>`,
    '<CREDITCARDMSGSRSV1><CCSTMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS>',
    '<CCSTMTRS><CURDEF>EUR<CCACCTFROM><ACCTID>0000</CCACCTFROM>',
    `<BANKTRANLIST><DTSTART>${compact(30)}<DTEND>${compact(0)}`,
    ...transactions,
    '</BANKTRANLIST></CCSTMTRS></CCSTMTTRNRS></CREDITCARDMSGSRSV1></OFX>',
    '',
  ].join('\r\n')
}

/** 0 to `below` - 1, by the words alone. */
function drawn(words: string, below: number): number {
  return createHash('sha256').update(words).digest().readUInt32BE(0) % below
}

function centsOf(cents: number): string {
  return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`
}
