// The audit while the platform is down: `audit.db` opened read-only. Nothing it says is believed
// here; verification recomputes it. The tables are the notary's (notary/database.ts).

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { z } from 'zod'
import {
  type AuditRow,
  auditRowSchema,
  checkpointSchema,
  type RequestSummary,
} from '../notary/contract.ts'
import { groupByStep, recordedOutcome } from '../plan/recorded-outcome.ts'
import type { CompiledPlan } from '../plan/schema.ts'
import type { AuditSource } from './audit-source.ts'
import { CommandError, exitCodes } from './exit-codes.ts'

const requestRow = z.object({
  id: z.string(),
  kind: z.string(),
  name: z.string(),
  user: z.string(),
  plan: z.string(),
  created_at: z.number(),
  cancelled_at: z.number().nullable(),
})
const effectRow = z.object({
  step: z.string(),
  iteration: z.number(),
  rerun: z.number(),
  outcome: z.string().nullable(),
  code: z.string().nullable(),
  attempts: z.number(),
})
const loopRow = z.object({
  step: z.string(),
  count: z.number(),
  rerun: z.number(),
  outcome: z.string().nullable(),
  code: z.string().nullable(),
})
const approvalRow = z.object({
  id: z.string(),
  step: z.string().nullable(),
  expires_at: z.number(),
})
const planSteps = z.object({
  steps: z.array(
    z.object({
      id: z.string(),
      agent: z.string(),
      action: z.string(),
      effect: z.string(),
      onError: z.enum(['abort', 'continue', 'hold']),
    }),
  ),
}) satisfies z.ZodType<{ steps: Pick<CompiledPlan['steps'][number], 'id'>[] }>

function open(state: string): Database.Database {
  const file = join(state, 'notary', 'audit.db')
  if (!existsSync(file)) {
    throw new CommandError(`there is no audit in ${state}: nothing has run on this state folder`, {
      exitCode: exitCodes.failed,
      next: 'npm start',
    })
  }
  try {
    return new Database(file, { readonly: true, fileMustExist: true })
  } catch (cause) {
    throw new CommandError(`${file} cannot be opened: it is damaged or not yours`, {
      exitCode: exitCodes.failed,
      next: 'npx bulkhead doctor',
      cause,
    })
  }
}

/**
 * Whether there is the signed head that is replaced with each transaction: a copy of version 1 that was
 * put back has none before its next start. Who drops the table leaves the rows it covered uncovered.
 */
function hasTip(db: Database.Database): boolean {
  return hasTable(db, 'tip')
}

function hasTable(db: Database.Database, name: string): boolean {
  return db.prepare('SELECT 1 FROM sqlite_schema WHERE name = ?').get(name) !== undefined
}

/** The present expansion of each loop; a file from before loops has none. */
function loopsOf(db: Database.Database, request: string) {
  if (!hasTable(db, 'loop')) return new Map<string, z.infer<typeof loopRow>>()
  const rows = db
    .prepare('SELECT step, count, rerun, outcome, code FROM loop WHERE request = ? ORDER BY rerun')
    .all(request)
    .map((row) => loopRow.parse(row))
  return new Map(rows.map((loop) => [loop.step, loop]))
}

/** What was asked last and nobody has answered; a file from before approvals has none. */
function approvalsOf(
  db: Database.Database,
  { request, now }: { readonly request: string; readonly now: number },
): NonNullable<RequestSummary['approvals']> {
  if (!hasTable(db, 'approval')) return []
  return db
    .prepare(
      `SELECT id, step, expires_at FROM approval WHERE request = ? AND state = 'open'
         AND voided_at IS NULL AND expires_at > ? ORDER BY created_at, id LIMIT 100`,
    )
    .all(request, now)
    .map((row) => {
      const { id, step, expires_at: expiresAt } = approvalRow.parse(row)
      return { id, ...(step === null ? {} : { step }), expiresAt }
    })
}

/** A damaged page is a finding about the audit, not a crash of the command. */
function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof CommandError) throw cause
    throw new CommandError('the audit does not verify: the database itself is damaged', {
      exitCode: exitCodes.failed,
      next: 'npx bulkhead doctor',
      cause,
    })
  }
}

function toSummary(db: Database.Database, row: unknown): RequestSummary {
  const request = requestRow.parse(row)
  const { steps } = planSteps.parse(JSON.parse(request.plan))
  const effects = db
    .prepare(
      `SELECT step, iteration, rerun, outcome, code, attempts FROM effect
       WHERE request = ? AND kind = 'do'`,
    )
    .all(request.id)
    .map((effect) => effectRow.parse(effect))
  const byStep = groupByStep(effects)
  const loops = loopsOf(db, request.id)
  return {
    requestId: request.id,
    kind: request.kind,
    name: request.name,
    user: request.user,
    createdAt: request.created_at,
    cancelled: request.cancelled_at !== null,
    steps: steps.map(({ id, agent, action, effect, onError }) => {
      const told = recordedOutcome(byStep.get(id) ?? [], { loop: loops.get(id), onError })
      return { id, agent, action, effect, ...told }
    }),
  }
}

/** @throws CommandError when there is no readable audit in the state folder */
export function offlineAudit(
  state: string,
  now: () => number = Date.now,
): AuditSource & { close(): void } {
  const db = open(state)
  const pageSize = 1_000
  const page = (from: number): AuditRow[] =>
    guarded(() =>
      db
        .prepare('SELECT * FROM audit WHERE seq >= ? ORDER BY seq LIMIT ?')
        .all(from, pageSize)
        .map((row) => auditRowSchema.parse(row)),
    )
  return {
    state,
    platform: undefined,
    whole: true,
    async *rows(from) {
      for (let next = from; ; ) {
        const rows = page(next)
        yield* rows
        const last = rows.at(-1)
        if (last === undefined) return
        next = last.seq + 1
      }
    },
    checkpoints: async (from) =>
      guarded(() =>
        db
          .prepare(
            `SELECT size, root, at, jws FROM checkpoint
             ${hasTip(db) ? 'UNION SELECT size, root, at, jws FROM tip' : ''} ORDER BY size`,
          )
          .all()
          .map((row) => checkpointSchema.parse(row))
          .filter(({ size }) => size >= from),
      ),
    anchored: async () => [],
    head: async () => undefined,
    requests: async (limit) =>
      guarded(() =>
        db
          .prepare('SELECT * FROM request ORDER BY created_at DESC, id LIMIT ?')
          .all(limit)
          .map((row) => toSummary(db, row)),
      ),
    request: async (requestId) =>
      guarded(() => {
        const row = db.prepare('SELECT * FROM request WHERE id = ?').get(requestId)
        if (row === undefined) return undefined
        const summary = toSummary(db, row)
        const approvals = summary.cancelled
          ? []
          : approvalsOf(db, { request: requestId, now: now() })
        return approvals.length === 0 ? summary : { ...summary, approvals: [...approvals] }
      }),
    close: () => {
      db.close()
    },
  }
}
