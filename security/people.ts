// The people of a household as data: what the supervisor hands to the notary, and how a person, an
// account of the bus and a principal are called after each other. Public halves of keys only.

import { z } from 'zod'
import { type PublicJwk, publicJwkSchema } from './verify/keys.ts'

/** Who administers the deployment. Always there. */
export const ownerId = 'owner'

/** Part of an account's name and of a folder's. */
export const userIdSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,23}$/, 'is not a small name: a-z, digits and -, at most 24')

export interface HouseholdUser {
  readonly id: string
  /** Bus accounts that act for this user: `cli` and `console` of the owner, `cli-<id>` of others. */
  readonly accounts: readonly string[]
  /** Public halves of the keys whose signature is this user's decision. */
  readonly approvers: readonly PublicJwk[]
  /** Ids of others for whom this user may decide, and whose cards they therefore see. */
  readonly approvesFor: readonly string[]
  /** Ids of others whose requests and answers this user may look at; not change. */
  readonly sees: readonly string[]
}

/** Bus accounts of one person's entry points. */
export function accountsOf(id: string): readonly string[] {
  return id === ownerId ? ['cli', 'console'] : [`cli-${id}`]
}

/**
 * Whose entry point an account is; undefined: nobody's. Who is enrolled the bus knows, which gives no
 * such account to anybody else.
 */
export function personOf(account: string): string | undefined {
  if (account === 'cli' || account === 'console') return ownerId
  const id = /^cli-([a-z][a-z0-9-]{0,23})$/.exec(account)?.[1]
  return id === ownerId ? undefined : id
}

const householdUserSchema = z.strictObject({
  id: userIdSchema,
  accounts: z.array(z.string().regex(/^(cli|console|cli-[a-z][a-z0-9-]{0,23})$/)).readonly(),
  approvers: z.array(publicJwkSchema).readonly(),
  approvesFor: z.array(userIdSchema).readonly(),
  sees: z.array(userIdSchema).readonly(),
})

/** Each user, each account and each key once: two people who share one could not be told apart. */
export const householdSchema = z
  .array(householdUserSchema)
  .min(1)
  .readonly()
  .refine((users) => isUnique(users.map((user) => user.id)), 'a user is named twice')
  .refine((users) => isUnique(users.flatMap((user) => user.accounts)), 'an account is of two users')
  .refine(
    (users) => isUnique(users.flatMap((user) => user.approvers.map(({ x }) => x))),
    'a key is of two users',
  )

function isUnique(names: readonly string[]): boolean {
  return new Set(names).size === names.length
}
