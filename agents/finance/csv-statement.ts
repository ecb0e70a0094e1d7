// A bank's CSV file under its rules. csv-parse finds the records; what they mean is said by the rules, or,
// without any, by a first line that calls its columns date, amount and description. Pure.

import { CsvError, parse } from 'csv-parse/sync'
import type { Condition, CsvRules, Target } from './csv-rules.ts'
import { currencyOf, isCurrency } from './currencies.ts'
import { readDate } from './dates.ts'
import { corrupt, invalid, tooMuch } from './failures.ts'
import { type Money, type ReadAmount, readAmount } from './money.ts'
import {
  type FaultCode,
  type LineFault,
  maxLines,
  plainText,
  type Statement,
  type StatementLine,
} from './statement.ts'

/** Of one record: a bank's longest remark is far below, and a file without line breaks far above. */
const maxRecordBytes = 64 * 1024

export interface CsvInput {
  readonly file: string
  readonly text: string
  readonly rules: CsvRules | undefined
  /** Of amounts that name none, where the rules name none either. */
  readonly currency: string | undefined
  /** The one that is imported into; rules that are about another are refused. */
  readonly account: string
}

/** @throws ActionFailure */
export function readCsv(input: CsvInput): Statement {
  const { file, text, account } = input
  const records = parseRecords(file, text, input.rules)
  const [head, ...rest] = records
  const rules = input.rules ?? rulesOfHead(head)
  const own = rules.values.get('account1')
  if (own !== undefined && own !== account) throw invalid('the rules are about another account')
  const lines: StatementLine[] = []
  const faults: LineFault[] = []
  const rows = input.rules === undefined ? rest : records
  for (const [index, record] of rows.entries()) {
    const read = readRecord(record, { rules, currency: input.currency })
    if (typeof read === 'string') faults.push({ line: index + 1, code: read })
    else lines.push(read)
  }
  return { lines, faults, pending: 0, notices: 0 }
}

function parseRecords(file: string, text: string, rules: CsvRules | undefined): string[][] {
  try {
    const records: string[][] = parse(text, {
      delimiter: rules?.separator ?? ',',
      from_line: 1 + (rules?.skip ?? 0),
      max_record_size: maxRecordBytes,
      to: maxLines + 2,
      relax_column_count: true,
      skip_empty_lines: true,
      skip_records_with_empty_values: true,
      trim: true,
    })
    if (records.length > maxLines + 1) throw tooMuch(`${file} has more than ${maxLines} lines`)
    return records
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    if (error.code === 'CSV_MAX_RECORD_SIZE') throw tooMuch(`${file} has a line that is too long`)
    throw corrupt(file, `is not CSV (${error.code})`)
  }
}

function rulesOfHead(head: readonly string[] = []): CsvRules {
  const fields = head
    .map((name) => name.toLowerCase())
    .map((name) => (name === 'payee' ? 'description' : name))
  if (!['date', 'amount', 'description'].every((name) => fields.includes(name))) {
    throw invalid('without rules the first line must name date, amount and description')
  }
  return {
    ...{ skip: 0, separator: ',', encoding: undefined, decimalMark: undefined, fields },
    ...{ readDate, values: new Map(), conditions: [] },
  }
}

interface Reading {
  readonly rules: CsvRules
  readonly currency: string | undefined
}

function readRecord(
  record: readonly string[],
  { rules, currency }: Reading,
): StatementLine | FaultCode {
  if (record.length < rules.fields.length) return 'columns'
  const columns = new Map(rules.fields.map((name, at) => [name, record[at] ?? ''] as const))
  const matching = conditionsFor(rules, { record, columns })
  const textFor = (target: Target): string => {
    const template =
      matching.findLast(({ values }) => values.has(target))?.values.get(target) ??
      rules.values.get(target)
    return template === undefined
      ? (columns.get(target) ?? '')
      : template.replace(/%([A-Za-z0-9_-]+)/g, (_, name: string) =>
          /^\d+$/.test(name)
            ? (record[Number(name) - 1] ?? '')
            : (columns.get(name.toLowerCase()) ?? ''),
        )
  }
  const date = rules.readDate(textFor('date').trim())
  if (date === undefined) return 'date'
  const named = textFor('currency').trim()
  const code = named === '' ? (currency ?? '') : (currencyOf(named) ?? named)
  if (!isCurrency(code)) return 'not-a-currency'
  const money = readMoney(textFor, { currency: code, decimalMark: rules.decimalMark })
  if (!money.ok) return money.fault
  const reference = textFor('code').trim()
  const category = textFor('account2').trim()
  return {
    date,
    money: money.money,
    payee: plainText(textFor('description')),
    note: plainText(textFor('comment')),
    ...(reference === '' ? {} : { reference: reference.slice(0, 200) }),
    ...(category === '' ? {} : { category }),
  }
}

function readMoney(
  textFor: (target: Target) => string,
  format: { currency: string; decimalMark: CsvRules['decimalMark'] },
): ReadAmount {
  const whole = textFor('amount').trim()
  if (whole !== '') return readAmount(whole, format)
  const paidIn = textFor('amount-in').trim()
  const paidOut = textFor('amount-out').trim()
  // Both, as some banks write with a zero in the other, is a sum of the two.
  const parts = [
    ...(paidIn === '' ? [] : [readAmount(paidIn, format)]),
    ...(paidOut === '' ? [] : [negated(readAmount(paidOut, format))]),
  ]
  const bad = parts.find((one) => !one.ok)
  if (bad !== undefined || parts.length === 0) return bad ?? { ok: false, fault: 'not-an-amount' }
  const minor = parts.reduce((sum, one) => sum + (one.ok ? one.money.minor : 0), 0)
  return { ok: true, money: { minor, currency: format.currency } }
}

/** What was paid out is written with and without its minus; it is paid out either way. */
function negated(read: ReadAmount): ReadAmount {
  if (!read.ok || read.money.minor <= 0) return read
  const money: Money = { ...read.money, minor: -read.money.minor }
  return { ok: true, money }
}

interface Row {
  readonly record: readonly string[]
  readonly columns: ReadonlyMap<string, string>
}

function conditionsFor(rules: CsvRules, { record, columns }: Row): readonly Condition[] {
  const whole = record.join(rules.separator).toLowerCase()
  return rules.conditions.filter(({ matchers }) =>
    matchers.some(({ column, texts }) => {
      const text = column === undefined ? whole : textOf({ record, columns }, column)
      return texts.some((one) => text.includes(one))
    }),
  )
}

function textOf({ record, columns }: Row, column: string): string {
  const value = /^\d+$/.test(column)
    ? record[Number(column) - 1]
    : columns.get(column.toLowerCase())
  return (value ?? '').toLowerCase()
}
