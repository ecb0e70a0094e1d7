// The call with which the supervisor brings quarantine to the notary, the message with which the
// notary has it enforced, and the table that both speak of. Shapes only. The notary's table is the
// truth; what the supervisor keeps is a copy, so that it can act before the notary runs.

import { z } from 'zod'
import { notaryCodes } from './codes.ts'

const agent = z.string().regex(/^[a-z][a-z0-9-]{0,39}$/)
const n = z.number().int().min(0).max(9_999)
/** One printable line: it is shown on terminals and kept in the audit for good. */
const reason = z.string().regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]{0,200}$/u)
const person = z.string().regex(/^user:[a-z][a-z0-9-]{0,39}$/)

/** What may lead to a quarantine; quarantine-policy.ts says which does. */
export const signals = [
  /** An envelope of the replica's own, over a receipt that is not genuine or of another effect. */
  'FORGED_RECEIPT',
  /** A connection with the replica's key and certificate that did not come out of its sandbox. */
  'DUPLICATE_IDENTITY',
  /** Events beyond the limit, minute after minute. */
  'EVENT_FLOOD',
  /** The agent says that it was asked for one effect with two sets of arguments. */
  'IDEM_CONFLICT',
  /** The agent says that it was sent a token for the second time. */
  'REPLAY',
] as const
export type Signal = (typeof signals)[number]

export const quarantineEntry = z.strictObject({
  agent,
  n,
  /** Milliseconds since the epoch. */
  since: z.number().int(),
  /** `user:<id>`, or `notary` for one that follows from the policy. */
  by: z.union([person, z.literal('notary')]),
  /** `OWNER`: a person said so. */
  code: z.enum(['OWNER', ...signals]),
  reason,
})
export type QuarantineEntry = z.infer<typeof quarantineEntry>

/** By the supervisor: a person's command, what it saw itself, or a question. */
export const quarantineCall = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('set'), agent, n, by: person, reason }),
  z.strictObject({ op: z.literal('lift'), agent, n, by: person, reason }),
  z.strictObject({
    op: z.literal('signal'),
    agent,
    n,
    signal: z.literal('DUPLICATE_IDENTITY'),
    /** Port of loopback from which it came. */
    port: z.number().int().min(0).max(65_535),
  }),
  z.strictObject({ op: z.literal('list') }),
])
export type QuarantineCall = z.infer<typeof quarantineCall>

/** The whole table after the call. */
export const quarantineReply = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('QUARANTINED'), entries: z.array(quarantineEntry) }),
  z.strictObject({ status: z.literal('REFUSED'), code: z.enum(notaryCodes), message: z.string() }),
])
export type QuarantineReply = z.infer<typeof quarantineReply>

/** `supervisor.quarantine`, by the notary: the whole table, to be enforced as it stands. */
export const enforceCall = z.strictObject({ entries: z.array(quarantineEntry) })
export const enforceReply = z.discriminatedUnion('status', [
  z.strictObject({ status: z.literal('ENFORCED') }),
  z.strictObject({ status: z.literal('FAILED'), message: z.string() }),
])
export type EnforceReply = z.infer<typeof enforceReply>
