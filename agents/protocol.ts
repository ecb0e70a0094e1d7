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

/** A server that would be asked later than this is one that is not asked again by itself. */
export const longestRetryAfterMs = 3_600_000

/** Units that a person is told; any other is the handler's own affair. */
const progressUnitSchema = z.enum(['characters'])
export type ProgressUnit = z.infer<typeof progressUnitSchema>

/** How far a handler says that it is. Numbers and a closed word only: it is shown, never read. */
export const progressSchema = z.strictObject({
  done: z.number().int().min(0),
  total: z.number().int().min(1).nullable(),
  unit: progressUnitSchema.exactOptional(),
})
export type ExecutionProgress = Readonly<z.infer<typeof progressSchema>>

/** Codes an action may fail with. Closed, because errors reach planners as codes only. */
export const failureCodes = [
  'NOT_FOUND',
  /** Several fit where one was meant. */
  'AMBIGUOUS',
  'CONFLICT',
  /** Others would be told of it, and this action asks nobody first; nothing was sent. */
  'TELLS_OTHERS',
  'INVALID_INPUT',
  'UNAVAILABLE',
  'LIMIT_EXCEEDED',
  'STORAGE_FULL',
  'CORRUPT_DATA',
  'INTERNAL',
  'INVALID_RESULT',
  'CANCELLED',
  /** Nothing was taken on; a reply may say when asking again is worth while. */
  'OVERLOADED',
  /** Of a language model, or of who guards it: it will not answer this. */
  'DECLINED',
  'ANSWER_CUT_OFF',
  'ANSWER_EMPTY',
  'ANSWER_MALFORMED',
  'ANSWER_UNFIT',
  /** Of no handler: the agent's ledger holds nothing of the effect. */
  'NOT_BEGUN',
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
    /**
     * Of `absent`: when another attempt is worth while. A hint of the agent's, in no receipt and not kept:
     * it can only delay the agent's own step.
     */
    retryAfterMs: z.number().int().min(0).max(longestRetryAfterMs).exactOptional(),
    receipt: jwsSchema,
    envelope: jwsSchema,
  }),
  z.strictObject({ status: z.literal('UNKNOWN'), receipt: jwsSchema, envelope: jwsSchema }),
  z.strictObject({ status: z.literal('IN_PROGRESS'), progress: progressSchema.optional() }),
  /** To `attach` or `cancel`: it has not begun. The receipt says FAILED, NOT_BEGUN, absent. */
  z.strictObject({ status: z.literal('ABSENT'), receipt: jwsSchema, envelope: jwsSchema }),
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
      /** Of the process. */
      uptimeMs: z.number().int(),
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

const amount = z.number().min(0).max(Number.MAX_SAFE_INTEGER)
const whole = amount.int()
/**
 * Payload of HEARTBEAT on `evt`: what an agent says of itself since its start. Shown to people and
 * decided from by nobody; whose it is says the subject that the server mapped.
 */
export const heartbeatSchema = z.strictObject({
  kind: z.literal('heartbeat'),
  bootEpoch: z.string().min(8).max(64),
  /** Commands carried out, and those of them that did not end well. */
  executed: whole,
  failed: whole,
  meanMs: amount,
  memoryBytes: whole,
  cpuMs: amount,
  uptimeMs: whole,
})
export type Heartbeat = Readonly<z.infer<typeof heartbeatSchema>>

/** `supervisor.heartbeat`, by the notary: a replica's heartbeat, passed on. */
export const heartbeatOfReplicaSchema = z.strictObject({
  /** `<name>.<n>` */
  replica: z.string().regex(/^[a-z][a-z0-9-]{0,39}\.\d{1,4}$/),
  heartbeat: heartbeatSchema,
})

/** `supervisor.pool`, by the worker: its breaker of an agent has changed. Shown, and decides nothing. */
export const poolStateSchema = z.strictObject({
  agent: z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  breaker: z.enum(['closed', 'open', 'half-open']),
})
export type BreakerPhase = z.infer<typeof poolStateSchema>['breaker']
/** `supervisor.retriever`, by the worker: what its caches have counted since it started. Shown alone. */
export const retrieverCountsSchema = z.strictObject({
  hits: z.number().int().min(0),
  misses: z.number().int().min(0),
})
export type RetrieverCounts = Readonly<z.infer<typeof retrieverCountsSchema>>

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
