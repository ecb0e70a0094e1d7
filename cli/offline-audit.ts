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
  outcome: z.string().nullable(),
  code: z.string().nullable(),
  attempts: z.number(),
})
const planSteps = z.object({
  steps: z.array(
    z.object({ id: z.string(), agent: z.string(), action: z.string(), effect: z.string() }),
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
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'tip'").get() !== undefined
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
    .prepare("SELECT step, outcome, code, attempts FROM effect WHERE request = ? AND kind = 'do'")
    .all(request.id)
    .map((effect) => effectRow.parse(effect))
  const byStep = new Map(effects.map((effect) => [effect.step, effect]))
  return {
    requestId: request.id,
    kind: request.kind,
    name: request.name,
    user: request.user,
    createdAt: request.created_at,
    cancelled: request.cancelled_at !== null,
    steps: steps.map(({ id, agent, action, effect }) => {
      const done = byStep.get(id)
      const code = done?.code ?? undefined
      return {
        id,
        agent,
        action,
        effect,
        outcome: done?.outcome ?? 'pending',
        ...(code === undefined ? {} : { code }),
        attempts: done?.attempts ?? 0,
      }
    }),
  }
}

/** @throws CommandError when there is no readable audit in the state folder */
export function offlineAudit(state: string): AuditSource & { close(): void } {
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
        return row === undefined ? undefined : toSummary(db, row)
      }),
    close: () => {
      db.close()
    },
  }
}
