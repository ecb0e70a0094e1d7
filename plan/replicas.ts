// How many replicas each agent has in one deployment, and whose they are: what its manifest says, unless
// the person asks for another number. An agent with `perUser` has so many for each person of the
// household, with numbers that are nobody else's. Supervisor, notary and worker each make their catalogue
// of the same numbers. Pure.

import { z } from 'zod'
import { ownerId, userIdSchema } from '../security/people.ts'
import { limits } from './limits.ts'
import type { AgentManifest, Catalogue } from './manifest.ts'

export const replicasSchema = z.record(
  z.string().regex(/^[a-z][a-z0-9-]{0,39}$/),
  z.number().int().min(1).max(limits.replicas),
)
export type Replicas = Readonly<z.infer<typeof replicasSchema>>

/** Names that are no agent's are nobody's. */
export function withReplicas(catalogue: Catalogue, wanted: Replicas): Catalogue {
  return new Map(
    [...catalogue].map(([name, manifest]) => {
      const replicas = Object.hasOwn(wanted, name) ? wanted[name] : undefined
      return [name, replicas === undefined ? manifest : { ...manifest, replicas }]
    }),
  )
}

export function replicasOf(catalogue: Catalogue): Replicas {
  return Object.fromEntries([...catalogue].map(([name, { replicas }]) => [name, replicas]))
}

/**
 * Why a person may not have so many of an agent; undefined when they may. Two that write into one
 * folder would overwrite each other's changes, unless the agent's author says that it can be.
 */
export function faultOfReplicas(manifest: AgentManifest | undefined, wanted: number) {
  if (manifest === undefined) return { message: 'is not an agent', hint: 'leave it out' }
  const writes = manifest.mounts.some(({ mode }) => mode === 'rw')
  if (!writes || wanted <= manifest.replicas) return undefined
  return { message: 'writes into a folder of yours, which takes one', hint: 'leave it out' }
}

/** Eight replicas each: numbers stay below a thousand, as every message has them. */
const mostSlots = 125

/**
 * By person, where the numbers of their replicas begin, in units of `limits.replicas`. A slot stays a
 * name's for ever: under its numbers lie that person's ledgers.
 */
export const slotsSchema = z
  .record(
    userIdSchema,
    z
      .number()
      .int()
      .min(0)
      .max(mostSlots - 1),
  )
  .refine((slots) => {
    const taken = Object.values(slots)
    return new Set(taken).size === taken.length
  }, 'a slot is of two people')
export type Slots = Readonly<z.infer<typeof slotsSchema>>

/** A deployment that nobody else is enrolled in. */
export const ownerAlone: Slots = { [ownerId]: 0 }

type Numbered = Pick<AgentManifest, 'replicas' | 'perUser'>

/** Numbers of the replicas that serve this person; none of an agent of one's own for who has no slot. */
export function numbersFor(
  { replicas, perUser }: Numbered,
  person: string,
  slots: Slots,
): readonly number[] {
  if (!perUser) return numbers(0, replicas)
  const slot = Object.hasOwn(slots, person) ? slots[person] : undefined
  return slot === undefined ? [] : numbers(slot * limits.replicas, replicas)
}

/** All numbers that there are of an agent. */
export function numbersOf(manifest: Numbered, slots: Slots): readonly number[] {
  if (!manifest.perUser) return numbers(0, manifest.replicas)
  return Object.keys(slots).flatMap((person) => numbersFor(manifest, person, slots))
}

/** Whose replica it is; undefined: the household's, or no replica at all. */
export function personOfReplica(manifest: Numbered, n: number, slots: Slots): string | undefined {
  if (!manifest.perUser) return undefined
  return Object.keys(slots).find((person) => numbersFor(manifest, person, slots).includes(n))
}

/** Slots for everybody who is here, those that are known unchanged; undefined when none is left. */
export function withSlots(known: Slots, people: readonly string[]): Slots | undefined {
  const slots: Record<string, number> = { ...ownerAlone, ...known }
  let next = Math.max(...Object.values(slots)) + 1
  for (const person of people) {
    if (!Object.hasOwn(slots, person)) slots[person] = next++
  }
  return slotsSchema.safeParse(slots).data
}

function numbers(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => first + index)
}
