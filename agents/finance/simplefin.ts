// Accounts and transactions as SimpleFIN gives them (simplefin.org/protocol.html, GET /accounts): what is
// asked, and what the answer says. Amounts are texts there and stay exact. Pure.

import { z } from 'zod'
import { isCurrency } from './currencies.ts'
import { dateOfSeconds } from './dates.ts'
import { invalid, notFound } from './failures.ts'
import { readAmount } from './money.ts'
import { readJson } from './read-json.ts'
import {
  type LineFault,
  maxLines,
  plainText,
  type Statement,
  type StatementLine,
} from './statement.ts'

const seconds = z.number().int().min(0).max(253_402_300_799)

const transaction = z.object({
  id: z.string().min(1).max(255),
  /** 0 while it is pending. */
  posted: seconds,
  amount: z.string().max(60),
  description: z.string().max(10_000),
  payee: z.string().max(10_000).optional(),
  memo: z.string().max(10_000).optional(),
  pending: z.boolean().optional(),
})

const answer = z.object({
  /** Of servers of the first version, and of later ones; whatever they say stays there. */
  errors: z.array(z.unknown()).max(1_000).default([]),
  errlist: z.array(z.unknown()).max(1_000).default([]),
  accounts: z
    .array(
      z.object({
        id: z.string().min(1).max(255),
        name: z.string().max(1_000),
        /** A code, or the address of a currency of somebody's own. */
        currency: z.string().max(1_000),
        transactions: z.array(transaction).max(maxLines).optional(),
      }),
    )
    .max(200),
})

/** @throws ActionFailure CORRUPT_DATA, NOT_FOUND, INVALID_INPUT */
export function readSimpleFin(body: string, source: string): Statement {
  const { accounts, errors, errlist } = readJson('the server', body, answer)
  const account = accounts.find(({ id }) => id === source)
  if (account === undefined) throw notFound('the server has no account of that id')
  const { currency } = account
  if (!isCurrency(currency)) throw invalid('the account is not kept in a currency of ISO 4217')
  const lines: StatementLine[] = []
  const faults: LineFault[] = []
  let pending = 0
  for (const [index, each] of (account.transactions ?? []).entries()) {
    if (each.pending === true || each.posted === 0) {
      pending += 1
      continue
    }
    const date = dateOfSeconds(each.posted)
    const read = readAmount(each.amount, { currency, decimalMark: '.' })
    if (date === undefined) faults.push({ line: index + 1, code: 'date' })
    else if (!read.ok) faults.push({ line: index + 1, code: read.fault })
    else {
      lines.push({
        ...{ reference: each.id, date, money: read.money },
        payee: plainText(each.payee ?? each.description),
        note: plainText(each.payee === undefined ? (each.memo ?? '') : each.description),
      })
    }
  }
  return { lines, faults, pending, notices: errors.length + errlist.length }
}
