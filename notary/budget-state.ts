// What each user's effects have come to in the last day and month, by agent and unit: what budgets are
// judged by. Counted in the transaction of the first authorisation, because what may happen counts and
// not what did; each count is remembered under its effect, so that it is given back at most once. Rows
// that no day and no month reaches any more are gone: they are no record, the audit is.

import type { Amount } from '../plan/amounts.ts'
import type { Spent } from '../plan/policy.ts'
import type { NotaryDatabase } from './database.ts'

/** Made by the migration to version 8. */
export const budgetTables = `
  CREATE TABLE budget (
    user TEXT NOT NULL, unit TEXT NOT NULL, span TEXT NOT NULL, slot INTEGER NOT NULL,
    agent TEXT NOT NULL, used INTEGER NOT NULL, PRIMARY KEY (user, unit, span, slot, agent)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE charge (
    idem TEXT NOT NULL REFERENCES effect (idem), unit TEXT NOT NULL, user TEXT NOT NULL,
    agent TEXT NOT NULL, at INTEGER NOT NULL, amount INTEGER NOT NULL, PRIMARY KEY (idem, unit)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX charge_at ON charge (at);
`

/** No more than a number of JavaScript holds: what has no budget may come to anything. */
const most = Number.MAX_SAFE_INTEGER

/** The unit of which each effect is one. */
export const effectUnit = ''

const hourMs = 3_600_000
/**
 * Each span is counted in slots, so that a sum reads few rows. One slot more than the span has: never
 * less than 24 hours and 30 days, and at most an hour and a day longer.
 */
const spans = {
  day: { slotMs: hourMs, slots: 25 },
  month: { slotMs: 24 * hourMs, slots: 31 },
} as const
type Span = keyof typeof spans
const spanNames: readonly Span[] = ['day', 'month']

export interface Charge {
  readonly idem: string
  readonly user: string
  readonly agent: string
}

export interface SpentRow {
  readonly unit: string
  readonly agent: string
  readonly day: number
  readonly month: number
  /** Of the day's amount: reserved for effects that have not ended. Of effects themselves nothing. */
  readonly open: number
}

/** What each effect was counted for, while anything that it was counted in is left. */
function chargeTable(db: NotaryDatabase) {
  type Kept = Charge & { readonly unit: string; readonly at: number; readonly amount: number }
  const insert = db.prepare<Kept>(
    `INSERT INTO charge (idem, unit, user, agent, at, amount)
     VALUES (:idem, :unit, :user, :agent, :at, :amount)`,
  )
  const kept = db.prepare<[string], Kept>('SELECT * FROM charge WHERE idem = ?')
  const drop = db.prepare<[string]>('DELETE FROM charge WHERE idem = ?')
  const forget = db.prepare<[number]>('DELETE FROM charge WHERE at < ?')
  const lower = db.prepare<[number, string, string]>(
    'UPDATE charge SET amount = ? WHERE idem = ? AND unit = ?',
  )
  type Open = { readonly unit: string; readonly agent: string; readonly open: number }
  const open = db.prepare<[string, number], Open>(
    `SELECT unit, charge.agent AS agent, min(${most}, sum(amount)) AS open
     FROM charge JOIN effect USING (idem)
     WHERE user = ? AND at >= ? AND unit != '' AND outcome IS NULL
     GROUP BY unit, charge.agent`,
  )
  return {
    insert: (charge: Kept) => insert.run(charge),
    of: (idem: string) => kept.all(idem),
    drop: (idem: string) => drop.run(idem),
    lower: (to: number, { idem, unit }: Kept) => lower.run(to, idem, unit),
    forget: (before: number) => forget.run(before),
    /** Amounts of effects that have not ended, counted since then. */
    openOf: (user: string, since: number) => open.all(user, since),
  }
}

export function createBudgetState(db: NotaryDatabase) {
  type Sums = { readonly span: Span; readonly agent: number; readonly user: number }
  const since = `((span = 'day' AND slot > :day) OR (span = 'month' AND slot > :month))`
  const sums = db.prepare<object, Sums>(
    `SELECT span, sum(CASE WHEN agent = :agent THEN used ELSE 0 END) AS agent, sum(used) AS user
     FROM budget WHERE user = :user AND unit = :unit AND ${since} GROUP BY span`,
  )
  const listed = db.prepare<object, Omit<SpentRow, 'open'>>(
    `SELECT unit, agent, min(${most}, sum(CASE WHEN span = 'day' THEN used ELSE 0 END)) AS day,
       min(${most}, sum(CASE WHEN span = 'month' THEN used ELSE 0 END)) AS month
     FROM budget WHERE user = :user AND ${since} GROUP BY unit, agent ORDER BY unit, agent`,
  )
  const add = db.prepare<[string, string, Span, number, string, number]>(
    `INSERT INTO budget (user, unit, span, slot, agent, used) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (user, unit, span, slot, agent) DO UPDATE SET used = used + excluded.used`,
  )
  const take = db.prepare<[number, string, string, Span, number, string]>(
    `UPDATE budget SET used = used - ?
     WHERE user = ? AND unit = ? AND span = ? AND slot = ? AND agent = ?`,
  )
  const forgetSums = db.prepare<[string, Span, number]>(
    'DELETE FROM budget WHERE user = ? AND span = ? AND slot <= ?',
  )
  const charges = chargeTable(db)

  const slotOf = (span: Span, at: number) => Math.floor(at / spans[span].slotMs)
  const before = (span: Span, now: number) => slotOf(span, now) - spans[span].slots
  const bounds = (now: number) => ({ day: before('day', now), month: before('month', now) })
  return {
    /** Up to `now`, milliseconds since the epoch; without what `idem` itself was counted for. */
    spentOf: (
      { user, agent, idem }: Charge,
      { unit, now }: { readonly unit: string; readonly now: number },
    ): Spent => {
      const own = charges.of(idem).find((one) => one.unit === unit)
      const rows = sums.all({ user, agent, unit, ...bounds(now) })
      const sumOf = (span: Span) => {
        const { agent: ofAgent = 0, user: ofUser = 0 } = rows.find((one) => one.span === span) ?? {}
        const isIn = own !== undefined && slotOf(span, own.at) > before(span, now)
        const mine = isIn ? own.amount : 0
        return { ofAgent: ofAgent - mine, ofUser: ofUser - mine }
      }
      const [day, month] = [sumOf('day'), sumOf('month')]
      return {
        agentDay: day.ofAgent,
        agentMonth: month.ofAgent,
        userDay: day.ofUser,
        userMonth: month.ofUser,
      }
    },
    /** Once for each effect. */
    chargeEffect: (charge: Charge, amounts: readonly Amount[], now: number) => {
      const { idem, user, agent } = charge
      const one = { unit: effectUnit, amount: 1 }
      for (const { unit, amount } of [one, ...amounts]) {
        charges.insert({ idem, user, agent, unit, at: now, amount })
        for (const span of spanNames) add.run(user, unit, span, slotOf(span, now), agent, amount)
      }
      for (const span of spanNames) forgetSums.run(user, span, before(span, now))
      // Nothing that it was counted in is left a month later.
      charges.forget((before('month', now) - 1) * spans.month.slotMs)
    },
    /** As if it had never been counted; true where it had been. */
    refundEffect: (idem: string): boolean => {
      const counted = charges.of(idem)
      for (const { user, agent, unit, at, amount } of counted) {
        for (const span of spanNames) take.run(amount, user, unit, span, slotOf(span, at), agent)
      }
      charges.drop(idem)
      return counted.length > 0
    },
    /** What an effect was counted for, in one unit. */
    chargedFor: (idem: string, unit: string): number | undefined =>
      charges.of(idem).find((one) => one.unit === unit)?.amount,
    /** As if it had been counted for so much from the beginning; false where that is not less. */
    lowerCharge: (idem: string, unit: string, to: number): boolean => {
      const own = charges.of(idem).find((one) => one.unit === unit)
      if (own === undefined || to >= own.amount) return false
      const { user, agent, at, amount } = own
      for (const span of spanNames) {
        take.run(amount - to, user, unit, span, slotOf(span, at), agent)
      }
      charges.lower(to, own)
      return true
    },
    /** By unit and agent. */
    spentBy: (user: string, now: number): readonly SpentRow[] => {
      const since = (before('day', now) + 1) * spans.day.slotMs
      const open = charges.openOf(user, since)
      const openOf = (unit: string, agent: string) =>
        open.find((one) => one.unit === unit && one.agent === agent)?.open ?? 0
      return listed
        .all({ user, ...bounds(now) })
        .map((row) => ({ ...row, open: openOf(row.unit, row.agent) }))
    },
  }
}
