// What an approver signs: one decision on one card, by its digest. The shape and the digest, and nothing
// else; shared by those who sign, the notary and whoever checks a kept approval without it. A statement
// says nothing about who may decide: that is the notary's question.

import { z } from 'zod'
import { digestOf } from '../verify/hash.ts'

export const approvalType = 'approval+jwt'

/** Characters of a whole statement; ours are below 1 KiB. */
export const maxStatementCharacters = 4_096

const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
/** NumericDate in whole seconds. */
const seconds = z.int().min(0)

/** "Always" is this and no more: so often in each period, until then, the very same thing. */
export const grantTermsSchema = z.strictObject({
  per: z.enum(['day', 'week', 'month']),
  count: z.int().min(1).max(1_000),
  exp: seconds,
})
export type GrantTerms = z.infer<typeof grantTermsSchema>

export const statementSchema = z.strictObject({
  /** Who decides, `user:<id>`. */
  iss: z.string().regex(/^user:[a-z0-9][a-z0-9-]{0,39}$/),
  /** `notary:<deployment>`: a string, so that no statement is for two. */
  aud: z.string().min(1).max(160),
  /** Which approval, or which batch of them. */
  apr: z.string().regex(/^[a-z0-9]{4,40}$/),
  card_s256: digest,
  decision: z.enum(['approve', 'deny']),
  iat: seconds,
  grant: grantTermsSchema.exactOptional(),
})
export type Statement = Readonly<z.infer<typeof statementSchema>>

/**
 * What a batch is signed over: the digests of its members' cards, in the order in which they are shown.
 * @throws CanonicalJsonError
 */
export function batchDigest(digests: readonly string[]): string {
  return digestOf(digests)
}
