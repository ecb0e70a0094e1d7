// Which files of the host a sandbox sees: Node, the libraries that Node and the addon load, the
// agent's bundle, its secrets, its ledger, its bus socket, the folders its manifest names and the
// programs (programs.ts). The list is the agent's whole world; supervisor/sandbox/oci-spec.ts adds only empty system folders.

import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { SupervisorError } from '../codes.ts'
import type { SandboxMount } from './oci-spec.ts'
import { executable, type GrantedProgram } from './programs.ts'
import { librariesOf } from './shared-libraries.ts'

/** Flags: no code from strings, no way to another object's prototype. */
export const agentCommand = [
  '/agent/node',
  '--disallow-code-generation-from-strings',
  '--disable-proto=delete',
  '/agent/agent.mjs',
] as const

export interface SandboxFolders {
  /** agent.mjs and better_sqlite3.node. */
  readonly bundle: string
  readonly secrets: string
  readonly ledger: string
  readonly busSocket: string
  /** Present where the manifest declares egress. */
  readonly egressSocket?: string
}

/** What the manifest and `bulkhead.yaml` grant beyond the ledger. */
export interface GrantedFolder {
  readonly source: string
  readonly at: string
  readonly mode: 'ro' | 'rw'
}

/** Mounts of one sandbox, given those of the runtime (`runtimeMounts`). */
export function sandboxMounts(
  runtime: readonly SandboxMount[],
  folders: SandboxFolders,
  granted: readonly GrantedFolder[],
  programs: readonly GrantedProgram[] = [],
): readonly SandboxMount[] {
  const data = (source: string, at: string, mode: 'ro' | 'rw', kind: SandboxMount['kind']) => ({
    source,
    at,
    mode,
    kind,
    exec: false,
  })
  return [
    ...oncePerPlace([...runtime, ...programs.flatMap(({ mounts }) => mounts)]),
    data(join(folders.bundle, 'agent.mjs'), '/agent/agent.mjs', 'ro', 'file'),
    {
      ...data(join(folders.bundle, addonName), `/agent/${addonName}`, 'ro', 'file'),
      // An addon is code: its pages must be executable.
      exec: true,
    },
    data(folders.secrets, '/secrets', 'ro', 'folder'),
    data(folders.ledger, '/ledger', 'rw', 'folder'),
    // Connecting to a socket needs the right to write to it; nothing can be stored in it.
    data(folders.busSocket, '/run/bus.sock', 'rw', 'file'),
    ...(folders.egressSocket === undefined
      ? []
      : [data(folders.egressSocket, '/run/egress.sock', 'rw', 'file')]),
    ...granted.map(({ source, at, mode }) => data(source, at, mode, 'folder')),
  ]
}

export const addonName = 'better_sqlite3.node'

/** The host's Node and every library that it or the addon loads, each at its own path. */
export async function runtimeMounts(node: string, addon: string): Promise<readonly SandboxMount[]> {
  const libraries = await librariesOf([node, addon], 'all')
  return [executable(node, '/agent/node'), ...libraries.map((path) => executable(path, path))]
}

/** Node's loader is most programs' too. */
function oncePerPlace(mounts: readonly SandboxMount[]): readonly SandboxMount[] {
  return [...new Map(mounts.map((mount) => [mount.at, mount])).values()]
}

/** The prebuilt SQLite addon for this machine. */
export function locateAddon(): string {
  const packageFile = createRequire(import.meta.url).resolve('better-sqlite3/package.json')
  const folder = join(dirname(packageFile), 'prebuilds')
  const name = `${process.platform}${isMusl() ? 'musl' : ''}-${process.arch}.node`
  const path = join(folder, name)
  if (!existsSync(path)) throw new SupervisorError('SANDBOX_FAILED', `${path} is missing`)
  return path
}

function isMusl(): boolean {
  if (process.platform !== 'linux') return false
  try {
    return readFileSync('/usr/bin/ldd', 'latin1').includes('musl')
  } catch {
    return false
  }
}
