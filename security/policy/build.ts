// Has OPA compile a folder of rules to the module that engine.ts runs. The bytes depend on the sources,
// their names and OPA's version, and on nothing else: OPA works in the folder itself, because it writes
// the paths that it was given into the module.

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface BuiltPolicy {
  readonly wasm: Uint8Array<ArrayBuffer>
  /** What `*.json` and `*.yaml` of the folder say. */
  readonly data: unknown
}

export class BuildError extends Error {
  override readonly name = 'BuildError'
}

/** What OPA says in reply to its arguments. @throws BuildError with what it said against them */
export async function runOpa(
  opa: string,
  args: readonly string[],
  { folder }: { readonly folder: string },
): Promise<string> {
  try {
    const { stdout } = await run(opa, [...args], { cwd: folder, maxBuffer: 64 * 1024 * 1024 })
    return stdout
  } catch (cause) {
    throw new BuildError(said(cause), { cause })
  }
}

function said(cause: unknown): string {
  const of = (key: string) =>
    typeof cause === 'object' && cause !== null && key in cause
      ? String((cause as Record<string, unknown>)[key]).trim()
      : ''
  return of('stderr') || of('stdout') || of('message')
}

/**
 * @param paths what is compiled, relative to the folder
 * @throws BuildError
 */
export async function buildPolicy(
  opa: string,
  {
    folder,
    entrypoint,
    paths = ['.'],
    ignore = [],
  }: {
    readonly folder: string
    readonly entrypoint: string
    readonly paths?: readonly string[]
    readonly ignore?: readonly string[]
  },
): Promise<BuiltPolicy> {
  const work = await mkdtemp(join(tmpdir(), 'bulkhead-policy-'))
  try {
    const bundle = join(work, 'bundle.tar.gz')
    const left = ['*_test.rego', ...ignore].flatMap((pattern) => ['--ignore', pattern])
    const target = ['--target', 'wasm', '--entrypoint', entrypoint, '--output', bundle]
    await runOpa(opa, ['build', ...target, ...left, ...paths], { folder })
    // GNU tar warns of the leading slash in the names, BSD's does not; both take it away.
    await run('tar', ['-xzf', bundle], { cwd: work })
    const wasm = new Uint8Array(await readFile(join(work, 'policy.wasm')))
    return { wasm, data: JSON.parse(await readFile(join(work, 'data.json'), 'utf8')) }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
