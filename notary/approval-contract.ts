// `notary.approve`: what a person is asked, what they decide, and what they have granted. Shapes only.
// A decision is a statement signed by an approver key over the digest of a card (plan/card.ts); who
// called is the subject that the server mapped, and opens nothing by itself.

import { z } from 'zod'
import { requestReply } from './contract.ts'

const id = z.string().regex(/^[a-z0-9]{4,40}$/)
const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
/** Milliseconds since the epoch. */
const time = z.int().min(0)
const jws = z.string().max(4_096)

export const approvalStates = ['open', 'approved', 'denied', 'expired', 'used'] as const

export const approveCall = z.discriminatedUnion('op', [
  /** Those that the caller's user may decide, oldest first; `all`: also those that are decided. */
  z.strictObject({ op: z.literal('list'), all: z.boolean(), limit: z.int().min(1).max(500) }),
  z.strictObject({ op: z.literal('show'), id }),
  /** Approves or denies, as the statement says. Idempotent for the same statement. */
  z.strictObject({ op: z.literal('decide'), id, statement: jws }),
  z.strictObject({ op: z.literal('grants') }),
  /** Needs no signature: it only ever takes away. */
  z.strictObject({ op: z.literal('revoke'), grant: id }),
  /** How many questions each week had, and which grants saved none. */
  z.strictObject({ op: z.literal('count'), weeks: z.int().min(1).max(52) }),
])
export type ApproveCall = z.infer<typeof approveCall>

export const approvalSummary = z.strictObject({
  id,
  /** SHA-256 of the canonical card, base64url. */
  digest,
  state: z.enum(approvalStates),
  user: z.string(),
  /** Absent: it is about a schedule. */
  requestId: z.string().optional(),
  schedule: z.string().optional(),
  step: z.string().optional(),
  /** One line: what would be done. */
  title: z.string(),
  createdAt: time,
  expiresAt: time,
  decidedAt: time.nullable(),
  /** Beyond the questions of an hour: decided together with the others under this id. */
  batch: id.nullable(),
})
export type ApprovalSummary = z.infer<typeof approvalSummary>

export const grantSummary = z.strictObject({
  id,
  user: z.string(),
  name: z.string(),
  step: z.string(),
  action: z.string(),
  per: z.enum(['day', 'week', 'month']),
  count: z.int(),
  /** In the present period. */
  used: z.int(),
  usedEver: z.int(),
  createdAt: time,
  expiresAt: time,
  lastUsedAt: time.nullable(),
})
export type GrantSummary = z.infer<typeof grantSummary>

export const approveReply = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('APPROVALS'), approvals: z.array(approvalSummary) }),
  z.strictObject({
    status: z.literal('SHOWN'),
    approval: approvalSummary,
    /** RFC 8785 text of the card: what is shown, digested and signed. */
    card: z.string(),
    /** Once decided: the statement and the public half of the key that signed it. */
    decision: z
      .strictObject({
        statement: jws,
        /** Public half of the Ed25519 key, its `x`. */
        key: z.string(),
        /** Digests of all the cards that the statement decided, where it was a batch. */
        batch: z.array(digest).optional(),
      })
      .nullable(),
  }),
  z.strictObject({ status: z.literal('DECIDED'), approval: approvalSummary }),
  z.strictObject({ status: z.literal('GRANTS'), grants: z.array(grantSummary) }),
  z.strictObject({ status: z.literal('REVOKED'), grant: grantSummary }),
  z.strictObject({
    status: z.literal('COUNT'),
    weeks: z.array(
      z.strictObject({ from: time, asked: z.int(), approved: z.int(), denied: z.int() }),
    ),
    /** Grants that saved no question in those weeks: to be dropped. */
    unused: z.array(grantSummary),
  }),
  requestReply.options[1],
])
export type ApproveReply = z.infer<typeof approveReply>
