// The bundles that sandboxes and the worker load: one file per agent, one for the workflows. Built by
// the folders they belong to, in child processes (this folder may not import their code), and kept
// in the per-user cache under a digest of every source that can change them, so that only the first
// start after a change builds.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { SupervisorError } from './codes.ts'
import { installation } from './toolchain.ts'

export interface Bundles {
  /** Folder with `<agent>.mjs`. */
  readonly agents: string
  /** The workflow bundle's file. */
  readonly workflows: string
}

interface BundleKind {
  readonly name: 'agents' | 'workflows'
  /** Folders and files whose content decides what the bundle is. */
  readonly sources: readonly string[]
  readonly program: string
  /** Arguments after the program, given the folder to write to. */
  readonly args: (folder: string) => readonly string[]
}

const agentBundles: BundleKind = {
  name: 'agents',
  sources: ['agents', 'security', 'plan', 'package-lock.json'],
  program: join('agents', 'bundle-main.ts'),
  args: (folder) => ['--out', folder],
}
const workflowBundle: BundleKind = {
  name: 'workflows',
  sources: ['workflows', 'plan', 'temporal', 'package-lock.json'],
  program: join('temporal', 'bundle-main.ts'),
  args: (folder) => ['--out', join(folder, workflowFile)],
}
const workflowFile = 'workflows.js'

/** What the worker's process can load: whatever a build of it depends on. */
const workerSources = [
  ...['activities', 'agents', 'notary', 'plan', 'planner', 'security', 'temporal', 'workflows'],
  'package-lock.json',
]

/** Names the worker of this installation: Temporal records it with every task that it takes. */
export function workerBuild(): string {
  return digestOfSources(workerSources)
}

export interface BundleOptions {
  readonly cacheFolder: string
  readonly environment: Readonly<Record<string, string>>
  /** False when every agent's bundle is given. */
  readonly agents: boolean
  /** Told before a build, which takes seconds. */
  readonly onBuild: (name: string) => void
}

/** @throws SupervisorError BUNDLE_FAILED with the end of what the build said */
export async function prepareBundles(options: BundleOptions): Promise<Bundles> {
  const [agents, workflows] = await Promise.all([
    options.agents ? prepareBundle(agentBundles, options) : '',
    prepareBundle(workflowBundle, options),
  ])
  return { agents, workflows: join(workflows, workflowFile) }
}

const run = promisify(execFile)

async function prepareBundle(kind: BundleKind, options: BundleOptions): Promise<string> {
  const parent = join(options.cacheFolder, 'bundles', kind.name)
  const folder = join(parent, digestOfSources(kind.sources))
  if (existsSync(folder)) return folder
  options.onBuild(kind.name)
  mkdirSync(parent, { recursive: true, mode: 0o700 })
  const work = `${folder}.${process.pid}`
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work)
  try {
    await run(process.execPath, [join(installation, kind.program), ...kind.args(work)], {
      cwd: installation,
      env: { ...options.environment },
      timeout: 120_000,
      maxBuffer: 16 * 1024 * 1024,
    })
    openToReaders(work)
    renameSync(work, folder)
  } catch (cause) {
    rmSync(work, { recursive: true, force: true })
    // Two deployments may build at once; the first one in place wins, with the same bytes.
    if (existsSync(folder)) return folder
    const said = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : String(cause)
    throw new SupervisorError(
      'BUNDLE_FAILED',
      `building the ${kind.name} failed: ${said.trim().slice(-1_000)}`,
      { next: 'npm run setup', cause },
    )
  }
  return folder
}

/** Whoever runs a bundle as root's child is another user; the umask must not decide that it can. */
function openToReaders(folder: string): void {
  chmodSync(folder, 0o755)
  for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o644)
}

/** Over names and bytes of all that is loaded below the sources, and over what runs the bundle. */
function digestOfSources(sources: readonly string[]): string {
  const hash = createHash('sha256').update(`${process.version} ${process.platform}\n`)
  for (const file of sources.flatMap(listFiles).sort()) {
    hash.update(`${file}\n`).update(readFileSync(join(installation, file)))
  }
  return hash.digest('hex').slice(0, 16)
}

function listFiles(source: string): readonly string[] {
  if (!existsSync(join(installation, source))) return []
  if (source.includes('.')) return [source]
  return readdirSync(join(installation, source), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ts|js|json|wasm)$/.test(name))
    .map((name) => join(source, name))
}
