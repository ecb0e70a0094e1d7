// What an agent declares of itself: the only source for plan type-checking, token scope, bus
// account, sandbox mounts and egress. Data and zod only. Agents and the orchestrating side both
// import this file, so nothing here may do I/O or know of Temporal, NATS or the notary.

import type { z } from 'zod'

export type Effect = 'read' | 'write' | 'egress' | 'irreversible'
/** control: who, what, where, which code; opaque: an id that the same agent gave earlier. */
export type Role = 'control' | 'content' | 'amount' | 'opaque'
/** Who will see an action's content. Undeclared means PUBLIC, the most cautious reading. */
export type Audience = 'owner' | 'PUBLIC' | { readonly arg: string } | { readonly host: string }

/**
 * Where an undo's argument comes from. `$args` and `$result` are RFC 6901 pointers into the step's
 * own arguments and result; `$idem` is the step's effect id. A form that needs the result cannot be
 * authorised when the result is absent (outcome unknown), so prefer the first two.
 */
export type UndoArgument =
  | { readonly $args: string }
  | { readonly $result: string }
  | { readonly $idem: true }
  | string
  | number
  | boolean
  | null

export interface UndoDeclaration {
  readonly action: string
  readonly args: Readonly<Record<string, UndoArgument>>
}

export interface ActionManifest {
  readonly effect: Effect
  /** Strict zod object. Its JSON Schema is what plans are checked against. */
  readonly input: z.ZodObject
  readonly output: z.ZodType
  /** RFC 6901 pointer of every leaf of `input` -> role; `*` stands for array items. */
  readonly roles: Readonly<Record<string, Role>>
  readonly audience: Audience
  readonly undo: UndoDeclaration | 'none'
  /** Running it again with the same `idem` has no second effect, even after a crash half-way. */
  readonly idempotent: boolean
  readonly timeoutMs: number
  readonly maxResultBytes: number
  /** One line for catalogues and help texts. */
  readonly summary: string
}

export interface MountDeclaration {
  /** Key of `bulkhead.yaml`, `<agent>.<setting>`, whose value is a folder of the person's. */
  readonly from: { readonly config: string }
  readonly at: string
  readonly mode: 'ro' | 'rw'
}

export interface AgentManifest<
  Actions extends Readonly<Record<string, ActionManifest>> = Readonly<
    Record<string, ActionManifest>
  >,
> {
  readonly name: string
  readonly summary: string
  readonly replicas: number
  readonly alwaysOn: boolean
  /** Idle time after which the supervisor stops the sandbox. */
  readonly idleMs: number
  readonly storage: 'none' | 'ledger' | 'data'
  readonly perUser: boolean
  readonly mounts: readonly MountDeclaration[]
  readonly actions: Actions
}

export class ManifestError extends Error {
  override readonly name = 'ManifestError'
}

/** All manifests a deployment knows, by agent name. A Map, so that no name reaches a prototype. */
export type Catalogue = ReadonlyMap<string, AgentManifest>
