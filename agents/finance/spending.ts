// Where money went: postings to accounts of expenses, summed by account, payee or month, a currency each.
// A refund is negative spending in its own category. Pure.

import { bar } from '../text-charts.ts'
import type { Transaction } from './hledger.ts'
import { moneyText } from './money.ts'
import type { TypeOf } from './rows.ts'
import { checkedNumber } from './sums.ts'

export type Grouping = 'category' | 'payee' | 'month'

export interface SpendingGroup {
  readonly key: string
  readonly amount: { readonly minor: number; readonly currency: string }
  /** `12.34 EUR`, for texts. */
  readonly text: string
  readonly bar: string
  readonly postings: number
}

const barColumns = 20

/** The largest first within a currency; the currencies in the order of their names. */
export function groupSpending(
  transactions: readonly Transaction[],
  { by, typeOf }: { readonly by: Grouping; readonly typeOf: TypeOf },
): readonly SpendingGroup[] {
  const groups = new Map<
    string,
    { key: string; currency: string; minor: bigint; postings: number }
  >()
  for (const { date, payee, postings } of transactions) {
    for (const { account, minor, currency } of postings) {
      if (typeOf(account) !== 'X') continue
      const key = by === 'category' ? account : by === 'month' ? date.slice(0, 7) : payee
      const id = JSON.stringify([currency, key])
      const group = groups.get(id) ?? { key, currency, minor: 0n, postings: 0 }
      group.minor += BigInt(minor)
      group.postings += 1
      groups.set(id, group)
    }
  }
  const sums = [...groups.values()].map((one) => ({ ...one, minor: checkedNumber(one.minor) }))
  const most = new Map<string, number>()
  for (const { currency, minor } of sums) {
    most.set(currency, Math.max(most.get(currency) ?? 0, minor))
  }
  return sums
    .sort((left, right) => {
      if (left.currency !== right.currency) return left.currency < right.currency ? -1 : 1
      if (by === 'month') return left.key < right.key ? -1 : 1
      return right.minor - left.minor || (left.key < right.key ? -1 : 1)
    })
    .map(({ key, currency, minor, postings }) => ({
      key,
      amount: { minor, currency },
      text: moneyText({ minor, currency }),
      bar: bar(minor, most.get(currency) ?? 0, barColumns),
      postings,
    }))
}
