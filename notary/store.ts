// The notary's durable memory: state tables and audit rows in one file, one writer, one transaction
// for both and for the signed head over them. Invariant: what `commit` resolves with is on disk, and
// so is the audit key's signature over every row of it. When the disk is full it stops new
// effects, gives back the reserve, and with that space still records refusals and facts.

import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import type { Checkpoint, SealHead } from '../security/audit/checkpoint.ts'
import type { AuditRow } from '../security/audit/format.ts'
import { type KeyPeriod, keyChangeOf, toKeyChange } from '../security/audit/key-chain.ts'
import type { PublicJwk } from '../security/verify/keys.ts'
import { createAuditKeys } from './audit-keys.ts'
import { type Chain, createChain, type NewEntry, rootOf } from './chain.ts'
import { type NotaryDatabase, openDatabase, StoreError } from './database.ts'
import { createGroupCommit, isStorageFailure } from './group-commit.ts'
import { createHeadSigner } from './head-signer.ts'
import { createReserve } from './reserve.ts'
import { createState, type State } from './state.ts'

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number
}

/** What a job may do inside its transaction. */
export interface Writer {
  readonly now: number
  readonly state: State
  /** @throws StoreError CLOCK_BACKWARDS, CLOCK_MOVED */
  append(entry: NewEntry): AuditRow
}

/** `effect` may lead to something happening; `fact` only records what is so already. */
export type Purpose = 'effect' | 'fact'

export interface RowFilter {
  readonly from: number
  readonly limit: number
  readonly correlation?: string | undefined
  readonly kind?: string | undefined
}

export interface AuditStore {
  /** For reading outside of jobs. */
  readonly state: State
  /** Stored rows do not agree with each other or with a checkpoint; verification names them. */
  readonly damaged: boolean
  /**
   * Runs a synchronous job in a transaction and resolves once it is on disk.
   * @throws StoreError, and whatever the job throws
   */
  commit<T>(purpose: Purpose, job: (writer: Writer) => T): Promise<T>
  /** Rows that are committed. */
  size(): number
  /** The signed head over all rows that are committed. */
  head(): Checkpoint
  /** Keys that sign the log, in order; empty while there was only ever one. */
  auditKeys(): readonly KeyPeriod[]
  /**
   * Appends the row that names a new key and keeps a head over it, signed by the old key; from then on
   * the new one signs. Resolves once all of it is on disk.
   * @throws StoreError
   */
  replaceAuditKey(replacement: AuditKeyReplacement): Promise<void>
  /** Keeps a head beyond the next transaction. */
  keepCheckpoint(checkpoint: Checkpoint): Promise<void>
  /** Size of the largest checkpoint that was kept; 0 without one. */
  keptSize(): number
  rows(filter: RowFilter): Iterable<AuditRow>
  /** Those kept. */
  checkpoints(from: number, limit: number): Iterable<Checkpoint>
  close(): Promise<void>
}

export interface AuditKeyReplacement {
  /** Public half of the key that has signed so far. */
  readonly before: PublicJwk
  readonly key: PublicJwk
  readonly seal: SealHead
}

export interface StoreOptions {
  /** 0700 folder of the notary's own. */
  readonly folder: string
  readonly clock: Clock
  /** Whether the clock can be believed now; absent: always. */
  readonly isSteady?: () => boolean
  /** Signs with the audit key, inside the transaction. */
  readonly seal: SealHead
  readonly reserveBytes: number
  /** Upper bound of the file in pages of 4 KiB; tests stand in for a full disk with it. */
  readonly maxPages?: number
}

/** How often a full disk is tried again, and how often one refusal is recorded meanwhile. */
const retryMs = 1_000

/** @throws StoreError AUDIT_UNAVAILABLE */
export function openStore(options: StoreOptions): AuditStore {
  const file = join(options.folder, 'audit.db')
  const db = openDatabase(file, { now: options.clock.now })
  try {
    chmodSync(file, 0o600)
    return createStore(db, options)
  } catch (cause) {
    // A person who then puts a copy back must find the file free.
    db.close()
    throw cause
  }
}

function createStore(db: NotaryDatabase, options: StoreOptions): AuditStore {
  const { folder, clock, reserveBytes, maxPages, isSteady = () => true } = options
  if (maxPages !== undefined) db.pragma(`max_page_count = ${maxPages}`)
  const state = createState(db)
  const chain = createChain(db)
  const signer = createHeadSigner(options.seal)
  const keys = createAuditKeys(db)
  const tip = createTip(db, { chain, clock, seal: signer.seal })
  const keep = keeper(db)
  const reserve = createReserve(join(folder, 'reserve.bin'), reserveBytes)
  const space = watchSpace(reserve, clock)
  const group = createGroupCommit({
    db,
    remember: () => {
      const head = chain.head()
      const restore = signer.remember()
      return () => {
        chain.reset(head)
        restore()
      }
    },
    beforeCommit: tip.put,
    onFailure: (cause) => {
      if (!isStorageFailure(cause)) return
      space.isOver()
    },
  })

  const run = <T>(job: (writer: Writer) => T): Promise<T> =>
    group.run(() => {
      const now = clock.now()
      return job({ now, state, append: (entry) => chain.append(entry, now) })
    })

  async function refuse(): Promise<never> {
    const refused = space.refusalsToRecord()
    if (refused > 0) await run((writer) => writer.append(diskFull(refused)))
    throw new StoreError('AUDIT_UNAVAILABLE', 'the disk is full: nothing new is authorised')
  }

  return {
    state,
    damaged: chain.damaged,
    commit: async (purpose, job) => {
      if (!isSteady()) throw new StoreError('CLOCK_MOVED', 'the clock has just been moved')
      if (purpose === 'effect' && !space.isThere()) return refuse()
      return run(job)
    },
    // Batches are synchronous, so outside of them the chain's end is what is committed.
    size: () => chain.head().tree.size,
    head: tip.head,
    auditKeys: keys.all,
    replaceAuditKey: async (replacement) => {
      await run(({ append }) => {
        const row = appendKeyChange(append, replacement.key)
        keep.run(signer.seal({ ...rootOf(chain.head()), at: row.at }))
        keys.replace(replacement, row.seq)
        signer.follow(replacement.seal, row.seq)
      })
      signer.forget()
    },
    close: async () => {
      await group.idle()
      db.close()
    },
    ...readers(db),
    keepCheckpoint: (checkpoint) =>
      group.run(() => {
        keep.run(checkpoint)
      }),
  }
}

/** Whether there is room to record, without asking a full disk at each call. */
function watchSpace(reserve: ReturnType<typeof createReserve>, clock: Clock) {
  const full = { is: !reserve.hold(), triedAt: clock.now(), refused: 0, recordedAt: 0 }
  return {
    /** True when effects may go on: the reserve is whole, or could be made whole again. */
    isThere(): boolean {
      if (!full.is) return true
      const now = clock.now()
      if (now - full.triedAt < retryMs && now >= full.triedAt) return false
      full.triedAt = now
      full.is = !reserve.hold()
      return !full.is
    },
    isOver(): void {
      reserve.release()
      full.is = true
      full.triedAt = clock.now()
    },
    /** How many refusals the next row tells of; 0 while the last row is too new. */
    refusalsToRecord(): number {
      full.refused += 1
      const now = clock.now()
      if (now - full.recordedAt < retryMs && now >= full.recordedAt) return 0
      full.recordedAt = now
      const { refused } = full
      full.refused = 0
      return refused
    },
  }
}

const keeper = (db: NotaryDatabase) =>
  db.prepare<Checkpoint>(
    'INSERT OR IGNORE INTO checkpoint (size, root, at, jws) VALUES (:size, :root, :at, :jws)',
  )

function appendKeyChange(append: Writer['append'], key: PublicJwk): AuditRow {
  const row = append(toKeyChange(key))
  // Redaction may take anything for a secret; such a key would be lost to every verifier.
  if (keyChangeOf(row)?.x !== key.x) throw new Error('the row does not name the key')
  return row
}

/** The signed head on disk, and how the transaction under way replaces it. */
function createTip(
  db: NotaryDatabase,
  { chain, clock, seal }: { chain: Chain; clock: Clock; seal: SealHead },
) {
  const get = db.prepare<[], Checkpoint>('SELECT size, root, at, jws FROM tip')
  const put = db.prepare<Checkpoint>(
    `INSERT INTO tip (only, size, root, at, jws) VALUES (1, :size, :root, :at, :jws)
     ON CONFLICT (only) DO UPDATE SET size = excluded.size, root = excluded.root,
       at = excluded.at, jws = excluded.jws`,
  )
  return {
    put: () => {
      const head = rootOf(chain.head())
      // Not every transaction appends a row. Asked of the file, because a rollback forgets.
      if (head.size !== (get.get()?.size ?? 0)) put.run(seal({ ...head, at: clock.now() }))
    },
    head: () => get.get() ?? seal({ ...rootOf(chain.head()), at: clock.now() }),
  }
}

function diskFull(refused: number): NewEntry {
  return {
    kind: 'security',
    actor: 'notary',
    subject: 'notary',
    correlation: '',
    body: { code: 'AUDIT_UNAVAILABLE', reason: 'DISK_FULL', refused },
  }
}

function readers(db: NotaryDatabase) {
  const kept = db.prepare<[], number>('SELECT coalesce(max(size), 0) FROM checkpoint').pluck()
  const checkpoints = db.prepare<[number, number], Checkpoint>(
    'SELECT * FROM checkpoint WHERE size >= ? ORDER BY size LIMIT ?',
  )
  const rows = db.prepare<[number, number], AuditRow>(
    'SELECT * FROM audit WHERE seq >= ? ORDER BY seq LIMIT ?',
  )
  const ofKind = db.prepare<{ from: number; limit: number; kind: string }, AuditRow>(
    'SELECT * FROM audit WHERE seq >= :from AND kind = :kind ORDER BY seq LIMIT :limit',
  )
  const ofRequest = db.prepare<
    { from: number; limit: number; correlation: string; kind: string | null },
    AuditRow
  >(
    `SELECT * FROM audit INDEXED BY audit_correlation WHERE correlation = :correlation
     AND seq >= :from AND (:kind IS NULL OR kind = :kind) ORDER BY seq LIMIT :limit`,
  )
  return {
    keptSize: () => kept.get() ?? 0,
    checkpoints: (from: number, limit: number) => checkpoints.iterate(from, limit),
    rows: ({ from, limit, correlation, kind }: RowFilter): Iterable<AuditRow> => {
      if (correlation !== undefined)
        return ofRequest.iterate({ from, limit, correlation, kind: kind ?? null })
      if (kind !== undefined) return ofKind.iterate({ from, limit, kind })
      return rows.iterate(from, limit)
    },
  }
}
