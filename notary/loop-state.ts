// What the notary remembers of loops: how many items each has, what its iterations have come to, and
// when delayed steps may begin. The counters are kept beside the outcomes they count, by those who
// write an outcome, so that no decision has to look at every iteration. Invariant: they count the
// present reruns of the iterations of the present expansion, and nothing else.

import type { NotaryDatabase } from './database.ts'
import type { EffectAddress, EffectOutcome, EffectRecord } from './state.ts'

/** In the place of an iteration: the loop as a whole. */
export const wholeLoop = -1

/** Made by the migration to version 5. */
export const loopTables = `
  CREATE TABLE loop (
    request TEXT NOT NULL REFERENCES request (id), step TEXT NOT NULL, rerun INTEGER NOT NULL,
    count INTEGER NOT NULL, settled INTEGER NOT NULL, skipped INTEGER NOT NULL,
    failed INTEGER NOT NULL, unknown INTEGER NOT NULL,
    outcome TEXT, code TEXT, sources TEXT NOT NULL, hash TEXT,
    PRIMARY KEY (request, step, rerun)
  ) STRICT;
  CREATE TABLE start_time (
    request TEXT NOT NULL REFERENCES request (id), step TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (request, step)
  ) STRICT;
`

type Counted = 'settled' | 'skipped' | 'failed' | 'unknown'

/** One expansion of a loop. */
export interface LoopRecord extends Readonly<Record<Counted, number>> {
  readonly request: string
  readonly step: string
  /** Which expansion: a producer that runs again may give another list. */
  readonly rerun: number
  readonly count: number
  /** Of a loop that ended before it had an iteration; null for all others. */
  readonly outcome: 'skipped' | 'failed' | 'denied' | null
  readonly code: string | null
  /** JSON of `{ step: result hash }` that the list was resolved from. */
  readonly sources: string
  /** Names the list of its results; null until somebody asked, and after one of them ran again. */
  readonly hash: string | null
}

export interface IterationRecord {
  readonly iteration: number
  readonly rerun: number
  readonly outcome: EffectOutcome | null
  readonly salt: string | null
  readonly result_hash: string | null
}

interface Effects {
  readonly effect: (address: EffectAddress) => EffectRecord | undefined
  readonly rerunOf: (request: string, step: string, iteration: number) => number
}

export function createLoopState(db: NotaryDatabase, effects: Effects) {
  return { ...loopTable(db, effects), ...rerunViews(db), ...startTimeTable(db) }
}

function rerunViews(db: NotaryDatabase) {
  const reruns = db
    .prepare<[string, string], number>(
      'SELECT iteration FROM rerun WHERE request = ? AND step = ? AND iteration >= 0 ORDER BY 1',
    )
    .pluck()
  const lastRerun = db
    .prepare<[string, string], number | null>(
      'SELECT max(rerun) FROM rerun WHERE request = ? AND step = ?',
    )
    .pluck()
  return {
    /** Iterations that were decided to run again, each for itself. */
    rerunIterations: (request: string, step: string) => reruns.all(request, step),
    /** The highest rerun of any of its iterations, and of the loop as a whole. */
    lastRerunOf: (request: string, step: string) => lastRerun.get(request, step) ?? 0,
  }
}

function startTimeTable(db: NotaryDatabase) {
  const startTime = db
    .prepare<[string, string], number>('SELECT at FROM start_time WHERE request = ? AND step = ?')
    .pluck()
  const putStart = db.prepare<[string, string, number]>(
    'INSERT INTO start_time (request, step, at) VALUES (?, ?, ?)',
  )
  return {
    /** When the step may begin, milliseconds since the epoch. */
    startTimeOf: (request: string, step: string) => startTime.get(request, step),
    insertStartTime: (request: string, step: string, at: number) => {
      putStart.run(request, step, at)
    },
  }
}

function statements(db: NotaryDatabase) {
  const columns =
    'request, step, rerun, count, settled, skipped, failed, unknown, outcome, code, sources, hash'
  const newest = db.prepare<[string, string, number], LoopRecord>(
    `SELECT ${columns} FROM loop WHERE request = ? AND step = ? AND rerun <= ?
     ORDER BY rerun DESC LIMIT 1`,
  )
  const expansions = db.prepare<[string, string], LoopRecord>(
    `SELECT ${columns} FROM loop WHERE request = ? AND step = ? ORDER BY rerun DESC`,
  )
  const insert = db.prepare<LoopRecord>(
    `INSERT INTO loop (${columns}) VALUES (:request, :step, :rerun, :count, :settled, :skipped,
       :failed, :unknown, :outcome, :code, :sources, :hash)`,
  )
  const add = db.prepare<Readonly<Record<Counted, number>> & Pick<LoopRecord, LoopKey>>(
    `UPDATE loop SET settled = settled + :settled, skipped = skipped + :skipped,
       failed = failed + :failed, unknown = unknown + :unknown, hash = NULL
     WHERE request = :request AND step = :step AND rerun = :rerun`,
  )
  const putHash = db.prepare<Pick<LoopRecord, LoopKey | 'hash'>>(
    'UPDATE loop SET hash = :hash WHERE request = :request AND step = :step AND rerun = :rerun',
  )
  const iterations = db.prepare<[string, string, number, number], IterationRecord>(
    `SELECT iteration, rerun, outcome, salt, result_hash FROM effect
     WHERE request = ? AND kind = 'do' AND step = ? AND iteration < ? AND rerun >= ?
     ORDER BY iteration, rerun`,
  )
  return { newest, expansions, insert, add, putHash, iterations }
}

function loopTable(db: NotaryDatabase, { effect, rerunOf }: Effects) {
  const { newest, expansions, insert, add, putHash, iterations } = statements(db)

  /** The expansion that an effect of this rerun belongs to. */
  const loopOf = (request: string, step: string, rerun: number): LoopRecord | undefined => {
    const loop = newest.get(request, step, rerun)
    const present = rerunOf(request, step, wholeLoop)
    // Decided to run again as a whole, and not expanded since.
    return rerun >= present && loop?.rerun !== present ? undefined : loop
  }

  const presentLoop = (request: string, step: string) =>
    loopOf(request, step, rerunOf(request, step, wholeLoop))

  function count(
    address: EffectAddress,
    { outcome, by }: { readonly outcome: EffectOutcome | null; readonly by: 1 | -1 },
  ): void {
    const { request, step, iteration, rerun } = address
    if (outcome === null || rerun !== rerunOf(request, step, iteration)) return
    const loop = presentLoop(request, step)
    if (loop === undefined || iteration >= loop.count) return
    const none = { settled: 0, skipped: 0, failed: 0, unknown: 0 }
    add.run({ request, step, rerun: loop.rerun, ...none, [counterOf(outcome)]: by })
  }

  return {
    loopOf,
    presentLoop,
    /** The newest first. */
    expansionsOf: (request: string, step: string) => expansions.all(request, step),
    insertLoop: (record: LoopRecord) => {
      insert.run(record)
    },
    putLoopHash: ({ request, step, rerun }: LoopRecord, hash: string) => {
      putHash.run({ request, step, rerun, hash })
    },
    /** All reruns of the expansion's iterations, in order: of the present one the last of each is. */
    iterationsOf: ({ request, step, count: items, rerun }: LoopRecord) =>
      iterations.all(request, step, items, rerun),
    /** An outcome that is about to be written over another one, or over none. */
    countOutcome: (after: EffectRecord) => {
      if (after.kind !== 'do' || after.outcome === null) return
      count(after, { outcome: effect(after)?.outcome ?? null, by: -1 })
      count(after, { outcome: after.outcome, by: 1 })
    },
    /** An iteration that is about to run again: what it came to counts no more. */
    discountIteration: (request: string, step: string, iteration: number) => {
      const rerun = rerunOf(request, step, iteration)
      const address = { request, kind: 'do', step, iteration, rerun } as const
      count(address, { outcome: effect(address)?.outcome ?? null, by: -1 })
    },
  }
}

type LoopKey = 'request' | 'step' | 'rerun'

function counterOf(outcome: EffectOutcome): Counted {
  return outcome === 'denied' ? 'failed' : outcome
}
