// Group commit: jobs queued in one tick share one transaction and so one fsync; each runs in a
// savepoint of its own. Invariant: a job's promise resolves only after COMMIT has returned, and a
// failed COMMIT fails every job of its batch. Jobs are synchronous, so no two interleave.

import { type NotaryDatabase, StoreError } from './database.ts'

export interface GroupCommit {
  /**
   * Runs `job` inside the next transaction.
   * @throws whatever the job throws (only it is undone), or StoreError AUDIT_UNAVAILABLE
   */
  run<T>(job: () => T): Promise<T>
  /** Resolves when nothing is queued any more. */
  idle(): Promise<void>
}

export interface GroupCommitPorts {
  readonly db: NotaryDatabase
  /** Remembers what memory mirrors of the database; the function returned puts it back. */
  readonly remember: () => () => void
  /** The last thing inside each transaction; when it throws, the transaction fails. */
  readonly beforeCommit: () => void
  /** Told of each failed transaction, after it was rolled back and before its jobs hear of it. */
  readonly onFailure: (cause: unknown) => void
}

/** More jobs than this wait for the next transaction, so that one batch stays in the WAL's reach. */
const maxBatch = 256

interface Queued {
  readonly run: () => void
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export function createGroupCommit(ports: GroupCommitPorts): GroupCommit {
  const { db, remember, beforeCommit, onFailure } = ports
  let queue: Queued[] = []
  let scheduled = false
  let waiters: (() => void)[] = []
  const statements = {
    begin: db.prepare('BEGIN IMMEDIATE'),
    commit: db.prepare('COMMIT'),
    rollback: db.prepare('ROLLBACK'),
    save: db.prepare('SAVEPOINT job'),
    release: db.prepare('RELEASE job'),
    undo: db.prepare('ROLLBACK TO job'),
  }

  function runJob(job: Queued): () => void {
    const restore = remember()
    statements.save.run()
    try {
      job.run()
      statements.release.run()
      return job.resolve
    } catch (error) {
      // SQLite ends the whole transaction itself on a full disk or an I/O error.
      if (!db.inTransaction || isStorageFailure(error)) throw error
      statements.undo.run()
      statements.release.run()
      restore()
      return () => job.reject(error)
    }
  }

  function runBatch(batch: readonly Queued[]): void {
    const restore = remember()
    const settle: (() => void)[] = []
    try {
      statements.begin.run()
      for (const job of batch) settle.push(runJob(job))
      beforeCommit()
      statements.commit.run()
    } catch (cause) {
      if (db.inTransaction) statements.rollback.run()
      restore()
      onFailure(cause)
      const error = new StoreError('AUDIT_UNAVAILABLE', 'the audit could not be written', { cause })
      for (const job of batch) job.reject(error)
      return
    }
    for (const answer of settle) answer()
  }

  function flush(): void {
    const batch = queue.slice(0, maxBatch)
    queue = queue.slice(maxBatch)
    if (batch.length > 0) runBatch(batch)
    scheduled = queue.length > 0
    if (scheduled) {
      setImmediate(flush)
      return
    }
    for (const wake of waiters) wake()
    waiters = []
  }

  return {
    run: (job) =>
      new Promise((resolve, reject) => {
        let answer: { readonly value: ReturnType<typeof job> } | undefined
        queue.push({
          run: () => {
            answer = { value: job() }
          },
          resolve: () => {
            if (answer !== undefined) resolve(answer.value)
          },
          reject,
        })
        if (!scheduled) {
          scheduled = true
          setImmediate(flush)
        }
      }),
    idle: () => (scheduled ? new Promise((resolve) => waiters.push(resolve)) : Promise.resolve()),
  }
}

/** True for errors after which SQLite may have given up the transaction. */
export function isStorageFailure(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  const code = String(error.code)
  return /^SQLITE_(FULL|IOERR|NOMEM|CORRUPT|NOTADB|READONLY|CANTOPEN|BUSY)/.test(code)
}
