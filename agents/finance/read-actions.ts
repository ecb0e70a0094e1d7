// balances, transactions, spending, recurring and budget_check: what is asked of hledger, and what of its
// answer is given. Nothing here writes.

import type { z } from 'zod'
import type { ActionContext } from '../define-agent.ts'
import { compareBudgets } from './budgets.ts'
import { addDays, addMonths, type DateText, readDate } from './dates.ts'
import { invalid } from './failures.ts'
import {
  type AccountType,
  readBalances,
  readDeclaredTypes,
  readTransactions,
  type Transaction,
} from './hledger.ts'
import type { manifest } from './manifest.ts'
import { moneyText } from './money.ts'
import { maxNameCharacters } from './places.ts'
import { findRecurring } from './recurring.ts'
import { isOwn, rowsOf, typesFrom } from './rows.ts'
import { groupSpending } from './spending.ts'
import { sumsOf } from './sums.ts'
import { todayOf } from './today.ts'

type Actions = typeof manifest.actions
type Args<Name extends keyof Actions> = z.output<Actions[Name]['input']>
type Result<Name extends keyof Actions> = z.output<Actions[Name]['output']>

/** @throws ActionFailure */
export async function balances(
  args: Args<'balances'>,
  context: ActionContext,
): Promise<Result<'balances'>> {
  const asOf = args.asOf === undefined ? undefined : dayOf(args.asOf, context)
  const types = await readDeclaredTypes(context)
  const held = await readBalances(context, asOf === undefined ? undefined : addDays(asOf, 1))
  const typeOf = typesFrom(types)
  const wanted = held.filter(({ account }) =>
    args.accounts === undefined ? isOwn(typeOf(account)) : isBelow(account, args.accounts),
  )
  const rows = wanted.flatMap(({ account, money }) =>
    money.map((amount) => ({
      account: shortened(account),
      type: kindOf(typeOf(account)),
      amount,
      text: moneyText(amount),
    })),
  )
  rows.sort((left, right) => compare(left.account, right.account))
  return {
    asOf: asOf ?? null,
    count: rows.length,
    accounts: rows.slice(0, args.limit),
    totals: sumsOf(rows.map(({ amount }) => amount)),
    others: wanted.reduce((sum, one) => sum + one.others, 0),
  }
}

/** @throws ActionFailure */
export async function transactions(
  args: Args<'transactions'>,
  context: ActionContext,
): Promise<Result<'transactions'>> {
  const range = { from: knownDate(args.from), to: knownDate(args.to) }
  if (range.to <= range.from) throw invalid('the range is empty')
  const found = await readTransactions(context, { ...range, atCost: false })
  const query = args.query?.toLowerCase()
  const rows = rowsOf(found, typesFrom(await readDeclaredTypes(context))).filter(
    ({ account, payee, category, amount }) =>
      (args.accounts === undefined || isBelow(account, args.accounts)) &&
      Math.abs(amount.minor) >= (args.minAbs ?? 0) &&
      (query === undefined ||
        [account, payee, category].some((text) => text.toLowerCase().includes(query))),
  )
  const latestFirst = rows.toReversed().sort((left, right) => compare(right.date, left.date))
  return {
    count: rows.length,
    transactions: latestFirst.slice(0, args.limit).map((row) => ({
      ...row,
      account: shortened(row.account),
      payee: shortened(row.payee),
      category: shortened(row.category),
      text: moneyText(row.amount),
    })),
    others: othersOf(found),
  }
}

/** @throws ActionFailure */
export async function spending(
  args: Args<'spending'>,
  context: ActionContext,
): Promise<Result<'spending'>> {
  const range = rangeOf(args, context)
  const found = await readTransactions(context, { ...range, atCost: true })
  const typeOf = typesFrom(await readDeclaredTypes(context))
  const groups = groupSpending(found, { by: args.by, typeOf })
  const totals = sumsOf(groups.map(({ amount }) => amount))
  return {
    ...range,
    by: args.by,
    count: groups.length,
    spending: groups.slice(0, args.limit).map((group) => ({ ...group, key: shortened(group.key) })),
    totals,
    totalText: totals.map(moneyText).join(', '),
    others: othersOf(found),
  }
}

function rangeOf({ from, to, day, lastDays }: Args<'spending'>, context: ActionContext) {
  if (from !== undefined && to !== undefined && day === undefined && lastDays === undefined) {
    const range = { from: knownDate(from), to: knownDate(to) }
    if (range.to <= range.from) throw invalid('the range is empty')
    return range
  }
  if (from !== undefined || to !== undefined || lastDays === undefined) {
    throw invalid('either from and to, or lastDays')
  }
  const last = dayOf(day, context)
  return { from: addDays(last, 1 - lastDays), to: addDays(last, 1) }
}

/** @throws ActionFailure */
export async function recurring(
  args: Args<'recurring'>,
  context: ActionContext,
): Promise<Result<'recurring'>> {
  const day = dayOf(args.day, context)
  const range = { from: addMonths(day, -args.lookbackMonths), to: addDays(day, 1) }
  const found = await readTransactions(context, { ...range, atCost: false })
  const typeOf = typesFrom(await readDeclaredTypes(context))
  // Between accounts of one's own nothing is paid.
  const rows = rowsOf(found, typeOf).filter(
    ({ category, amount }) =>
      !isOwn(typeOf(category)) && amount.minor < 0 === (args.kind === 'paid'),
  )
  const all = findRecurring(rows, day).filter(
    ({ inDays }) => args.withinDays === undefined || inDays <= args.withinDays,
  )
  return {
    day,
    count: all.length,
    recurring: all.slice(0, args.limit).map((one) => ({
      ...one,
      payee: shortened(one.payee),
      account: shortened(one.account),
      category: shortened(one.category),
    })),
  }
}

/** @throws ActionFailure */
export async function budgetCheck(
  args: Args<'budget_check'>,
  context: ActionContext,
): Promise<Result<'budget_check'>> {
  if (args.month !== undefined && args.day !== undefined) throw invalid('a month and a day')
  const day = dayOf(args.day, context)
  const from = knownDate(`${args.month ?? day.slice(0, 7)}-01`)
  const range = { from, to: addMonths(from, 1), atCost: true }
  const spent = await readTransactions(context, range)
  const goals = await readTransactions(context, { ...range, goals: true })
  const { budgets, unbudgeted } = compareBudgets({
    spent,
    goals,
    typeOf: typesFrom(await readDeclaredTypes(context)),
  })
  return {
    month: from.slice(0, 7),
    count: budgets.length,
    over: budgets.filter(({ over }) => over).length,
    budgets: budgets
      .slice(0, args.limit)
      .map((one) => ({ ...one, category: shortened(one.category) })),
    unbudgeted,
  }
}

function kindOf(type: AccountType | undefined): 'asset' | 'liability' | 'other' {
  if (type === 'A' || type === 'C') return 'asset'
  return type === 'L' ? 'liability' : 'other'
}

function isBelow(account: string, above: readonly string[]): boolean {
  return above.some((one) => account === one || account.startsWith(`${one}:`))
}

function othersOf(found: readonly Transaction[]): number {
  return found.reduce((sum, one) => sum + one.others, 0)
}

function knownDate(text: string): DateText {
  const date = readDate(text)
  if (date === undefined) throw invalid('a day that there is not')
  return date
}

function dayOf(text: string | undefined, context: ActionContext): DateText {
  return text === undefined || text === 'today' ? todayOf(context) : knownDate(text)
}

function shortened(text: string): string {
  return text.length <= maxNameCharacters
    ? text
    : `${text.slice(0, maxNameCharacters - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0
}
