// Asks hledger about the person's journal: which arguments, and what its JSON means. Only the mantissa and
// the places of an amount are read, never its floating-point field. No text of a caller becomes an
// argument: dates do, and nothing else; what is looked for is looked for here. Source: hledger's
// JSON output as 1.25 writes it (hledger.org/hledger.html, "JSON"); later versions add fields.

import { join } from 'node:path'
import { z } from 'zod'
import type { ActionContext } from '../define-agent.ts'
import { type Currency, currencyOf } from './currencies.ts'
import { corrupt, tooMuch } from './failures.ts'
import { journalFiles } from './journal-files.ts'
import { roundToMinor } from './money.ts'
import { financeAt } from './places.ts'
import { readJson } from './read-json.ts'
import { checkedNumber } from './sums.ts'

/** A posting is about a kilobyte of JSON: thirty thousand of them, which is years of a household. */
const maxOutputBytes = 32 * 1024 * 1024

/** In quotes, which `parsed` puts around it: a number of JavaScript's would round a long one. */
const integer = z
  .string()
  .max(400)
  .transform((text, context) => {
    const value = exactInteger(text)
    if (value !== undefined) return value
    context.addIssue('not an integer')
    return z.NEVER
  })
const amount = z.object({
  acommodity: z.string(),
  aquantity: z.object({
    decimalMantissa: integer,
    decimalPlaces: z.number().int().min(0).max(255),
  }),
})
const amounts = z.array(amount)
type Amounts = z.infer<typeof amounts>

const transactions = z.array(
  z.object({
    tdate: z.iso.date(),
    tstatus: z.string(),
    tdescription: z.string(),
    tpostings: z.array(
      z.object({ paccount: z.string(), pamount: amounts, pstatus: z.string(), ptype: z.string() }),
    ),
  }),
)

/** One leg of a transaction in money. */
export interface Posting {
  /** Its place among the legs. */
  readonly leg: number
  readonly account: string
  readonly minor: number
  readonly currency: Currency
  readonly isPending: boolean
}

export interface Transaction {
  readonly date: string
  /** What stands before a `|`, which is all where there is none. */
  readonly payee: string
  /** Accounts of all its legs, of those that are no money too. */
  readonly legs: readonly string[]
  readonly postings: readonly Posting[]
  /** Postings in shares, litres or hours, which are no money and are left out. */
  readonly others: number
}

export interface Range {
  /** First day, and the day after the last. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  /** What was paid for it, in place of what was bought: a foreign note becomes what it cost. */
  readonly atCost: boolean
  /** In place of what happened: what the periodic rules (`~ monthly`) say for these days. */
  readonly goals?: boolean
}

/** @throws ActionFailure CORRUPT_DATA for a journal that hledger refuses; UNAVAILABLE without hledger */
export async function readTransactions(
  context: ActionContext,
  range: Range,
): Promise<readonly Transaction[]> {
  const { from, to, goals } = range
  const planned =
    goals === true && from !== undefined && to !== undefined
      ? [`--forecast=${from}..${to}`, 'tag:_generated-transaction']
      : []
  const output = await ask(context, ['print', '-O', 'json', ...rangeArgs(range), ...planned])
  return parsed(transactions, output).map((each) => {
    const [payee = ''] = each.tdescription.split('|')
    const postings: Posting[] = []
    let others = 0
    // Virtual postings are envelopes of a budget, not money that moved.
    const regular = each.tpostings.filter(({ ptype }) => ptype === 'RegularPosting')
    for (const [leg, { paccount, pamount, pstatus }] of regular.entries()) {
      const isPending = pstatus === 'Pending' || each.tstatus === 'Pending'
      const read = moneyOf(pamount)
      others += read.others
      for (const money of read.money) postings.push({ leg, account: paccount, ...money, isPending })
    }
    const legs = regular.map(({ paccount }) => paccount)
    return { date: each.tdate, payee: payee.trim(), legs, postings, others }
  })
}

const balanceRow = z.tuple([z.string(), z.string(), z.number(), amounts])
const balanceReport = z.tuple([z.array(balanceRow), z.unknown()])

export interface AccountBalance {
  readonly account: string
  readonly money: readonly { minor: number; currency: Currency }[]
  readonly others: number
}

/** @throws ActionFailure */
export async function readBalances(
  context: ActionContext,
  to: string | undefined,
): Promise<readonly AccountBalance[]> {
  const range = rangeArgs({ to, atCost: false })
  const output = await ask(context, ['balance', '-N', '--flat', '-E', '-O', 'json', ...range])
  return parsed(balanceReport, output)[0].map(([account, , , held]) => ({
    account,
    ...moneyOf(held),
  }))
}

/** `A` asset, `C` cash, `L` liability, `E` equity, `R` revenue, `X` expense, `V` conversion. */
export type AccountType = 'A' | 'C' | 'L' | 'E' | 'R' | 'X' | 'V'
const typePattern = /^(.*?)\s+; type: ?([ACLERXV])$/

/**
 * Those that the journal declares. hledger could tell those of all accounts, in a time that grows with the
 * square of their number; rows.ts tells the rest by their names, as hledger would.
 * @throws ActionFailure
 */
export async function readDeclaredTypes(
  context: ActionContext,
): Promise<ReadonlyMap<string, AccountType>> {
  const output = await ask(context, ['accounts', '--declared', '--types'])
  const types = new Map<string, AccountType>()
  for (const line of output.split('\n')) {
    const [, account, type] = typePattern.exec(line) ?? []
    if (account !== undefined) types.set(account, type as AccountType)
  }
  return types
}

function rangeArgs({ from, to, atCost }: Omit<Range, 'goals'>): readonly string[] {
  return [
    ...(from === undefined ? [] : ['-b', from]),
    ...(to === undefined ? [] : ['-e', to]),
    ...(atCost ? ['-B'] : []),
  ]
}

async function ask(context: ActionContext, args: readonly string[]): Promise<string> {
  const folder = context.folder(financeAt)
  const files = journalFiles(folder).flatMap((name) => ['-f', join(folder, name)])
  const { code, stdout, stderr } = await context.run({
    program: 'hledger',
    args: [...args, ...files],
    maxBytes: maxOutputBytes,
  })
  if (code !== 0) {
    // Of what it says, the place alone: the rest quotes the journal.
    const [, at] = /:(\d+)(?::\d+|-\d+)?:|\(lines? (\d+)/.exec(stderr) ?? []
    throw corrupt('the journal', `hledger refuses it${at === undefined ? '' : ` at line ${at}`}`)
  }
  return Buffer.from(stdout).toString('utf8')
}

function parsed<Shape extends z.ZodType>(shape: Shape, output: string): z.output<Shape> {
  // Inside a JSON text every quotation mark is escaped, so this can only be the field itself.
  const exact = output.replace(/"decimalMantissa":\s*([-+.\deE]+)/g, '"decimalMantissa":"$1"')
  return readJson('hledger', exact, shape)
}

/** `-1234`, and `1.5e40` as long ones are written. Undefined for what is no integer, or has no end. */
function exactInteger(text: string): bigint | undefined {
  const [, sign, whole, fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]\+?(\d{1,3}))?$/.exec(text) ?? []
  const digits = fraction.replace(/0+$/, '')
  if (whole === undefined || digits.length > Number(exponent)) return undefined
  return BigInt(`${sign}${whole}${digits.padEnd(Number(exponent), '0')}`)
}

function moneyOf(read: Amounts) {
  const sums = new Map<Currency, bigint>()
  let others = 0
  for (const { acommodity, aquantity } of read) {
    const mantissa = aquantity.decimalMantissa
    const currency = currencyOf(acommodity)
    if (currency === undefined) {
      // hledger gives an account that holds nothing one amount without a commodity.
      others += mantissa === 0n ? 0 : 1
      continue
    }
    const minor = roundToMinor({ mantissa, places: aquantity.decimalPlaces }, currency)
    if (minor === undefined) throw tooMuch('an amount beyond all bounds')
    sums.set(currency, (sums.get(currency) ?? 0n) + minor)
  }
  const money = [...sums].map(([currency, minor]) => ({ minor: checkedNumber(minor), currency }))
  return { money, others }
}
