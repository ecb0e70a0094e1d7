// What an agent declares of itself: the only source for plan type-checking, token scope, bus
// account, sandbox mounts and egress. Data and zod only. Agents and the orchestrating side both
// import this file, so nothing here may do I/O or know of Temporal, NATS or the notary.

import type { z } from 'zod'
import { type JsonSchema, leavesOf, toJsonSchema } from './json-schema.ts'
import { limits } from './limits.ts'
import { isObject, parsePointer } from './pointer.ts'

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

const namePattern = /^[a-z][a-z0-9_-]{0,39}$/

/**
 * Checks a manifest and returns it.
 * @throws ManifestError naming the first thing that is wrong
 */
export function defineManifest<const Actions extends Readonly<Record<string, ActionManifest>>>(
  manifest: AgentManifest<Actions>,
): AgentManifest<Actions> {
  const { name } = manifest
  requireThat(namePattern.test(name), `${name} is not an agent's name`)
  requireThat(manifest.replicas >= 1, `${name} has no replica`)
  for (const [action, declaration] of Object.entries(manifest.actions)) {
    checkAction(`${name}.${action}`, action, declaration, manifest.actions)
  }
  for (const mount of manifest.mounts) {
    requireThat(/^\/data\/[a-z0-9-]+$/.test(mount.at), `${name} mounts outside /data: ${mount.at}`)
    requireThat(
      mount.from.config.startsWith(`${name}.`),
      `${name} mounts another agent's folder: ${mount.from.config}`,
    )
  }
  return manifest
}

function requireThat(condition: boolean, message: string): void {
  if (!condition) throw new ManifestError(message)
}

function checkAction(
  name: string,
  key: string,
  action: ActionManifest,
  siblings: Readonly<Record<string, ActionManifest>>,
): void {
  requireThat(namePattern.test(key), `${name} is not an action's name`)
  requireThat(action.timeoutMs <= limits.replyMs, `${name} may take longer than an agent may reply`)
  requireThat(action.maxResultBytes <= limits.resultBytes, `${name} allows too large a result`)
  const input = toJsonSchema(action.input, 'input')
  requireThat(input['additionalProperties'] === false, `${name}: its input is not a strict object`)
  checkRoles(name, action, input)
  const changes = action.effect !== 'read'
  const properties = input['properties']
  const hasDryRun = isObject(properties) && Object.hasOwn(properties, 'dryRun')
  const isUndo = Object.values(siblings).some(
    (one) => one.undo !== 'none' && one.undo.action === key,
  )
  requireThat(!changes || hasDryRun || isUndo, `${name} changes something and has no dryRun`)
  if (action.undo === 'none') return
  const undo = Object.hasOwn(siblings, action.undo.action)
    ? siblings[action.undo.action]
    : undefined
  if (undo === undefined) throw new ManifestError(`${name}: its undo is not an action of the agent`)
  const known = toJsonSchema(undo.input, 'input')['properties'] ?? {}
  for (const [argument, value] of Object.entries(action.undo.args)) {
    requireThat(Object.hasOwn(known, argument), `${name}: its undo has no argument ${argument}`)
    requireThat(isUndoArgument(value), `${name}: undo argument ${argument} is not a pointer`)
  }
}

function checkRoles(name: string, action: ActionManifest, input: JsonSchema): void {
  const leaves = new Set(leavesOf(input))
  for (const leaf of leaves) {
    requireThat(Object.hasOwn(action.roles, leaf), `${name}: the input ${leaf} has no role`)
  }
  for (const pointer of Object.keys(action.roles)) {
    requireThat(leaves.has(pointer), `${name}: there is no input ${pointer} to have a role`)
  }
}

function isUndoArgument(value: UndoArgument): boolean {
  if (!isObject(value)) return true
  if ('$idem' in value) return value['$idem'] === true
  const pointer = '$args' in value ? value['$args'] : value['$result']
  return typeof pointer === 'string' && parsePointer(pointer) !== undefined
}

/** @throws ManifestError when two agents have one name */
export function createCatalogue(manifests: readonly AgentManifest[]): Catalogue {
  const catalogue = new Map<string, AgentManifest>()
  for (const manifest of manifests) {
    requireThat(!catalogue.has(manifest.name), `two agents are named ${manifest.name}`)
    catalogue.set(manifest.name, manifest)
  }
  return catalogue
}
