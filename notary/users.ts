// The people of a household: which bus accounts act for whom, whose signature counts, and who may look
// at or decide for somebody else. Pure. Who a person is comes from the subject that the server mapped
// and from nothing that a message says. Nobody has a right over another unless the list names it.

import { type KnownNames, namesFor } from '../plan/principals.ts'
import { type HouseholdUser, ownerId } from '../security/people.ts'
import type { Refusal } from './context.ts'

export type { HouseholdUser } from '../security/people.ts'

/**
 * The principal an entry point acts for, `user:<id>`. Ingress acts for the person of a standing
 * registration; there are none yet, so it acts for nobody.
 */
export function userOf(account: string, users: readonly HouseholdUser[]): string | undefined {
  const user = users.find(({ accounts }) => accounts.includes(account))
  return user === undefined ? undefined : `user:${user.id}`
}

/** Whether `caller` decides for `user`, both `user:<id>`: for oneself, and where the list says so. */
export function mayDecideFor(
  caller: string | undefined,
  user: string,
  users: readonly HouseholdUser[],
): boolean {
  const known = users.find((each) => `user:${each.id}` === caller)
  if (known === undefined) return false
  return caller === user || known.approvesFor.some((other) => `user:${other}` === user)
}

/** Whether `caller` sees what `user` asked and what became of it. Deciding for somebody is not this. */
export function maySee(
  caller: string | undefined,
  user: string,
  users: readonly HouseholdUser[],
): boolean {
  return seenBy(caller, users).includes(user)
}

/** The principals whose requests `caller` sees, its own first. */
export function seenBy(
  caller: string | undefined,
  users: readonly HouseholdUser[],
): readonly string[] {
  const known = users.find((each) => `user:${each.id}` === caller)
  return known === undefined ? [] : [known.id, ...known.sees].map((id) => `user:${id}`)
}

/** What somebody asked before they were removed goes no further; what was done can be undone. */
export function departedRefusal(
  user: string,
  users: readonly HouseholdUser[],
): Refusal | undefined {
  if (users.some(({ id }) => `user:${id}` === user)) return undefined
  return { code: 'NOT_PERMITTED', message: 'who asked this is not of the household any more' }
}

/** The lists of people and places as this person means them: `owner` is who asks. */
export function namesOf(
  { names }: { readonly names?: KnownNames | undefined },
  user: string,
): KnownNames | undefined {
  return names === undefined ? undefined : namesFor(user.slice('user:'.length), names)
}

/** The whole audit, which is redacted, and names requests of everybody. */
export function mayReadAllRows(caller: string | undefined): boolean {
  return caller === `user:${ownerId}`
}
