// Statements in OFX and QFX, both generations: SGML (1.x), whose fields need no closing tag, and XML (2.x).
// One pass over the tags, no document type, no entity but those of the standard, so that nothing in a file
// can grow. The library that was meant for it cannot do two accounts in one file and changes amounts: see
// docs/adr/0039. Source: OFX 1.6 and 2.2, sections 2 and 11 (financialdataexchange.org). Pure.

import { isCurrency } from './currencies.ts'
import { dateOf } from './dates.ts'
import { corrupt, invalid, tooMuch } from './failures.ts'
import { readAmount } from './money.ts'
import {
  type FaultCode,
  type LineFault,
  maxLines,
  plainText,
  type Statement,
  type StatementLine,
} from './statement.ts'

export interface OfxInput {
  readonly file: string
  readonly text: string
  /** ACCTID of the statement that is meant; needed where the file has several. */
  readonly source: string | undefined
}

/** Of open tags; the standard's own nesting is 8. */
const maxDepth = 40
const maxFieldCharacters = 4 * 1024

type Fields = Map<string, string>

interface RawStatement {
  account: string
  currency: string
  readonly transactions: Fields[]
}

/** @throws ActionFailure CORRUPT_DATA, LIMIT_EXCEEDED; INVALID_INPUT when it is open which account is meant */
export function readOfx({ file, text, source }: OfxInput): Statement {
  const found = readStatements(file, text)
  const accounts = new Set(found.map(({ account }) => account))
  if (source === undefined && accounts.size > 1) {
    throw invalid(`${file} has statements of ${accounts.size} accounts: say of which, as source`)
  }
  const wanted = found.filter(({ account }) => source === undefined || account === source)
  if (wanted.length === 0) throw invalid(`${file} has no statement of that account`)
  const lines: StatementLine[] = []
  const faults: LineFault[] = []
  for (const { currency, transactions } of wanted) {
    for (const fields of transactions) {
      const read = readTransaction(fields, currency)
      if (typeof read === 'string')
        faults.push({ line: lines.length + faults.length + 1, code: read })
      else lines.push(read)
    }
  }
  return { lines, faults, pending: 0, notices: 0 }
}

const statementTags: ReadonlySet<string> = new Set(['STMTRS', 'CCSTMTRS'])
const ownAccountTags: ReadonlySet<string> = new Set(['BANKACCTFROM', 'CCACCTFROM'])
/** Their fields are about something else than the transaction that they stand in. */
const foreignTags: ReadonlySet<string> = new Set([
  'BANKACCTTO',
  'CCACCTTO',
  'ORIGCURRENCY',
  'IMAGEDATA',
])

function readStatements(file: string, text: string): readonly RawStatement[] {
  const start = text.search(/<OFX>/i)
  if (start === -1) throw corrupt(file, 'is not OFX')
  if (text.includes('<!'))
    throw corrupt(file, 'has a document type or a comment, which OFX has not')
  const statements: RawStatement[] = []
  const open: string[] = []
  let statement: RawStatement | undefined
  let transaction: Fields | undefined
  let count = 0
  for (const { closing, name, rest } of tagsOf(text.slice(start))) {
    const tag = name.toUpperCase()
    const value = rest.trim()
    if (closing) {
      // What is open inside was a field without content; a field's own closing tag closes nothing here.
      const at = open.lastIndexOf(tag)
      if (at !== -1) open.length = at
      if (tag === 'STMTTRN') transaction = undefined
      continue
    }
    if (value !== '') {
      if (value.length > maxFieldCharacters) throw tooMuch(`${file} has a field that is too long`)
      if (open.some((one) => foreignTags.has(one))) continue
      if (transaction !== undefined) setOnce(transaction, tag, plainEntities(value))
      else if (statement !== undefined && tag === 'CURDEF') statement.currency = value.toUpperCase()
      else if (
        statement !== undefined &&
        tag === 'ACCTID' &&
        ownAccountTags.has(open.at(-1) ?? '')
      ) {
        statement.account = value
      }
      continue
    }
    open.push(tag)
    if (open.length > maxDepth) throw corrupt(file, 'is nested too deeply')
    if (statementTags.has(tag)) {
      statement = { account: '', currency: '', transactions: [] }
      statements.push(statement)
    } else if (tag === 'STMTTRN' && statement !== undefined) {
      count += 1
      if (count > maxLines) throw tooMuch(`${file} has more than ${maxLines} transactions`)
      transaction = new Map()
      statement.transactions.push(transaction)
    }
  }
  if (open.length > 0) throw corrupt(file, 'ends in the middle')
  return statements
}

interface Tag {
  readonly closing: boolean
  readonly name: string
  /** Up to the next tag; a `<` that begins none is part of it. */
  readonly rest: string
}

function* tagsOf(text: string): Generator<Tag> {
  let open: { closing: boolean; name: string; end: number } | undefined
  for (const found of text.matchAll(/<(\/?)([A-Za-z0-9._]{1,40})>/g)) {
    if (open !== undefined) yield { ...open, rest: text.slice(open.end, found.index) }
    const [whole, slash, name = ''] = found
    open = { closing: slash === '/', name, end: found.index + whole.length }
  }
  if (open !== undefined) yield { ...open, rest: text.slice(open.end) }
}

/** A second NAME would be that of a payee's details. */
function setOnce(fields: Fields, tag: string, value: string): void {
  if (!fields.has(tag)) fields.set(tag, value)
}

const entities: ReadonlyMap<string, string> = new Map(
  Object.entries({ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }),
)

function plainEntities(text: string): string {
  return text.replace(
    /&(?:([a-z]{2,4})|#(\d{1,7})|#x([0-9a-f]{1,6}));/gi,
    (whole, name, decimal, hex) => {
      if (name !== undefined) return entities.get(String(name).toLowerCase()) ?? whole
      const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal)
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ''
    },
  )
}

function readTransaction(fields: Fields, statementCurrency: string): StatementLine | FaultCode {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})/.exec(fields.get('DTPOSTED') ?? '') ?? []
  const date = dateOf(Number(year), Number(month), Number(day))
  if (date === undefined) return 'date'
  // CURRENCY: the amount is in that one. ORIGCURRENCY, which is left out above: it was converted from it.
  const currency = (fields.get('CURSYM') ?? statementCurrency).toUpperCase()
  if (!isCurrency(currency)) return 'not-a-currency'
  const text = fields.get('TRNAMT') ?? ''
  // By the standard there are no groups, and either mark is decimal.
  if (!/^[+-]?\d*[.,]?\d+$|^[+-]?\d+[.,]$/.test(text)) return 'not-an-amount'
  const plain = text.replace(',', '.').replace(/\.$/, '')
  const read = readAmount(plain, { currency, decimalMark: '.' })
  if (!read.ok) return read.fault
  const reference = fields.get('FITID')
  const name = fields.get('NAME') ?? ''
  const memo = fields.get('MEMO') ?? ''
  return {
    date,
    money: read.money,
    payee: plainText(name === '' ? memo : name),
    note: name === '' ? '' : plainText(memo),
    ...(reference === undefined ? {} : { reference: reference.slice(0, 255) }),
  }
}
