// What this agent has executed: security.md, section 3, as a table of transitions. Invariant: a jti
// is taken at most once and an `idem` has one argument hash, both decided in the transaction that
// reserves; a result is told to nobody before it is committed. Promises at most one effect or an
// explicit UNKNOWN, never exactly one. Knows no tokens, no handlers and no bus.

import { statfsSync } from 'node:fs'
import type { LedgerCode } from '../security/capability-codes.ts'
import { LedgerError, openLedgerFile, pageBytes, toLedgerError } from './ledger-file.ts'
import { openSealed, type SealingKey, seal } from './ledger-seal.ts'
import { type FailureCode, failureCodes, type RetryAdvice, retrySchema } from './protocol.ts'

export interface LedgerOptions {
  readonly folder: string
  readonly id: string
  readonly key: SealingKey
  /** The volume's size; beyond it effects are refused before they run. */
  readonly maxBytes?: number
  readonly nativeBinding?: string
}

/** One attempt to use a token. Times are milliseconds since the epoch. */
export interface Claim {
  readonly jti: string
  /** When the token stops being accepted, skew included. */
  readonly refusedFrom: number
  readonly idem: string
  readonly argsHash: string
  readonly action: string
  /** Read effects, and those that are idempotent by `idem`: they may run again after a crash. */
  readonly repeatable: boolean
  /** This process is executing that `idem` now. */
  readonly alive: boolean
  readonly now: number
}

export type Reservation =
  /** The caller runs it, and nobody else will. */
  | { readonly status: 'RESERVED' }
  | { readonly status: 'REFUSED'; readonly code: Extract<LedgerCode, 'REPLAY' | 'IDEM_CONFLICT'> }
  | { readonly status: 'IN_PROGRESS' }
  | { readonly status: 'UNKNOWN' }
  | { readonly status: 'DONE'; readonly result: string; readonly receipt: string }
  | FailedOutcome

export interface FailedOutcome {
  readonly status: 'FAILED'
  readonly code: FailureCode
  readonly retry: RetryAdvice
  /** Told to whoever waits, and not kept. */
  readonly retryAfterMs?: number
  readonly receipt: string
}

export type RecordedOutcome =
  | { readonly status: 'DONE'; readonly result: string; readonly receipt: string }
  | FailedOutcome
  | { readonly status: 'UNKNOWN' }

/** One attempt to follow an effect that may be out. */
export type FollowClaim = Omit<Claim, 'repeatable'>

/** Each call is one durable transaction and throws LedgerError when it cannot be one. */
export interface Ledger {
  reserve(claim: Claim): Reservation
  /** Takes the token and says what is known. Never begins anything: see agents/follow.ts. */
  follow(claim: FollowClaim): Exclude<Reservation, { status: 'RESERVED' }> | { status: 'ABSENT' }
  /** RESERVED -> EXECUTING, immediately before the handler. */
  markExecuting(idem: string, now: number): void
  record(idem: string, outcome: RecordedOutcome, now: number): void
  /** Forgets tokens that no agent would accept any more, and effects beyond their retention. */
  prune(now: number): void
  close(): void
}

/** contracts.md, "Limits": ledger volume of an agent whose manifest says nothing else. */
const defaultMaxBytes = 64 * 1024 * 1024
/** Kept free when an effect is admitted, so that its outcome can be written: two full results. */
const headroomBytes = 1024 * 1024
/** Longer than any workflow's history plus the time in which one may be reset. */
const retentionMs = 400 * 24 * 3_600_000

interface EffectRow {
  readonly args_hash: string
  readonly state: 'RESERVED' | 'EXECUTING' | 'DONE' | 'FAILED' | 'UNKNOWN'
  readonly code: string | null
  readonly retry: string | null
  readonly result: Buffer | null
  readonly receipt: string | null
}

/**
 * Opens the ledger and settles what the last process left: RESERVED becomes absent (the handler had
 * not begun), EXECUTING becomes UNKNOWN.
 * @throws LedgerError when effects must be refused
 */
export function openLedger(options: LedgerOptions): Ledger {
  const maxBytes = options.maxBytes ?? defaultMaxBytes
  const file = openLedgerFile({ ...options, maxBytes })
  const { database } = file
  const statements = {
    takeToken: database.prepare<[string, number]>('INSERT OR IGNORE INTO tokens VALUES (?, ?)'),
    find: database.prepare<[string], EffectRow>('SELECT * FROM effects WHERE idem = ?'),
    // REPLACE keeps nothing of a row that is known to have had no effect.
    put: database.prepare<[string, string, string, string, number]>(
      'REPLACE INTO effects (idem, args_hash, action, state, updated_at) VALUES (?, ?, ?, ?, ?)',
    ),
    execute: database.prepare<[number, string]>(
      `UPDATE effects SET state = 'EXECUTING', updated_at = ?
       WHERE idem = ? AND state IN ('RESERVED', 'EXECUTING')`,
    ),
    record: database.prepare(
      `UPDATE effects SET state = @state, code = @code, retry = @retry, result = @result,
         receipt = @receipt, updated_at = @now
       WHERE idem = @idem AND state IN ('EXECUTING', 'UNKNOWN')`,
    ),
    pruneTokens: database.prepare<[number]>('DELETE FROM tokens WHERE expires_at <= ?'),
    pruneEffects: database.prepare<[number]>(
      `DELETE FROM effects WHERE updated_at < ? AND state IN ('DONE', 'FAILED')`,
    ),
  }

  const durable = <Result>(work: () => Result): Result => {
    try {
      return database.transaction(work).immediate()
    } catch (cause) {
      throw toLedgerError(cause)
    }
  }

  const assertRoom = () => {
    const pages = Number(database.pragma('page_count', { simple: true }))
    const free = Number(database.pragma('freelist_count', { simple: true }))
    if ((pages - free) * pageBytes(database) + headroomBytes > maxBytes) {
      throw new LedgerError('FULL', 'the ledger has no room for another outcome')
    }
    // The file may grow, and the volume have no room for it: something else lies there.
    const { bavail, bsize } = statfsSync(options.folder)
    if (bavail * bsize < headroomBytes) {
      throw new LedgerError('FULL', 'the volume has no room for another outcome')
    }
  }

  const answerIn = (claim: Claim): ReturnType<typeof answerFor> => {
    const { changes } = statements.takeToken.run(claim.jti, claim.refusedFrom)
    if (changes === 0) return { status: 'REFUSED', code: 'REPLAY' }
    return answerFor(statements.find.get(claim.idem), claim, options.key)
  }

  const reserveIn = (claim: Claim): Reservation => {
    const answer = answerIn(claim)
    if (typeof answer !== 'string') return answer
    assertRoom()
    statements.put.run(claim.idem, claim.argsHash, claim.action, answer, claim.now)
    return { status: 'RESERVED' }
  }

  durable(() => {
    database.exec(`DELETE FROM effects WHERE state = 'RESERVED'`)
    database.exec(`UPDATE effects SET state = 'UNKNOWN' WHERE state = 'EXECUTING'`)
  })

  return {
    reserve: (claim) => durable(() => reserveIn(claim)),
    follow: (claim) =>
      durable(() => {
        const answer = answerIn({ ...claim, repeatable: false })
        if (typeof answer !== 'string') return answer
        // It may run again, and whoever follows will not run it: the failure is its outcome then.
        const row = statements.find.get(claim.idem)
        return row?.state === 'FAILED' ? storedFailure(row) : { status: 'ABSENT' }
      }),
    markExecuting: (idem, now) =>
      durable(() => assertOne(statements.execute.run(now, idem).changes)),
    record: (idem, outcome, now) =>
      durable(() => {
        const columns = toColumns(idem, outcome, options.key)
        assertOne(statements.record.run({ ...columns, idem, now }).changes)
      }),
    prune: (now) =>
      durable(() => {
        statements.pruneTokens.run(now)
        statements.pruneEffects.run(now - retentionMs)
      }),
    close: () => file.close(),
  }
}

/** What the row answers; or the state in which the effect may begin, where it may. */
function answerFor(
  row: EffectRow | undefined,
  claim: Claim,
  key: SealingKey,
): Exclude<Reservation, { status: 'RESERVED' }> | 'RESERVED' | 'EXECUTING' {
  if (row === undefined) return 'RESERVED'
  if (row.args_hash !== claim.argsHash) return { status: 'REFUSED', code: 'IDEM_CONFLICT' }
  // Also where the row says UNKNOWN: a handler that was given up may still be at work.
  if (claim.alive) return { status: 'IN_PROGRESS' }
  switch (row.state) {
    case 'DONE':
      return storedResult(row, claim.idem, key)
    case 'FAILED':
      return row.retry === 'absent' ? 'RESERVED' : storedFailure(row)
    case 'RESERVED':
      return 'RESERVED'
    case 'EXECUTING':
    case 'UNKNOWN':
      // Not RESERVED: a crash before the handler begins must leave it as unknown as it was.
      return claim.repeatable ? 'EXECUTING' : { status: 'UNKNOWN' }
  }
}

function storedResult(row: EffectRow, idem: string, key: SealingKey): RecordedOutcome {
  const result = row.result === null ? undefined : openSealed(key, idem, row.result)
  if (result === undefined || row.receipt === null) {
    throw new LedgerError('CORRUPT', 'a stored result cannot be read')
  }
  return { status: 'DONE', result, receipt: row.receipt }
}

function storedFailure(row: EffectRow): FailedOutcome {
  const code = failureCodes.find((known) => known === row.code)
  const retry = retrySchema.safeParse(row.retry)
  if (code === undefined || !retry.success || row.receipt === null) {
    throw new LedgerError('CORRUPT', 'a stored failure cannot be read')
  }
  return { status: 'FAILED', code, retry: retry.data, receipt: row.receipt }
}

function toColumns(idem: string, outcome: RecordedOutcome, key: SealingKey) {
  const none = { code: null, retry: null, result: null, receipt: null }
  switch (outcome.status) {
    case 'DONE': {
      const result = seal(key, idem, outcome.result)
      return { ...none, state: 'DONE', result, receipt: outcome.receipt }
    }
    case 'FAILED': {
      const { code, retry, receipt } = outcome
      return { ...none, state: 'FAILED', code, retry, receipt }
    }
    case 'UNKNOWN':
      return { ...none, state: 'UNKNOWN' }
  }
}

/** Anything but one row means that the runtime skipped a state: a bug, not an outcome. */
function assertOne(changes: number): void {
  if (changes !== 1) throw new Error(`ledger: ${changes} rows changed state instead of one`)
}
