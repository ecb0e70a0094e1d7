// All actions of a catalogue that do more than read, and what kind each is, by its manifest alone.

import { toJsonSchema } from '../../plan/json-schema.ts'
import type { AgentManifest, Catalogue } from '../../plan/manifest.ts'
import { isObject } from '../../plan/pointer.ts'

export type Kind =
  /** Has an undo, which its run carries out when it fails. */
  | 'write'
  /** Takes another one's change back, and is asked for by no plan. */
  | 'undo'
  /** Has none, and stays done. */
  | 'final'
  /** Asks a server and changes nothing of the person's; a copy of what it heard may be kept. */
  | 'question'

export interface DeclaredAction {
  readonly name: `${string}.${string}`
  readonly kind: Kind
  /** A person is asked before each. */
  readonly isAsked: boolean
  /** Of an undo: what it is the undo of. */
  readonly undoes: readonly string[]
}

/** All of a catalogue whose effect is not `read`. */
export function effectsOf(catalogue: Catalogue): readonly DeclaredAction[] {
  return [...catalogue.values()].flatMap((manifest) =>
    Object.entries(manifest.actions)
      .filter(([, { effect }]) => effect !== 'read')
      .map(([action, { effect }]) => ({
        name: `${manifest.name}.${action}` as const,
        kind: kindOf(manifest, action),
        isAsked: effect === 'irreversible',
        undoes: undoneBy(manifest, action),
      })),
  )
}

function undoneBy({ actions }: AgentManifest, name: string): readonly string[] {
  return Object.entries(actions)
    .filter(([, { undo }]) => undo !== 'none' && undo.action === name)
    .map(([action]) => action)
}

function kindOf(manifest: AgentManifest, name: string): Kind {
  const declaration = manifest.actions[name]
  if (declaration === undefined) throw new Error(`no action ${name}`)
  if (declaration.undo !== 'none') return 'write'
  if (undoneBy(manifest, name).length > 0) return 'undo'
  return hasDryRun(manifest, name) ? 'final' : 'question'
}

export function hasDryRun({ actions }: AgentManifest, name: string): boolean {
  const { properties } = toJsonSchema(actions[name]?.input ?? fail(name), 'input')
  return isObject(properties) && Object.hasOwn(properties, 'dryRun')
}

function fail(name: string): never {
  throw new Error(`no action ${name}`)
}
