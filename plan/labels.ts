// What is known of a value before it is one: how far it can be trusted, who may see it, where it came
// from. A lattice: joining only ever trusts less, lets fewer see, and adds origins, so that no way of
// combining values makes a label better (Denning, "A lattice model of secure information flow", 1976).
// What an agent says of its own data never counts: labels come from its manifest. Pure.

import type { ActionManifest } from './manifest.ts'
import { parsePointer } from './pointer.ts'
import { owner } from './principals.ts'
import type { Readers } from './readers.ts'

/** From best to worst. ENDORSED: a person, or a list that a person keeps, vouched for this value. */
export const integrities = ['SYS', 'USER', 'ENDORSED', 'UNTRUSTED'] as const
export type Integrity = (typeof integrities)[number]

export type { Readers } from './readers.ts'

export interface Label {
  readonly integrity: Integrity
  /** Sorted, each once. */
  readonly readers: Readers
  /** Every agent that had a hand in it, sorted: what an opaque id is judged by. */
  readonly agents: readonly string[]
  /**
   * `step#/pointer` of what it was made from, sorted, for people to read. The first sixty-four of them:
   * a join keeps the smallest, which is associative, and bounds the work on a hostile plan.
   */
  readonly provenance: readonly string[]
}

const maxProvenance = 64

/** The best label there is; joining it changes nothing. */
export const bottom: Label = { integrity: 'SYS', readers: 'PUBLIC', agents: [], provenance: [] }

/** What the user wrote: a literal of their plan or recipe, or an input that they gave. */
export const written: Label = { ...bottom, integrity: 'USER' }

/** What nothing is known of: nobody may see it, and it may decide nothing. */
export const unknown: Label = { ...bottom, integrity: 'UNTRUSTED', readers: [] }

export function join(one: Label, other: Label): Label {
  if (one === other || other === bottom) return one
  if (one === bottom) return other
  return {
    integrity: worse(one.integrity, other.integrity),
    readers: both(one.readers, other.readers),
    agents: merge(one.agents, other.agents),
    provenance: merge(one.provenance, other.provenance, maxProvenance),
  }
}

export function joinAll(labels: readonly Label[]): Label {
  return labels.reduce(join, bottom)
}

/** True when `one` may be used wherever `other` may: it is trusted as far and seen by as many. */
export function isAtMost(one: Label, other: Label): boolean {
  return JSON.stringify(join(one, other)) === JSON.stringify(other)
}

export function isTrusted({ integrity }: Label): boolean {
  return integrity !== 'UNTRUSTED'
}

/** True when everybody in the audience may see the value. */
export function mayBeSeenBy({ readers }: Label, audience: Readers): boolean {
  if (readers === 'PUBLIC') return true
  return audience !== 'PUBLIC' && audience.every((principal) => readers.includes(principal))
}

function worse(one: Integrity, other: Integrity): Integrity {
  return integrities.indexOf(one) > integrities.indexOf(other) ? one : other
}

function both(one: Readers, other: Readers): Readers {
  if (one === 'PUBLIC') return other
  if (other === 'PUBLIC' || one === other) return one
  return one.filter((principal) => other.includes(principal))
}

/** Of two sorted lists without repetition, one such list; of a long one the beginning. */
function merge(
  one: readonly string[],
  other: readonly string[],
  most = Number.POSITIVE_INFINITY,
): readonly string[] {
  if (one === other || other.length === 0) return one
  if (one.length === 0) return other
  const merged: string[] = []
  for (let [i, j] = [0, 0]; merged.length < most; ) {
    const [left, right] = [one[i], other[j]]
    const next = left === undefined || (right !== undefined && right < left) ? right : left
    if (next === undefined) break
    merged.push(next)
    if (left === next) i += 1
    if (right === next) j += 1
  }
  return merged
}

/** What a manifest says of one field of a result. Undeclared: the owner alone may see it. */
export interface FieldLabel {
  readonly readers: 'PUBLIC' | 'owner'
}

type LabelledAction = Pick<ActionManifest, 'labels'>

/**
 * Label of the part of an action's result that `tokens` name, `*` for any item. Every output of every
 * agent is untrusted, since the agent may be the one that was taken over. A part that holds several
 * declared fields is seen by those who may see all of them.
 */
export function labelOfField(action: LabelledAction, tokens: readonly string[]): Label {
  const declared = Object.entries(action.labels ?? {}).map(([pointer, { readers }]) => ({
    tokens: parsePointer(pointer) ?? [],
    readers,
  }))
  const above = declared.filter((field) => isPrefix(field.tokens, tokens))
  const nearest = above.toSorted((a, b) => b.tokens.length - a.tokens.length)[0]
  const below = declared.filter((field) => field.tokens.length > tokens.length)
  const within = below.filter((field) => isPrefix(tokens, field.tokens))
  const isPublic =
    nearest?.readers === 'PUBLIC' && within.every((field) => field.readers === 'PUBLIC')
  return { ...bottom, integrity: 'UNTRUSTED', readers: isPublic ? 'PUBLIC' : [owner] }
}

/** Pointers of roles and labels write `*` for items and free keys; so may the other side. */
export function isPrefix(prefix: readonly string[], tokens: readonly string[]): boolean {
  return (
    prefix.length <= tokens.length &&
    prefix.every((token, at) => token === '*' || tokens[at] === '*' || token === tokens[at])
  )
}
