// The calls that the notary serves and their answers (contracts.md, "Authorise, execute, settle").
// Shapes only, so that the worker, the CLI and the supervisor can import this file without reaching
// any code of the notary's. Who called is the subject that the server mapped, never a field.

import { z } from 'zod'
import { limits } from '../plan/limits.ts'
import { requestLimitsSchema } from '../plan/request-limits.ts'
import { resultFaults } from '../plan/result-rules.ts'
import { spentSchema } from './budget-contract.ts'
import { notaryCodes } from './codes.ts'
import {
  contextSchema,
  requestIdSchema as id,
  pinsReplies,
  producerSchema,
} from './handle-contract.ts'
import { auditRowSchema, checkpointSchema } from './log-contract.ts'
import { requestSummarySchema } from './summary-contract.ts'

export { type AdmitCall, admitCall } from './admission-contract.ts'
export { type Context, contextSchema } from './handle-contract.ts'
export { type AuditRow, auditRowSchema, type Checkpoint, checkpointSchema } from './log-contract.ts'
export type { RequestSummary } from './summary-contract.ts'

const step = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/)
const hash = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const code = z.enum(notaryCodes)
const jws = z.string().max(16 * 1024)
const publicJwk = z.strictObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  x: z.string(),
})
export type PublicJwk = z.infer<typeof publicJwk>

const issue = z.strictObject({
  code: z.string(),
  path: z.string(),
  message: z.string(),
  source: z.string().optional(),
  fix: z.string().optional(),
})
const refused = z.strictObject({
  status: z.literal('REFUSED'),
  code,
  message: z.string(),
  issues: z.array(issue).optional(),
})

/** A person is asked first (approval-contract.ts); the same call again, once they have decided. */
const needsApproval = z.strictObject({
  status: z.literal('APPROVAL'),
  id: z.string().max(40),
  /** Milliseconds since the epoch: from then on the answer is a refusal. */
  expiresAt: z.number().int(),
})

/** By an entry point: what a person asked. Idempotent by id; other content is REQUEST_CONFLICT. */
export const requestCall = z.strictObject({
  requestId: id,
  /** `text`: the person's words, for which somebody proposes a plan; they take no inputs. */
  kind: z.enum(['recipe', 'plan', 'text']),
  /** Name of the recipe or plan file, for people. */
  name: z.string().max(80),
  /** The YAML bytes as text, which the notary compiles itself; or the words. */
  source: z.string().max(1024 * 1024),
  inputs: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  priority: z.enum(['LOW', 'MEDIUM', 'HIGH', 'CRITICAL']),
  /** Absent: as much and as long as policy and budgets let. */
  limits: requestLimitsSchema.optional(),
  /** Of words: what they may go on with. Absent: they stand by themselves. */
  context: contextSchema.optional(),
})
export const requestReply = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('REGISTERED'), digest: hash, user: z.string() }),
  refused,
])

/** By an entry point: a person stops a run. Undos become possible, forward steps impossible. */
export const cancelCall = z.strictObject({ requestId: id })
export const cancelReply = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('CANCELLED') }),
  refused,
])

/**
 * By an entry point: a person decides on a step of a run that cannot go on by itself. `retry`: the
 * step, and each of its descendants that ran, is an effect of its own from now on. `happened` and
 * `did-not` answer what nobody knew. `give-up`: what was done is undone, nothing more is done.
 */
export const recoverCall = z.discriminatedUnion('decision', [
  z.strictObject({ decision: z.literal('retry'), requestId: id, step }),
  z.strictObject({
    decision: z.enum(['happened', 'did-not']),
    requestId: id,
    step,
    /** Of a loop: which one is meant. */
    iteration: z.number().int().min(0).optional(),
    /** An undo can be unknown as well. */
    kind: z.enum(['do', 'undo']),
  }),
  z.strictObject({ decision: z.literal('give-up'), requestId: id }),
])
export const recoverReply = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('DECIDED'),
    /** Of `retry`: what will run again, and as which rerun. */
    reruns: z.array(
      z.strictObject({
        step,
        rerun: z.number().int(),
        /** Of a loop; without it the whole loop, from its list on. */
        iteration: z.number().int().min(0).optional(),
      }),
    ),
  }),
  refused,
])

export const admitReply = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('ADMITTED'),
    digest: hash,
    user: z.string(),
    /** When delayed steps may begin, by step: milliseconds since the epoch. Absent: there are none. */
    at: z.record(step, z.number().int()).optional(),
  }),
  ...pinsReplies,
  needsApproval,
  refused,
])

/** A producer's whole result, named by the salted hash that its receipt carries. */
export const sourceSchema = z.strictObject({
  step: producerSchema,
  iteration: z.number().int().min(0),
  hash,
  /** The exact bytes as text; left out until the notary asks with NEED_SOURCES. */
  content: z.string().optional(),
})
export type Source = z.infer<typeof sourceSchema>

const stepAddress = {
  requestId: id,
  planDigest: hash,
  kind: z.enum(['do', 'undo', 'probe']),
  step,
  iteration: z.number().int().min(0),
  /** Which rerun is meant, never more than a person decided; left out: the step's present one. */
  rerun: z.number().int().min(0).optional(),
}

export const authorizeCall = z.strictObject({
  ...stepAddress,
  /** `attach` and `cancel` follow an effect that is out already: they can start nothing. */
  op: z.enum(['run', 'attach', 'cancel']),
  /** What the worker resolved; the notary resolves it again and compares. */
  args: z.record(z.string(), z.unknown()),
  sources: z.array(sourceSchema).max(1_000),
})
const needSources = z.strictObject({
  status: z.literal('NEED_SOURCES'),
  steps: z.array(z.strictObject({ step: producerSchema, iteration: z.number().int() })),
})
export const authorizeReply = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('AUTHORISED'),
    token: jws,
    /** Bus subject of the replica, as the worker's account imports it. */
    subject: z.string(),
    /** `<name>.<n>` */
    agent: z.string(),
    bootEpoch: z.string(),
    idem: hash,
    rerun: z.number().int(),
    argsHash: hash,
    salt: z.string(),
    jti: z.string(),
    receiptKey: publicJwk,
    /** Milliseconds since the epoch. */
    expiresAt: z.number().int(),
  }),
  z.strictObject({ status: z.literal('NOT_RUNNING'), agent: z.string(), n: z.number().int() }),
  z.strictObject({
    status: z.literal('SETTLED'),
    outcome: z.enum(['settled', 'failed', 'unknown', 'skipped', 'denied']),
    code: z.string().optional(),
    idem: hash,
    rerun: z.number().int(),
    resultHash: hash.optional(),
  }),
  needSources,
  needsApproval,
  z.strictObject({
    status: z.literal('DENIED'),
    code,
    rules: z.array(z.string()),
    missing: z.string().optional(),
    message: z.string(),
  }),
])

export const settleCall = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('receipt'),
    ...stepAddress,
    receipt: jws,
    envelope: jws,
    /** The result is not one that may be built on: the step has failed although it ran. */
    invalidResult: z.boolean(),
    /** What is wrong with it; plan/result-rules.ts. */
    fault: z.enum(resultFaults).optional(),
    /**
     * The exact text that its receipt hashes, because the notary reads in it: of a probe what it found, of
     * an action whose manifest says so what it spent. Left out of the latter, nothing is lowered.
     */
    result: z.string().max(limits.resultBytes).optional(),
    /** Of a failure before the effect: the token is used up, another attempt follows, nothing settles. */
    again: z.boolean().optional(),
  }),
  z.strictObject({ type: z.literal('skip'), ...stepAddress, sources: z.array(sourceSchema) }),
  /** How many iterations a loop has; its sources are those of its list. Iteration 0 is named. */
  z.strictObject({ type: z.literal('loop'), ...stepAddress, sources: z.array(sourceSchema) }),
  /** What the iterations of a loop that is over have come to. */
  z.strictObject({ type: z.literal('gather'), ...stepAddress }),
  /** Counts only when every token of the effect has expired and the attempts are used up. */
  z.strictObject({ type: z.literal('failure'), ...stepAddress, code: z.string().max(40) }),
])
export const settleReply = z.discriminatedUnion('status', [
  z.strictObject({
    status: z.literal('SETTLED'),
    /** `denied`: of a loop that may not be expanded, before it has an iteration. */
    outcome: z.enum(['settled', 'failed', 'unknown', 'skipped', 'denied']),
    code: z.string().optional(),
  }),
  /** Of `loop`: so many iterations, of which none may have begun; as which expansion of it. */
  z.strictObject({
    status: z.literal('LOOP'),
    count: z.number().int(),
    rerun: z.number().int(),
  }),
  /** Of `gather`: which result each has, in order. Without a hash one of them is not known. */
  z.strictObject({
    status: z.literal('GATHERED'),
    hash: hash.optional(),
    results: z
      .array(z.strictObject({ rerun: z.number().int(), hash: hash.nullable() }))
      .max(limits.loopItems),
  }),
  needSources,
  /** Of `loop`: the actual list is shown to a person first. */
  needsApproval,
  /** Whether it happened is not known, and its action has a probe, which is asked first. */
  z.strictObject({ status: z.literal('PROBE'), idem: hash }),
  /** To `again`: the token counts as used up. */
  z.strictObject({ status: z.literal('NOTED') }),
  refused,
])

/** By the supervisor: a sandbox started or stopped. What an agent says of itself is ignored. */
export const bootCall = z.strictObject({
  agent: step,
  n: z.number().int().min(0),
  bootEpoch: z.string().min(8).max(64),
  running: z.boolean(),
  /** Public nkey of the replica's bus user. */
  nkey: z.string().max(64),
  receiptKey: publicJwk,
})
export const bootReply = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('RECORDED') }),
  refused,
])

/** By supervisor, gateway and (as `evt`) agents: life-cycle and security events. */
export const eventCall = z.strictObject({
  kind: z.enum(['security', 'life-cycle', 'message']),
  subject: z.string().max(120),
  summary: z.record(z.string(), z.union([z.string().max(500), z.number(), z.boolean()])),
  /** The run and step of a token that was read: by the gateway alone, refused from any other. */
  correlation: z.strictObject({ requestId: id, step }).optional(),
})
export const eventReply = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('RECORDED') }),
  z.strictObject({ status: z.literal('COUNTED') }),
  refused,
])

/** By an entry point: reading. Rows come in pages; `snapshot` starts a verification. */
export const queryCall = z.discriminatedUnion('what', [
  z.strictObject({ what: z.literal('requests'), limit: z.number().int().min(1).max(500) }),
  z.strictObject({ what: z.literal('request'), requestId: id }),
  z.strictObject({
    what: z.literal('rows'),
    /** First sequence number wanted; rows come in order. */
    from: z.number().int().min(1),
    limit: z.number().int().min(1).max(500),
    requestId: id.optional(),
    kind: z.string().max(20).optional(),
  }),
  z.strictObject({
    what: z.literal('checkpoints'),
    from: z.number().int().min(0),
    limit: z.number().int().min(1).max(500),
  }),
  z.strictObject({ what: z.literal('budget') }),
])

export const queryReply = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('REQUESTS'), requests: z.array(requestSummarySchema) }),
  z.strictObject({
    status: z.literal('ROWS'),
    rows: z.array(auditRowSchema),
    size: z.number().int(),
  }),
  z.strictObject({ status: z.literal('CHECKPOINTS'), checkpoints: z.array(checkpointSchema) }),
  z.strictObject({ status: z.literal('BUDGET'), spent: z.array(spentSchema) }),
  refused,
])

/** By worker and entry points: a checkpoint signed over everything committed so far. */
export const headCall = z.strictObject({})
export const headReply = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('HEAD'), checkpoint: checkpointSchema }),
  refused,
])

export type RequestCall = z.infer<typeof requestCall>
export type RequestReply = z.infer<typeof requestReply>
export type CancelCall = z.infer<typeof cancelCall>
export type CancelReply = z.infer<typeof cancelReply>
export type RecoverCall = z.infer<typeof recoverCall>
export type RecoverReply = z.infer<typeof recoverReply>
export type AdmitReply = z.infer<typeof admitReply>
export type AuthorizeCall = z.infer<typeof authorizeCall>
export type AuthorizeReply = z.infer<typeof authorizeReply>
export type SettleCall = z.infer<typeof settleCall>
export type SettleReply = z.infer<typeof settleReply>
export type BootCall = z.infer<typeof bootCall>
export type BootReply = z.infer<typeof bootReply>
export type EventCall = z.infer<typeof eventCall>
export type EventReply = z.infer<typeof eventReply>
export type QueryCall = z.infer<typeof queryCall>
export type QueryReply = z.infer<typeof queryReply>
export type HeadReply = z.infer<typeof headReply>
