// Spending against goals. A goal counts what is spent in its account and below it, except where an account
// below has a goal of its own in that currency: so nothing is counted twice. Pure.

import { bar } from '../text-charts.ts'
import type { Transaction } from './hledger.ts'
import { type Money, moneyText } from './money.ts'
import type { TypeOf } from './rows.ts'
import { checkedNumber, sumsOf } from './sums.ts'

export interface BudgetRow {
  readonly category: string
  readonly spent: Money
  readonly goal: Money
  /** Negative when it is over. */
  readonly left: Money
  /** Of the goal, rounded down; 100 is all of it, and not over. */
  readonly usedPct: number
  readonly over: boolean
  readonly text: string
  readonly bar: string
}

export interface BudgetInput {
  readonly spent: readonly Transaction[]
  readonly goals: readonly Transaction[]
  readonly typeOf: TypeOf
}

/** The most used up first. */
export function compareBudgets({ spent, goals, typeOf }: BudgetInput): {
  readonly budgets: BudgetRow[]
  readonly unbudgeted: Money[]
} {
  const rows = new Map<string, { category: string; currency: string; goal: bigint; used: bigint }>()
  const keyOf = (account: string, currency: string) => JSON.stringify([currency, account])
  for (const { account, minor, currency } of expensesOf(goals, typeOf)) {
    const key = keyOf(account, currency)
    const row = rows.get(key) ?? { category: account, currency, goal: 0n, used: 0n }
    row.goal += BigInt(minor)
    rows.set(key, row)
  }
  const unbudgeted: Money[] = []
  for (const { account, minor, currency } of expensesOf(spent, typeOf)) {
    const row = above(account)
      .map((name) => rows.get(keyOf(name, currency)))
      .find((one) => one !== undefined)
    if (row === undefined) unbudgeted.push({ minor, currency })
    else row.used += BigInt(minor)
  }
  const budgets = [...rows.values()].map(({ category, currency, goal, used }) =>
    budgetRow(category, {
      spent: { minor: checkedNumber(used), currency },
      goal: { minor: checkedNumber(goal), currency },
    }),
  )
  budgets.sort(
    (left, right) => right.usedPct - left.usedPct || (left.category < right.category ? -1 : 1),
  )
  return { budgets, unbudgeted: sumsOf(unbudgeted) }
}

function expensesOf(transactions: readonly Transaction[], typeOf: TypeOf) {
  return transactions
    .flatMap(({ postings }) => postings)
    .filter(({ account }) => typeOf(account) === 'X')
}

/** The account, and those above it, the nearest first. */
function above(account: string): readonly string[] {
  const parts = account.split(':')
  return parts.map((_, index) => parts.slice(0, parts.length - index).join(':'))
}

const barColumns = 20
/** Of a goal of a cent, a month's spending may be a figure without end. */
const maxPct = 100_000

function budgetRow(
  category: string,
  { spent, goal }: { readonly spent: Money; readonly goal: Money },
): BudgetRow {
  const none = spent.minor > 0 ? maxPct : 0
  const share = goal.minor > 0 ? floorPct(BigInt(spent.minor), BigInt(goal.minor)) : none
  return {
    ...{ category, spent, goal, left: { ...goal, minor: goal.minor - spent.minor } },
    usedPct: Math.max(Math.min(share, maxPct), -maxPct),
    over: spent.minor > goal.minor,
    text: `${moneyText(spent)} of ${moneyText(goal)}`,
    bar: bar(spent.minor, goal.minor, barColumns),
  }
}

/** In integers, towards zero. */
function floorPct(part: bigint, whole: bigint): number {
  return Number((part * 100n) / whole)
}
