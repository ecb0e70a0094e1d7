// Where the command reads the audit from: the notary while the platform runs, a read-only copy of
// `audit.db` while it does not. Both give the same rows; verification is always the command's own.

import type { AuditRow, Checkpoint, RequestSummary } from '../notary/contract.ts'
import { CommandError, exitCodes } from './exit-codes.ts'
import type { Session } from './session.ts'

export interface AuditSource {
  /** The state folder, where keys and memories of the audit lie. */
  readonly state: string
  /** Names this start of the platform; undefined while it is down. */
  readonly platform: string | undefined
  /** Whether every row may be read: by the owner. Others ask for `rows` in vain. */
  readonly whole: boolean
  /** Rows in order from `from` on, page by page. */
  rows(from: number): AsyncIterable<AuditRow>
  /** Those of at least this size. */
  checkpoints(from: number): Promise<readonly Checkpoint[]>
  /** What the anchor workflow remembers; nothing while it cannot be asked. */
  anchored(): Promise<readonly Checkpoint[]>
  /** A signed checkpoint over everything committed; undefined when there is nobody to sign one. */
  head(): Promise<Checkpoint | undefined>
  requests(limit: number): Promise<readonly RequestSummary[]>
  request(requestId: string): Promise<RequestSummary | undefined>
}

const page = 500

function unexpected(reply: { readonly status: string; readonly message?: string }): CommandError {
  return new CommandError(`the notary refused: ${reply.message ?? reply.status}`, {
    exitCode: exitCodes.failed,
    next: 'npx bulkhead status',
  })
}

/** Reads through a running notary. */
export function onlineAudit(session: Session): AuditSource {
  const { deployment, startedAt, pid } = session.deployment
  return {
    state: session.state,
    platform: `${deployment}/${startedAt}/${pid}`,
    whole: session.account === 'cli',
    async *rows(from) {
      for (let next = from; ; ) {
        const reply = await session.query({ what: 'rows', from: next, limit: page })
        if (reply.status !== 'ROWS') throw unexpected(reply)
        yield* reply.rows
        const last = reply.rows.at(-1)
        if (last === undefined || last.seq >= reply.size) return
        next = last.seq + 1
      }
    },
    async checkpoints(first) {
      const found: Checkpoint[] = []
      for (;;) {
        const from = Math.max(first, (found.at(-1)?.size ?? -1) + 1)
        const reply = await session.query({ what: 'checkpoints', from, limit: page })
        if (reply.status !== 'CHECKPOINTS') throw unexpected(reply)
        found.push(...reply.checkpoints)
        if (reply.checkpoints.length === 0) return found
      }
    },
    async anchored() {
      // A Temporal that is being restarted is no fault of the audit.
      const head = await session.runs.anchoredHead().catch(() => undefined)
      return head === undefined ? [] : [head]
    },
    async head() {
      const reply = await session.head()
      if (reply.status !== 'HEAD') throw unexpected(reply)
      return reply.checkpoint
    },
    async requests(limit) {
      const reply = await session.query({ what: 'requests', limit })
      if (reply.status !== 'REQUESTS') throw unexpected(reply)
      return reply.requests
    },
    async request(requestId) {
      const reply = await session.query({ what: 'request', requestId })
      if (reply.status === 'REFUSED' && reply.code === 'UNKNOWN_REQUEST') return undefined
      if (reply.status !== 'REQUESTS') throw unexpected(reply)
      return reply.requests[0]
    },
  }
}
