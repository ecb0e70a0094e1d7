// What the finance agent's reading actions take and give; manifest.ts declares the rest. Data and zod only.
// Every one of them reads the whole journal through hledger and writes nothing.

import { z } from 'zod'
import { accountPattern, maxAccountCharacters } from './account-name.ts'

export const money = z.strictObject({
  minor: z.number().int(),
  currency: z.string().regex(/^[A-Z]{3}$/),
})
export const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/)
/** `today` in the zone of the folder. */
const day = z.string().regex(/^(?:today|\d{4}-\d{2}-\d{2})$/)
/** An account and those below it. */
const accounts = z
  .array(z.string().min(1).max(maxAccountCharacters).regex(accountPattern))
  .min(1)
  .max(50)
const limit = z.number().int().min(1).max(200).default(100)

const read = {
  audience: 'owner',
  idempotent: true,
  effect: 'read',
  undo: 'none',
  // hledger reads the whole journal each time: a second for ten years of a household.
  timeoutMs: 30_000,
} as const

/** Postings in what is no money of ISO 4217 (shares, litres), which are left out. */
const others = z.number().int()

export const reads = {
  balances: {
    ...read,
    summary: 'what is on the accounts, and what is owed',
    input: z.strictObject({
      /** Unset: all that hold money or a debt. */
      accounts: accounts.optional(),
      /** At the end of that day; unset: with all that the journal has. */
      asOf: day.optional(),
      limit,
    }),
    output: z.strictObject({
      asOf: date.nullable(),
      /** All of them; `accounts` holds the first `limit`, one a currency of an account. */
      count: z.number().int(),
      accounts: z.array(
        z.strictObject({
          account: z.string(),
          type: z.enum(['asset', 'liability', 'other']),
          amount: money,
          text: z.string(),
        }),
      ),
      /** Of all of them. */
      totals: z.array(money),
      others,
    }),
    quotes: ['/accounts'],
    roles: { '/accounts/*': 'control', '/asOf': 'control', '/limit': 'control' },
    maxResultBytes: 256 * 1024,
  },
  transactions: {
    ...read,
    summary: 'what was paid and received in a range of days, the latest first',
    input: z.strictObject({
      from: date,
      to: date,
      /** In the payee, the account or the category. */
      query: z.string().min(1).max(200).optional(),
      accounts: accounts.optional(),
      /** Minor units; what is smaller, whatever its sign, is left out. */
      minAbs: z.number().int().min(0).max(1_000_000_000_000).optional(),
      limit,
    }),
    output: z.strictObject({
      count: z.number().int(),
      transactions: z.array(
        z.strictObject({
          id: z.string(),
          date,
          account: z.string(),
          amount: money,
          text: z.string(),
          payee: z.string(),
          category: z.string(),
          pending: z.boolean(),
        }),
      ),
      others,
    }),
    quotes: ['/transactions'],
    roles: {
      '/from': 'control',
      '/to': 'control',
      '/query': 'content',
      '/accounts/*': 'control',
      '/minAbs': 'control',
      '/limit': 'control',
    },
    maxResultBytes: 512 * 1024,
  },
  spending: {
    ...read,
    summary: 'where the money went, with bars; refunds are taken off',
    input: z.strictObject({
      /** Either these two ... */
      from: date.optional(),
      to: date.optional(),
      /** ... or the last days, this one among them. */
      day: day.optional(),
      lastDays: z.number().int().min(1).max(3_660).optional(),
      by: z.enum(['category', 'payee', 'month']).default('category'),
      limit,
    }),
    output: z.strictObject({
      from: date,
      to: date,
      by: z.enum(['category', 'payee', 'month']),
      count: z.number().int(),
      spending: z.array(
        z.strictObject({
          key: z.string(),
          amount: money,
          text: z.string(),
          /** Of block characters, against the largest of its currency. */
          bar: z.string(),
          postings: z.number().int(),
        }),
      ),
      totals: z.array(money),
      totalText: z.string(),
      others,
    }),
    quotes: ['/spending'],
    roles: {
      '/from': 'control',
      '/to': 'control',
      '/day': 'control',
      '/lastDays': 'control',
      '/by': 'control',
      '/limit': 'control',
    },
    maxResultBytes: 256 * 1024,
  },
  recurring: {
    ...read,
    summary: 'payments that come back, when they are due next, and which have changed',
    input: z.strictObject({
      lookbackMonths: z.number().int().min(1).max(60).default(13),
      /** From which day on; unset: today. */
      day: day.optional(),
      /** Only those that are due by then. */
      withinDays: z.number().int().min(0).max(400).optional(),
      kind: z.enum(['paid', 'received']).default('paid'),
      limit,
    }),
    output: z.strictObject({
      day: date,
      count: z.number().int(),
      recurring: z.array(
        z.strictObject({
          payee: z.string(),
          account: z.string(),
          category: z.string(),
          amount: money,
          text: z.string(),
          cadence: z.enum(['weekly', 'biweekly', 'monthly', 'quarterly', 'yearly']),
          lastDate: date,
          nextDate: date,
          inDays: z.number().int(),
          /** What it was the time before, where that was another amount. */
          changed: money.nullable(),
        }),
      ),
    }),
    quotes: ['/recurring'],
    roles: {
      '/lookbackMonths': 'control',
      '/day': 'control',
      '/withinDays': 'control',
      '/kind': 'control',
      '/limit': 'control',
    },
    maxResultBytes: 256 * 1024,
  },
  budget_check: {
    ...read,
    summary: "a month's spending against its goals, which are the journal's rules `~ monthly`",
    input: z.strictObject({
      /** Either this ... */
      month: z
        .string()
        .regex(/^\d{4}-(?:0[1-9]|1[0-2])$/)
        .optional(),
      /** ... or any day of it; neither: this month. */
      day: day.optional(),
      limit,
    }),
    output: z.strictObject({
      month: z.string(),
      /** Categories with a goal, the most used up first. */
      count: z.number().int(),
      over: z.number().int(),
      budgets: z.array(
        z.strictObject({
          category: z.string(),
          spent: money,
          goal: money,
          left: money,
          usedPct: z.number().int(),
          over: z.boolean(),
          text: z.string(),
          bar: z.string(),
        }),
      ),
      /** Spent where no goal is. */
      unbudgeted: z.array(money),
    }),
    quotes: ['/budgets'],
    roles: { '/month': 'control', '/day': 'control', '/limit': 'control' },
    maxResultBytes: 256 * 1024,
  },
} as const
