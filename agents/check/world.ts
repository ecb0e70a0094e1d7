// The world of one tried call: folders with the example's files below a scratch folder, a clock that
// stands still, servers that answer from the example. What the call changed is seen by looking at the
// whole of it before and after. The scratch folder is the caller's to make and to remove.

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { EgressCode } from '../../egress/contract.ts'
import type { AgentManifest } from '../../plan/manifest.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { type ActionContext, ActionFailure } from '../define-agent.ts'
import type { ExampleServers, ExampleWorld, SeenWorld } from './examples-contract.ts'
import { createGate } from './gate.ts'

export interface TriedWorld {
  /** Codes with which the gateway refused requests since `forget`. */
  readonly refusals: readonly EgressCode[]
  forget(): void
  context(call: {
    readonly action: string
    readonly args: unknown
    readonly idem: string
    readonly kind: ActionContext['kind']
    readonly signal: AbortSignal
    /** Told each mount and secret that is asked for and not declared, whatever the handler makes of it. */
    readonly onUndeclared: (what: string) => void
  }): ActionContext
  look(): SeenWorld
  remove(): void
}

/** An effect id as the notary would make one. */
export function idemOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}

/** @throws Error when the example places a file outside the mounts of the manifest */
export function createWorld(
  manifest: AgentManifest,
  world: ExampleWorld,
  folder: string,
): TriedWorld {
  const now = Date.parse(world.now)
  const servers = world.servers?.()
  placeFiles(manifest, world, folder)
  let refusals: EgressCode[] = []
  const declared = {
    mounts: new Set(manifest.mounts.map(({ at }) => at)),
    secrets: new Set((manifest.secrets ?? []).map(({ name }) => name)),
  }
  return {
    get refusals() {
      return refusals
    },
    forget() {
      refusals = []
    },
    context({ action, args, idem, kind, signal, onUndeclared }) {
      const onRefusal = (code: EgressCode) => refusals.push(code)
      const refuse = (what: string): Error => {
        onUndeclared(what)
        return new Error(`the manifest declares no ${what}`)
      }
      return {
        idem,
        kind,
        signal,
        now: () => now,
        progress: () => undefined,
        folder: (at) => {
          if (!declared.mounts.has(at)) throw refuse(`mount at ${at}`)
          return join(folder, at)
        },
        secret: (name) => {
          if (!declared.secrets.has(name)) throw refuse(`secret ${name}`)
          return secretOf(world, name)
        },
        ...createGate({ manifest, world, servers, action, args, onRefusal }),
        ...programsOf(world),
      }
    },
    look: () => seeWorld(folder, servers),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function secretOf({ secrets = {} }: ExampleWorld, name: string): string {
  const secret = Object.hasOwn(secrets, name) ? secrets[name] : undefined
  if (secret === undefined) throw new Error(`the example gives no secret ${name}`)
  return secret
}

function programsOf({ programs }: ExampleWorld) {
  return {
    run: async (call: Parameters<NonNullable<ExampleWorld['programs']>>[0]) => {
      if (programs !== undefined) return programs(call)
      throw new ActionFailure('UNAVAILABLE', 'final', `the example has no program ${call.program}`)
    },
  }
}

function placeFiles(
  { mounts }: AgentManifest,
  { folders = {} }: ExampleWorld,
  folder: string,
): void {
  mkdirSync(folder, { recursive: true })
  for (const [at, files] of Object.entries(folders)) {
    if (!mounts.some((mount) => mount.at === at)) throw new Error(`${at} is no mount of it`)
    mkdirSync(join(folder, at), { recursive: true })
    for (const [name, content] of Object.entries(files)) {
      const file = join(folder, at, name)
      if (!file.startsWith(join(folder, at, '/'))) throw new Error(`${name} is no file of ${at}`)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
    }
  }
}

function seeWorld(folder: string, servers: ExampleServers | undefined): SeenWorld {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  const files = names.map((name): [string, Buffer] => [
    name.slice(folder.length),
    readFileSync(name),
  ])
  return { files: new Map(files), servers: servers?.state?.() ?? null }
}

/** One text for all that was seen: equal texts, equal worlds. */
export function digestOf({ files, servers }: SeenWorld): string {
  const hash = createHash('sha256').update(canonicalJson(servers))
  for (const [name, bytes] of files) hash.update(JSON.stringify([name, bytes.length])).update(bytes)
  return hash.digest('hex')
}
