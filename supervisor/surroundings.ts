// What a deployment's processes have in sight when each has a user of its own: the programs, read-only
// to them by ownership, the state and the sockets, wherever the person keeps them. Nothing is copied;
// see view.ts for how closed folders are passed.

import { mkdirSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Owners } from './ownership.ts'
import { installation } from './toolchain.ts'
import { assertReadable, isOpenToAll, planView, type View } from './view.ts'

export interface Surroundings {
  readonly view: View | undefined
  /** An empty folder for making the view. */
  readonly scratch: string
}

export interface SurroundingsInput {
  readonly systemFolder: string
  /** Of the state; their rights are set by party-folders.ts. */
  readonly folders: readonly string[]
  /** Programs and bundles; their folders are shown. */
  readonly files: readonly string[]
}

/** @throws SupervisorError STATE_UNUSABLE when programs cannot be read by others, with what to type */
export function prepareSurroundings(owners: Owners, input: SurroundingsInput): Surroundings {
  const scratch = join(input.systemFolder, 'view')
  if (owners.weakness !== undefined) return { view: undefined, scratch }
  const files = input.files.map((file) => realpathSync(file))
  const modules = realpathSync(join(installation, 'node_modules'))
  const own = [installation, modules].map((folder) => realpathSync(folder))
  // A sample of what a narrow umask closes: set-up's files, and those of the clone.
  const sample = ['package.json', 'notary/main.ts', 'node_modules/zod/package.json']
  assertReadable([...own, ...files, ...sample.map((name) => join(installation, name))])
  const folders = input.folders.map((folder) => realpathSync(folder))
  const view = planView([...own, ...folders, ...files.map((file) => dirname(file))], isOpenToAll)
  if (view !== undefined) mkdirSync(scratch, { recursive: true, mode: 0o755 })
  return { view, scratch }
}
