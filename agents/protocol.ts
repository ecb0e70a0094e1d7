// What crosses between the orchestrating side and one agent: command, reply, receipt, envelope, and
// the supervisor's `ensure`. Shapes only; both sides parse with these schemas. The agent's identity
// is never in a payload: it is the subject the command arrived on and the key that signed.

import { z } from 'zod'
import { capabilityCodes } from '../security/capability-codes.ts'

/** Base64url of 32 bytes. */
export const hashSchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const jwsSchema = z
  .string()
  .max(16 * 1024)
  .regex(/^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/)

/** Payload of TASK_REQUEST on `agent.<name>.<n>.exec`. */
export const execRequestSchema = z.discriminatedUnion('op', [
  z.strictObject({
    op: z.literal('run'),
    token: z.string().max(16 * 1024),
    args: z.record(z.string(), z.unknown()),
    /** Base64url, 16 bytes: drawn once per `idem` by the notary, repeated inside the token. */
    salt: z.string().max(64),
  }),
  /** Of an effect that is out: neither starts anything, so neither brings arguments. */
  z.strictObject({
    op: z.enum(['attach', 'cancel']),
    token: z.string().max(16 * 1024),
    salt: z.string().max(64),
  }),
  z.strictObject({ op: z.literal('health') }),
  z.strictObject({ op: z.literal('describe') }),
])
export type ExecRequest = z.infer<typeof execRequestSchema>

/** absent: the effect certainly did not happen; final: do not try again; ask: a person decides. */
export const retrySchema = z.enum(['absent', 'final', 'ask'])
export type RetryAdvice = z.infer<typeof retrySchema>

/** How far a handler says that it is, in units of its own. Numbers only: it is shown, never read. */
export const progressSchema = z.strictObject({
  done: z.number().int().min(0),
  total: z.number().int().min(1).nullable(),
})
export type ExecutionProgress = Readonly<z.infer<typeof progressSchema>>

/** Codes an action may fail with. Closed, because errors reach planners as codes only. */
export const failureCodes = [
  'NOT_FOUND',
  'CONFLICT',
  'INVALID_INPUT',
  'UNAVAILABLE',
  'LIMIT_EXCEEDED',
  'STORAGE_FULL',
  'CORRUPT_DATA',
  'INTERNAL',
  'INVALID_RESULT',
  'CANCELLED',
] as const
export type FailureCode = (typeof failureCodes)[number]

/**
 * `result` is the exact RFC 8785 text that `receipt` hashes. `receipt` and `envelope` are compact
 * JWS (EdDSA, the replica's receipt key) of the two shapes below.
 */
export const replySchema = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('DONE'),
    result: z.string(),
    receipt: jwsSchema,
    envelope: jwsSchema,
  }),
  z.strictObject({
    status: z.literal('FAILED'),
    code: z.enum(failureCodes),
    retry: retrySchema,
    receipt: jwsSchema,
    envelope: jwsSchema,
  }),
  z.strictObject({ status: z.literal('UNKNOWN'), receipt: jwsSchema, envelope: jwsSchema }),
  z.strictObject({ status: z.literal('IN_PROGRESS'), progress: progressSchema.optional() }),
  /** To `attach` or `cancel`: it never began. */
  z.strictObject({ status: z.literal('ABSENT') }),
  z.strictObject({ status: z.literal('REFUSED'), code: z.enum(capabilityCodes) }),
  z.strictObject({
    status: z.literal('HEALTHY'),
    agent: z.string(),
    bootEpoch: z.string(),
    sandbox: z.record(z.string(), z.unknown()),
    metrics: z.strictObject({
      executed: z.number().int(),
      failed: z.number().int(),
      meanMs: z.number(),
      memoryBytes: z.number().int(),
      cpuMs: z.number(),
    }),
  }),
  z.strictObject({
    status: z.literal('DESCRIPTION'),
    agent: z.string(),
    summary: z.string(),
    actions: z.array(z.strictObject({ name: z.string(), effect: z.string(), summary: z.string() })),
  }),
])
export type Reply = z.infer<typeof replySchema>

export const receiptType = 'bulkhead-receipt+jws'
export const envelopeType = 'bulkhead-envelope+jws'

/**
 * Signed once per outcome and kept in the ledger. `resultHash` is the salted hash (see
 * security/verify/hash.ts) of the exact result bytes; for FAILED of `{"code":...,"retry":...}`; for
 * UNKNOWN of the empty string.
 */
export const receiptSchema = z.strictObject({
  idem: hashSchema,
  argsHash: hashSchema,
  resultHash: hashSchema,
  status: z.enum(['DONE', 'FAILED', 'UNKNOWN']),
  code: z.enum(failureCodes).optional(),
  retry: retrySchema.optional(),
  /** `<name>.<n>` */
  agent: z.string(),
  bootEpoch: z.string(),
  salt: z.string(),
})
export type Receipt = z.infer<typeof receiptSchema>

/** Signed anew for every reply: binds a kept receipt to the token that asked this time. */
export const envelopeSchema = z.strictObject({
  jti: z.string(),
  idem: hashSchema,
  /** Base64url SHA-256 of the compact receipt. */
  receiptHash: hashSchema,
  bootEpoch: z.string(),
  at: z.number().int(),
})
export type Envelope = z.infer<typeof envelopeSchema>

/** `supervisor.ensure`: start a replica's sandbox if it is not running, and wait until it serves. */
export const ensureRequestSchema = z.strictObject({
  agent: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  n: z.number().int().min(0).max(999),
})
export type EnsureRequest = z.infer<typeof ensureRequestSchema>
export const ensureReplySchema = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('RUNNING'), bootEpoch: z.string() }),
  z.strictObject({ status: z.literal('FAILED'), code: z.string(), message: z.string() }),
])
export type EnsureReply = z.infer<typeof ensureReplySchema>
