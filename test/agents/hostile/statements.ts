// Hostile statements of banks, as files, and the rules by which they are read.

import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { agent } from '../../../agents/finance/agent.ts'
import { financeAt } from '../../../agents/finance/places.ts'
import type { FailureCode } from '../../../agents/protocol.ts'
import {
  type Ends,
  entityBomb,
  formula,
  type HostileParser,
  megabytes,
  not,
  type Trial,
  trial,
} from './trial.ts'

export const account = 'assets:bank:giro'
type Text = () => string | Uint8Array

const imported =
  (file: string, more: object = {}) =>
  (what: string, ends: Ends, text: Text): Trial =>
    trial(agent, what, ends, () => ({
      ...{ action: 'import', args: { file, account, ...more } },
      world: { folders: { [financeAt]: { [`bank/${file}`]: text() } } },
    }))
/** One line that was not understood, and why. */
export const fault = (code: string) => ({
  says: { new: 0, errors: { count: 1, first: [{ line: 1, code }] } },
})
export const payee = (text: string) => ({ says: { new: 1, added: [{ payee: text }] } })

/** `name` without its ending; the argument that holds it. */
const pathsOf = (ending: string, args: (name: string) => object): readonly Trial[] => [
  ...['../x', '.hidden', 'a/b', 'CON', 'a\u200b'].map((name) =>
    trial(agent, `the name ${JSON.stringify(name)}`, 'INVALID_INPUT', () => ({
      ...{ action: 'import', args: { account, ...args(`${name}${ending}`) } },
      world: { folders: { [financeAt]: { 'bank/x.csv': '' } } },
    })),
  ),
  trial(agent, 'a link out of the folder', 'CORRUPT_DATA', () => ({
    ...{ action: 'import', args: { account, ...args(`link${ending}`) } },
    world: { folders: { [financeAt]: { 'bank/x.csv': 'x\n' } } },
    prepare: (folder) =>
      symlinkSync(
        '/etc/passwd',
        join(folder, financeAt, 'bank', ending === '' ? 'link.rules' : `link${ending}`),
      ),
  })),
]

const csvFile = imported('x.csv', { currency: 'EUR' })
const csv =
  (date: string, text: string, amount = '-1.00') =>
  () =>
    `date,description,amount\n${date},${text},${amount}\n`

export const csvStatements: HostileParser = {
  reads: 'CSV statements',
  cells: {
    entities: not('fields of text, in which nothing stands for anything else'),
    gigantic: [
      csvFile('a field', 'LIMIT_EXCEEDED', csv('2026-11-03', 'x'.repeat(100_000))),
      csvFile(
        'a quotation that never ends',
        'LIMIT_EXCEEDED',
        csv('2026-11-03', `"${megabytes(2)}`),
      ),
      csvFile('nine megabytes', 'LIMIT_EXCEEDED', () => megabytes(9)),
    ],
    encoding: [
      csvFile('Latin-1', 'CORRUPT_DATA', () => Buffer.from(csv('2026-11-03', 'Café')(), 'latin1')),
      csvFile('UTF-16 without a mark', 'CORRUPT_DATA', () =>
        Buffer.from(csv('2026-11-03', 'Cafe')(), 'utf16le'),
      ),
      csvFile('NUL', 'CORRUPT_DATA', csv('2026-11-03', 'a\0b')),
    ],
    dates: [
      csvFile('a negative year', fault('date'), csv('-2026-11-03', 'x')),
      csvFile('30 February', fault('date'), csv('2026-02-30', 'x')),
      csvFile('the end of time', fault('date'), csv('9999-12-31', 'x')),
    ],
    formula: [
      csvFile('a payee', payee(formula), csv('2026-11-03', `"${formula.replaceAll('"', '""')}"`)),
      csvFile('an amount', fault('not-an-amount'), csv('2026-11-03', 'x', '=1+1')),
    ],
    paths: pathsOf('.csv', (file) => ({ file, currency: 'EUR' })),
    crowd: [
      csvFile('twenty thousand and two lines', 'LIMIT_EXCEEDED', () => {
        return `date,description,amount\n${'2026-11-03,a,1\n'.repeat(20_002)}`
      }),
      csvFile('columns', { says: { new: 0, errors: { count: 1 } } }, () => {
        return `date,description,amount${',x'.repeat(10_000)}\n2026-11-03,a,1\n`
      }),
    ],
    depth: not('a line of fields has one level'),
  },
}

const rulesFile = (what: string, ends: FailureCode, rules: Text): Trial =>
  trial(agent, what, ends, () => ({
    ...{ action: 'import', args: { file: 'x.csv', account, rules: 'r', currency: 'EUR' } },
    world: { folders: { [financeAt]: { 'bank/x.csv': '1\n', 'bank/r.rules': rules() } } },
  }))

export const csvRules: HostileParser = {
  reads: 'rules of CSV statements',
  cells: {
    entities: not('lines of text, in which nothing stands for anything else'),
    gigantic: [
      rulesFile('a rule', 'CORRUPT_DATA', () => `fields ${'x'.repeat(10_000)}\n`),
      rulesFile(
        'a pattern that backtracks',
        'CORRUPT_DATA',
        () => 'fields a, b\nif (a+)+$\n account2 x',
      ),
      rulesFile('half a megabyte', 'LIMIT_EXCEEDED', () => megabytes(0.5)),
    ],
    encoding: [
      rulesFile('Latin-1', 'CORRUPT_DATA', () => Buffer.from('# Café\nfields a', 'latin1')),
      rulesFile(
        'of the statement, nobody knows',
        'CORRUPT_DATA',
        () => 'encoding utf-7\nfields date, amount\n',
      ),
    ],
    dates: [rulesFile('a format of other parts', 'CORRUPT_DATA', () => 'fields a\ndate-format %q')],
    formula: not('a rule is not a cell: what it gives to one is tried with the statements'),
    paths: [
      ...pathsOf('', (rules) => ({ file: 'x.csv', rules })),
      rulesFile('an include', 'CORRUPT_DATA', () => 'fields a\ninclude /etc/passwd'),
      rulesFile('a program as source', 'CORRUPT_DATA', () => 'fields a\nsource | curl example.org'),
      rulesFile('an account that is a path', 'CORRUPT_DATA', () => 'fields a\naccount2 ../../x'),
    ],
    crowd: [rulesFile('rules', 'CORRUPT_DATA', () => 'fields a\n'.repeat(10_000))],
    depth: not('a block of conditions has one level'),
  },
}

type Fields = Readonly<Record<string, string>>
const usual: Fields = { DTPOSTED: '20261103', TRNAMT: '-12.34', FITID: 'A1', NAME: 'Grocer' }
const transaction = (fields: Fields) =>
  `<STMTTRN>${Object.entries({ ...usual, ...fields })
    .map(([tag, value]) => `<${tag}>${value}`)
    .join('')}</STMTTRN>`
const ofx = (inside: string) =>
  `OFXHEADER:100\r\nENCODING:UTF-8\r\n\r\n<OFX><STMTRS><CURDEF>EUR<BANKACCTFROM><ACCTID>A</BANKACCTFROM>${inside}</STMTRS></OFX>`

function ofxCells(file: string): HostileParser['cells'] {
  const one = imported(file)
  const of = (fields: Fields) => () => ofx(transaction(fields))
  const ending = file.slice(file.indexOf('.'))
  return {
    entities: [
      one('of its own', 'CORRUPT_DATA', () => entityBomb('x', ofx(transaction({ NAME: 'BOMB' })))),
      one('of its own further down', 'CORRUPT_DATA', () => ofx('<!ENTITY a "&a;&a;">')),
    ],
    gigantic: [
      one('a field', 'LIMIT_EXCEEDED', of({ NAME: 'x'.repeat(10_000) })),
      one('nine megabytes', 'LIMIT_EXCEEDED', () => ofx(megabytes(9))),
      one(
        'seven megabytes of angle brackets',
        { says: { new: 1 } },
        () => `${ofx(transaction({ NAME: '<'.repeat(4_000) }))}${megabytes(7, '<')}`,
      ),
    ],
    encoding: [
      one('another than it declares', 'CORRUPT_DATA', () =>
        Buffer.from(of({ NAME: 'Café' })(), 'latin1'),
      ),
      one('one that nobody knows', 'CORRUPT_DATA', () =>
        of({})().replace('ENCODING:UTF-8', 'ENCODING:USASCII\r\nCHARSET:utf-7'),
      ),
      one('NUL', 'CORRUPT_DATA', of({ NAME: 'a\0b' })),
    ],
    dates: ['-0011103', '99991231', '20260230', '00000000', '2026'].map((DTPOSTED) =>
      one(DTPOSTED, fault('date'), of({ DTPOSTED })),
    ),
    formula: [
      one('a payee', payee(formula), of({ NAME: formula })),
      one('an amount', fault('not-an-amount'), of({ TRNAMT: '=1+1' })),
    ],
    paths: pathsOf(ending, (name) => ({ file: name })),
    crowd: [
      one('more than twenty thousand transactions', 'LIMIT_EXCEEDED', () =>
        ofx(transaction({}).repeat(20_001)),
      ),
    ],
    depth: [one('tags', 'CORRUPT_DATA', () => `<OFX>${'<A>'.repeat(100_000)}`)],
  }
}

export const ofxStatements: HostileParser = { reads: 'OFX statements', cells: ofxCells('x.ofx') }
export const qfxStatements: HostileParser = { reads: 'QFX statements', cells: ofxCells('x.qfx') }
