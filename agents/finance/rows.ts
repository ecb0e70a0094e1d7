// Transactions as a person sees them: rows of their own accounts, each with what it was for. Pure.

import type { AccountType, Transaction } from './hledger.ts'
import type { Money } from './money.ts'
import { shortHash } from './short-hash.ts'

export type TypeOf = (account: string) => AccountType | undefined

/** Of a journal that declares none: the names that hledger knows (hledger.html, "Account types"). */
const knownNames: readonly (readonly [RegExp, AccountType])[] = [
  [/^assets?(?::|$)/i, 'A'],
  [/^(?:debts?|liabilit(?:y|ies))(?::|$)/i, 'L'],
  [/^equity(?::|$)/i, 'E'],
  [/^(?:income|revenue)s?(?::|$)/i, 'R'],
  [/^expenses?(?::|$)/i, 'X'],
]

/** The declared one, else that of the next account above, else what the name says. */
export function typesFrom(declared: ReadonlyMap<string, AccountType>): TypeOf {
  return (account) => {
    for (let name = account; ; name = name.slice(0, name.lastIndexOf(':'))) {
      const type = declared.get(name)
      if (type !== undefined) return type
      if (!name.includes(':')) break
    }
    return knownNames.find(([names]) => names.test(account))?.[1]
  }
}

export interface Row {
  /** The same as long as the transaction is; 22 characters of base64url. */
  readonly id: string
  readonly date: string
  readonly account: string
  readonly amount: Money
  readonly payee: string
  /** The account of the other side; `split` where it has several. */
  readonly category: string
  readonly pending: boolean
}

/** One row for each posting to an account that holds money or a debt. */
export function rowsOf(transactions: readonly Transaction[], typeOf: TypeOf): readonly Row[] {
  const seen = new Map<string, number>()
  return transactions.flatMap(({ date, payee, legs, postings }) =>
    postings.flatMap((posting): Row[] => {
      const { leg, account, minor, currency, isPending } = posting
      if (!isOwn(typeOf(account))) return []
      const others = new Set(legs.filter((_, at) => at !== leg))
      const [category = 'none'] = others.size > 1 ? ['split'] : others
      const facts = JSON.stringify([date, payee, account, minor, currency, category])
      const nth = (seen.get(facts) ?? 0) + 1
      seen.set(facts, nth)
      const id = shortHash(`${nth} ${facts}`)
      const amount = { minor, currency }
      return [{ id, date, account, amount, payee, category, pending: isPending }]
    }),
  )
}

export function isOwn(type: AccountType | undefined): boolean {
  return type === 'A' || type === 'C' || type === 'L'
}
