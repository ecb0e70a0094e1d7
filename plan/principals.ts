// Who can see a thing, and who is who: principals, the lists of people and places that a person keeps in
// `bulkhead.yaml`, and the audience of an action. What is not known to be somebody is an address of its
// own, and an audience that nobody can name is everybody. Pure.

import type { AgentManifest, Audience, EgressDeclaration } from './manifest.ts'
import type { Principal } from './readers.ts'

export type { Principal } from './readers.ts'

/** Whose requests these are. One owner until a household has several users. */
export const owner: Principal = 'user:owner'

/** Names a person gave to addresses, and to places; each value is one that the person wrote. */
export interface KnownNames {
  /** By name; what stands under `owner` are the user's own addresses. */
  readonly people: Readonly<Record<string, readonly string[]>>
  readonly places: Readonly<Record<string, readonly string[]>>
}

/**
 * As one person of the household means them. `owner` stands for their own addresses, which they have
 * under their id; the owner's are then those of a person like others.
 */
export function namesFor(id: string, names: KnownNames): KnownNames {
  if (id === 'owner') return names
  const { owner: owners = [], ...others } = names.people
  const own = Object.hasOwn(others, id) ? (others[id] ?? []) : []
  return {
    ...names,
    people: { ...others, owner: own, 'the owner': [...(others['the owner'] ?? []), ...owners] },
  }
}

/** Nobody and nothing: no address is the user's own, no value is endorsed by a list. */
export const nobody: KnownNames = { people: {}, places: {} }

/**
 * One spelling of an address, so that the same one is always the same principal: NFC, no space around;
 * a phone number without its separators; the domain of a mail address in lower case. The part before
 * the @ stays as it is, because two spellings of it may be two people.
 */
export function normaliseAddress(text: string): string {
  const plain = text.normalize('NFC').trim()
  if (/^\+[\d\s().-]+$/.test(plain)) return `+${plain.replaceAll(/\D/g, '')}`
  const at = plain.lastIndexOf('@')
  return at < 0 ? plain : `${plain.slice(0, at)}@${plain.slice(at + 1).toLowerCase()}`
}

/** The principal that an address belongs to: the user, when it is listed as one of theirs. */
export function principalOf(address: string, { people }: KnownNames): Principal {
  const plain = normaliseAddress(address)
  const own = Object.hasOwn(people, 'owner') ? (people['owner'] ?? []) : []
  return own.some((one) => normaliseAddress(one) === plain) ? owner : `addr:${plain}`
}

/** Rule R9: the user wrote this very value into one of their lists. */
export function isListed(value: unknown, { people, places }: KnownNames): boolean {
  if (typeof value !== 'string') return false
  const plain = normaliseAddress(value)
  return [...Object.values(people), ...Object.values(places)]
    .flat()
    .some((one) => normaliseAddress(one) === plain)
}

/**
 * Who will see what an action is given. `valuesOf` gives every value that the argument at a pointer may
 * have, or undefined where that is not known: then it may be anybody. A host that only carries (a mail
 * server, a calendar server) is no audience: its action declares who reads what it carries.
 */
export function audienceOf(
  declared: Audience,
  agent: Pick<AgentManifest, 'egress'>,
  lookUp: {
    readonly names: KnownNames
    readonly valuesOf: (pointer: string) => readonly unknown[] | undefined
  },
): 'PUBLIC' | readonly Principal[] {
  if (declared === 'owner') return [owner]
  if (declared === 'PUBLIC') return 'PUBLIC'
  if ('host' in declared) {
    const found = agent.egress?.find(({ id }) => id === declared.host)
    return found === undefined ? 'PUBLIC' : [hostOf(found)]
  }
  const named = 'hostOf' in declared ? declared.hostOf : declared.arg
  const values = lookUp.valuesOf(named)?.flat(1)
  if (values === undefined || values.length === 0) return 'PUBLIC'
  if (!values.every((value) => typeof value === 'string')) return 'PUBLIC'
  if ('hostOf' in declared) return hostsOf(values, agent)
  return [...new Set(values.map((value) => principalOf(value, lookUp.names)))].sort(byCodeUnits)
}

/** Who stands behind each egress of these ids; one that never leaves the house is the user's own. */
function hostsOf(
  ids: readonly string[],
  { egress = [] }: Pick<AgentManifest, 'egress'>,
): 'PUBLIC' | readonly Principal[] {
  const found = ids.map((id) => egress.find((one) => one.id === id))
  if (!found.every((one) => one !== undefined)) return 'PUBLIC'
  const principals = found.map((one) => (one.onlyPrivate === true ? owner : hostOf(one)))
  return [...new Set(principals)].sort(byCodeUnits)
}

/** Which hosts a setting names is the configuration's; the setting stands for all of them. */
function hostOf({ host }: EgressDeclaration): Principal {
  return `host:${typeof host === 'string' ? host : `{${host.config}}`}`
}

/** One order for every list of a label, whatever the machine's language. */
export function byCodeUnits(one: string, other: string): number {
  if (one === other) return 0
  return one < other ? -1 : 1
}
