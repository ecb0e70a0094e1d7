// What an agent declares of itself: the only source for plan type-checking, token scope, bus
// account, sandbox mounts and egress. Data and zod only. Agents and the orchestrating side both
// import this file, so nothing here may do I/O or know of Temporal, NATS or the notary.

import type { z } from 'zod'
import { faultOfCurrencies, faultOfUnits } from './amounts.ts'
import type { Effect, UndoArgument } from './effect.ts'

import { type EgressDeclaration, faultOfEgress } from './egress-declaration.ts'
import { faultOfChoice, faultOfFlow, seesNoMore } from './flow-declaration.ts'
import {
  blindSpotsOf,
  isAssignable,
  type JsonSchema,
  leavesOf,
  toJsonSchema,
  walkSchema,
} from './json-schema.ts'
import type { FieldLabel } from './labels.ts'
import { limits } from './limits.ts'
import { isObject, parsePointer } from './pointer.ts'
import { type ProbeDeclaration, probeOutput } from './probe.ts'
import { faultOfSandbox, type SandboxDeclaration } from './sandbox-declaration.ts'
import { faultOfSpent } from './spent.ts'
import { type Touch, touches } from './touches.ts'

export type { Effect, UndoArgument } from './effect.ts'
export type { EgressDeclaration, EgressMethod, EgressRule } from './egress-declaration.ts'
/** control: who, what, where, which code; opaque: an id that the same agent gave earlier. */
export type Role = 'control' | 'content' | 'amount' | 'opaque'
/**
 * Who will see an action's content. Undeclared means PUBLIC, the most cautious reading. `hostOf`: pointer of
 * the argument that names which of the action's egress it goes to, and the gateway lets no other be asked.
 */
export type Audience =
  | 'owner'
  | 'PUBLIC'
  | { readonly arg: string }
  | { readonly host: string }
  | { readonly hostOf: string }

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
  /** Pointer of an amount, which is in minor units then -> of the argument that names its currency. */
  readonly currencies?: Readonly<Record<string, string>>
  /** Pointer of an amount that has no currency -> `<agent>.<unit>`, one budget for all actions that name it. */
  readonly units?: Readonly<Record<string, string>>
  /** Pointer of an amount -> of the number in the result that says what it came to; see plan/spent.ts. */
  readonly spent?: Readonly<Record<string, string>>
  readonly audience: Audience
  /** RFC 6901 pointer into the result, `*` for items -> who may see it. Undeclared: the owner alone. */
  readonly labels?: Readonly<Record<string, FieldLabel>>
  /** Pointers into the result, `*` for items: texts that name whom or where; see result-rules.ts. */
  readonly addresses?: readonly string[]
  /**
   * Pointers into the result, with all below them: texts that others wrote or that a person keeps. One
   * that looks like a secret is refused anywhere else; here it would silence whoever only quotes it.
   */
  readonly quotes?: readonly string[]
  /** Ids of the agent's egress that the action may use; absent: none. */
  readonly egress?: readonly string[]
  /** What its effect is about: rules of the policy ask by it. Absent: nothing that they know of. */
  readonly touches?: readonly Touch[]
  readonly undo: UndoDeclaration | 'none'
  /** How to find out whether it happened, when its answer was lost; see plan/probe.ts. */
  readonly probe?: ProbeDeclaration
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
> extends SandboxDeclaration {
  readonly name: string
  readonly summary: string
  readonly replicas: number
  readonly alwaysOn: boolean
  /** Idle time after which the supervisor stops the sandbox. */
  readonly idleMs: number
  readonly storage: 'none' | 'ledger' | 'data'
  /** So many replicas for each person of the household, with settings, data and ledger of their own. */
  readonly perUser: boolean
  readonly mounts: readonly MountDeclaration[]
  /** What it may ask of the network, through the gateway; absent: nothing. */
  readonly egress?: readonly EgressDeclaration[]
  readonly actions: Actions
}

export class ManifestError extends Error {
  override readonly name = 'ManifestError'
}

/** All manifests a deployment knows, by agent name. A Map, so that no name reaches a prototype. */
export type Catalogue = ReadonlyMap<string, AgentManifest>

/** As a plan may write them (written.ts): what has another name could never be called. */
const agentPattern = /^[a-z][a-z0-9-]{0,39}$/
const actionPattern = /^[a-z][a-z0-9_]{0,39}$/

/**
 * Checks a manifest and returns it, its type unchanged.
 * @throws ManifestError naming the first thing that is wrong
 */
export function defineManifest<const Actions extends Readonly<Record<string, ActionManifest>>>(
  manifest: AgentManifest<Actions>,
): AgentManifest<Actions> {
  checkManifest(manifest)
  return manifest
}

function checkManifest(manifest: AgentManifest): void {
  const { name } = manifest
  requireThat(agentPattern.test(name), `${name} is not an agent's name`)
  requireThat(isCount(manifest.replicas), `${name} has no replica`)
  requireThat(isCount(manifest.idleMs), `${name} has no idle time`)
  for (const [action, declaration] of Object.entries(manifest.actions)) {
    checkAction(`${name}.${action}`, action, declaration, manifest.actions)
    const output = toJsonSchema(declaration.output, 'output')
    const fault = faultOfFlow(declaration, output, manifest.egress ?? [])
    if (fault !== undefined) throw new ManifestError(`${name}.${action} ${fault}`)
  }
  const inputsOf = ({ input }: ActionManifest) => leavesOf(toJsonSchema(input, 'input'))
  const fault = faultOfEgress(name, manifest.egress ?? [], manifest.actions, inputsOf)
  if (fault !== undefined) throw new ManifestError(fault)
  const sandboxFault = faultOfSandbox(manifest)
  if (sandboxFault !== undefined) throw new ManifestError(sandboxFault)
  for (const mount of manifest.mounts) {
    requireThat(/^\/data\/[a-z0-9-]+$/.test(mount.at), `${name} mounts outside /data: ${mount.at}`)
    const [owner, setting, ...more] = mount.from.config.split('.')
    requireThat(
      owner === name && setting !== undefined && setting !== '' && more.length === 0,
      `${name} mounts another agent's folder: ${mount.from.config}`,
    )
  }
  const places = new Set(manifest.mounts.map((mount) => mount.at))
  requireThat(places.size === manifest.mounts.length, `${name} mounts two folders in one place`)
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1
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
  requireThat(actionPattern.test(key), `${name} is not an action's name`)
  requireThat(
    isCount(action.timeoutMs) && action.timeoutMs <= limits.actionMs,
    `${name} may take longer than any action may`,
  )
  requireThat(
    isCount(action.maxResultBytes) && action.maxResultBytes <= limits.resultBytes,
    `${name} allows too large a result`,
  )
  const stray = action.touches?.find((touch) => !touches.includes(touch))
  requireThat(stray === undefined, `${name} touches ${stray}, of which no rule knows`)
  const input = toJsonSchema(action.input, 'input')
  const [blindSpot] = blindSpotsOf(input)
  if (blindSpot !== undefined) throw new ManifestError(`${name}: ${blindSpot}`)
  checkRoles(name, action, input)
  const currencyFault = faultOfCurrencies(action, input)
  if (currencyFault !== undefined) throw new ManifestError(`${name} ${currencyFault}`)
  const unitFault = faultOfUnits(name.slice(0, -key.length - 1), action, Object.keys(siblings))
  if (unitFault !== undefined) throw new ManifestError(`${name} ${unitFault}`)
  const output = toJsonSchema(action.output, 'output')
  const spentFault = faultOfSpent(name, action, { input, output })
  if (spentFault !== undefined) throw new ManifestError(`${name} ${spentFault}`)
  const choiceFault = faultOfChoice(action, input)
  if (choiceFault !== undefined) throw new ManifestError(`${name} ${choiceFault}`)
  // A request to a declared host changes nothing of the person's that could be shown beforehand.
  const changes = action.effect !== 'read' && action.effect !== 'egress'
  const properties = input['properties']
  const hasDryRun = isObject(properties) && Object.hasOwn(properties, 'dryRun')
  const isUndo = Object.values(siblings).some(
    (one) => one.undo !== 'none' && one.undo.action === key,
  )
  requireThat(!changes || hasDryRun || isUndo, `${name} changes something and has no dryRun`)
  checkProbe(name, action, siblings)
  if (action.undo === 'none') return
  const undo = Object.hasOwn(siblings, action.undo.action)
    ? siblings[action.undo.action]
    : undefined
  if (undo === undefined) throw new ManifestError(`${name}: its undo is not an action of the agent`)
  checkUndo(name, action, action.undo, toJsonSchema(undo.input, 'input'))
  requireThat(seesNoMore(undo, action), `${name}: its undo is seen by others than itself`)
}

function checkProbe(
  name: string,
  action: ActionManifest,
  siblings: Readonly<Record<string, ActionManifest>>,
): void {
  if (action.probe === undefined) return
  const { action: asked, args } = action.probe
  const probe = Object.hasOwn(siblings, asked) ? siblings[asked] : undefined
  if (probe?.effect !== 'read')
    throw new ManifestError(`${name}: its probe is no read of the agent`)
  requireThat(seesNoMore(probe, action), `${name}: its probe is seen by others than itself`)
  requireThat(probe.output === probeOutput, `${name}: its probe does not answer as a probe must`)
  const results = Object.values(args).some((value) => isObject(value) && '$result' in value)
  requireThat(!results, `${name}: a probe has no result to refer to`)
  checkUndo(`${name} (probe)`, action, { action: asked, args }, toJsonSchema(probe.input, 'input'))
}

/** An undo that its agent would refuse is found here, not on the day that something must be undone. */
function checkUndo(
  name: string,
  action: ActionManifest,
  { args }: UndoDeclaration,
  input: JsonSchema,
): void {
  const properties = isObject(input['properties']) ? input['properties'] : {}
  for (const [argument, value] of Object.entries(args)) {
    const wanted = Object.hasOwn(properties, argument) ? properties[argument] : undefined
    requireThat(isObject(wanted), `${name}: its undo has no argument ${argument}`)
    const given = typeOfUndoArgument(value, action)
    if (given === undefined) {
      throw new ManifestError(`${name}: undo argument ${argument} names nothing`)
    }
    requireThat(
      isObject(wanted) && isAssignable(given, wanted),
      `${name}: undo argument ${argument} does not fit`,
    )
  }
  const required = Array.isArray(input['required']) ? input['required'].map(String) : []
  const missing = required.find((argument) => !Object.hasOwn(args, argument))
  requireThat(missing === undefined, `${name}: its undo lacks the argument ${missing}`)
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

function typeOfUndoArgument(value: UndoArgument, action: ActionManifest): JsonSchema | undefined {
  if (!isObject(value)) return { const: value }
  if (Object.keys(value).length !== 1) return undefined
  if ('$idem' in value) return value['$idem'] === true ? { type: 'string' } : undefined
  const [pointer, schema] =
    '$args' in value
      ? [value['$args'], toJsonSchema(action.input, 'input')]
      : [value['$result'], toJsonSchema(action.output, 'output')]
  const tokens = typeof pointer === 'string' ? parsePointer(pointer) : undefined
  return tokens === undefined ? undefined : walkSchema(schema, tokens)
}

/** @throws ManifestError when a manifest is wrong, or two agents have one name */
export function createCatalogue(manifests: readonly AgentManifest[]): Catalogue {
  const catalogue = new Map<string, AgentManifest>()
  for (const manifest of manifests) {
    checkManifest(manifest)
    requireThat(!catalogue.has(manifest.name), `two agents are named ${manifest.name}`)
    catalogue.set(manifest.name, manifest)
  }
  return catalogue
}
