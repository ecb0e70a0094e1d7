// How many effects each user's requests have had lately, by agent: what rates are judged by. Counted in
// the transaction of the first authorisation, because what may happen counts and not what did; reads and
// undos are not counted. Rows of a few hours ago are gone: they are no record, the audit is.

import type { NotaryDatabase } from './database.ts'

/** Made by the migration to version 7. */
export const usageTable = `
  CREATE TABLE usage (
    user TEXT NOT NULL, slot INTEGER NOT NULL, agent TEXT NOT NULL, effects INTEGER NOT NULL,
    PRIMARY KEY (user, slot, agent)
  ) STRICT, WITHOUT ROWID;
`

/** Length of a slot: an hour has few of them, so that counting one reads few rows. */
const slotMs = 5 * 60_000
/** Thirteen slots are never less than an hour; at most five minutes more count. */
const slots = 13

export interface Usage {
  /** Of this agent, for this user. */
  readonly agent: number
  /** Of all agents, for this user. */
  readonly user: number
}

export function createUsageState(db: NotaryDatabase) {
  const sum = db.prepare<[string, string, number], { agent: number | null; user: number | null }>(
    `SELECT sum(CASE WHEN agent = ? THEN effects ELSE 0 END) AS agent, sum(effects) AS user
     FROM usage WHERE user = ? AND slot > ?`,
  )
  const add = db.prepare<[string, number, string]>(
    `INSERT INTO usage (user, slot, agent, effects) VALUES (?, ?, ?, 1)
     ON CONFLICT (user, slot, agent) DO UPDATE SET effects = effects + 1`,
  )
  const forget = db.prepare<[string, number]>('DELETE FROM usage WHERE user = ? AND slot <= ?')
  const slotOf = (now: number) => Math.floor(now / slotMs)
  return {
    /** In the last hour before `now`, milliseconds since the epoch. */
    usageOf: (user: string, agent: string, now: number): Usage => {
      const counted = sum.get(agent, user, slotOf(now) - slots)
      return { agent: counted?.agent ?? 0, user: counted?.user ?? 0 }
    },
    countEffect: (user: string, agent: string, now: number) => {
      add.run(user, slotOf(now), agent)
      forget.run(user, slotOf(now) - slots)
    },
  }
}
