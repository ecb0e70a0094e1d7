// The policy of a deployment as the supervisor hands it out: settings of `bulkhead.yaml`, and the
// household's own rules compiled by OPA where it has some. Given to notary and worker as a file that they
// read again when told to, and to the commands. Which one is in force the notary says; nobody else is
// given one that it has not taken up. Here nothing is decided.

import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { PolicySettings } from '../plan/policy-settings.ts'
import { BuildError } from '../security/policy/build.ts'
import { buildHousehold, digestOfSources } from '../security/policy/household.ts'
import {
  type PolicyInUse,
  policyFileName,
  policyInUseName,
  policyInUseSchema,
} from '../security/policy/in-use.ts'
import { type PolicyFile, policyFileSchema } from '../security/policy/policy-file.ts'
import { sha256 } from '../security/verify/hash.ts'
import { SupervisorError } from './codes.ts'
import { readForeign } from './foreign-file.ts'
import { personCommands } from './household.ts'
import { type Owner, writeFor } from './ownership.ts'
import type { StateLayout } from './state.ts'
import { installation } from './toolchain.ts'

const run = promisify(execFile)

export interface PolicyParts {
  readonly settings: PolicySettings
  /** Absolute path of the household's rules. */
  readonly bundle: string | undefined
}

/** OPA is built the first time that somebody has rules of their own: minutes on a small machine. */
const opaTimeoutMs = 15 * 60_000

/** @throws SupervisorError BUNDLE_FAILED with what OPA says against the rules */
export async function composePolicy(
  { settings, bundle }: PolicyParts,
  {
    cacheFolder,
    environment,
    say,
  }: {
    readonly cacheFolder: string
    readonly environment: Readonly<Record<string, string>>
    readonly say: (line: string) => void
  },
): Promise<PolicyFile> {
  if (bundle === undefined) return { settings: { ...settings } }
  const folder = join(cacheFolder, 'policies')
  const cached = join(folder, `${digestOfSources(bundle)}.json`)
  if (existsSync(cached)) {
    const { household } = policyFileSchema.parse(JSON.parse(readFileSync(cached, 'utf8')))
    return household === undefined
      ? { settings: { ...settings } }
      : { settings: { ...settings }, household }
  }
  say(`compiling the policy in ${bundle}`)
  try {
    const program = join(installation, 'setup', 'opa.mjs')
    const options = { env: { ...environment }, timeout: opaTimeoutMs }
    const { stdout } = await run(process.execPath, [program], options)
    const { wasm, data } = await buildHousehold(stdout.trim(), bundle)
    const file = policyFileSchema.parse({
      settings,
      household: { wasm: Buffer.from(wasm).toString('base64'), data },
    })
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    writeFileSync(`${cached}.${process.pid}`, JSON.stringify(file), { mode: 0o600 })
    renameSync(`${cached}.${process.pid}`, cached)
    return file
  } catch (cause) {
    const said = cause instanceof BuildError ? cause.message : String(cause)
    throw new SupervisorError('BUNDLE_FAILED', `the policy in ${bundle} is refused: ${said}`, {
      next: `npx bulkhead policy check ${bundle}`,
      cause,
    })
  }
}

/** The users that processes with a policy of their own run as. */
export interface PolicyReaders {
  readonly notary: Owner
  readonly worker: Owner
}

/** For the notary, and for all who compile plans: at a start, when nobody decides by another yet. */
export function writePolicy(layout: StateLayout, file: PolicyFile, readers: PolicyReaders): void {
  writeForNotary(layout, file, readers)
  writeForCompilers(layout, file, readers)
}

function writeForNotary(layout: StateLayout, file: PolicyFile, { notary }: PolicyReaders): void {
  writeFor(notary, join(layout.notary, policyFileName), toText(file), 0o600)
}

/** The worker and each person's commands. */
function writeForCompilers(layout: StateLayout, file: PolicyFile, { worker }: PolicyReaders): void {
  const text = toText(file)
  writeFor(worker, join(layout.worker, policyFileName), text, 0o600)
  for (const commands of [layout.cli, ...personCommands(layout)]) {
    writeFor(undefined, join(commands, policyFileName), text, 0o600)
  }
}

const toText = (file: PolicyFile) => `${JSON.stringify(file)}\n`

/** What the notary says of it; undefined before it ever ran. */
export function readPolicyInUse(layout: StateLayout): PolicyInUse | undefined {
  return readInUse(layout.notary)
}

/** A refusal names what OPA said of a module; no more than a screenful. */
const maxWordBytes = 64 * 1024

function readInUse(folder: string): PolicyInUse | undefined {
  const text = readForeign(join(folder, policyInUseName), maxWordBytes)
  try {
    return text === undefined ? undefined : policyInUseSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** For `doctor`. @throws SupervisorError NOT_RECORDED when a newer one was refused */
export function checkPolicy(layout: StateLayout): string {
  const inUse = readPolicyInUse(layout)
  if (inUse === undefined) return 'none in force yet: the notary has not run'
  const { digest, refused } = inUse
  if (refused === null) return digest
  throw new SupervisorError(
    'NOT_RECORDED',
    `${digest} is in force, because a newer one was refused: ${refused}`,
    { next: 'npx bulkhead policy check <folder>, then npx bulkhead policy reload' },
  )
}

/** A process that is busy or starting takes a moment. */
const takenTimeoutMs = 20_000
const pollMs = 50

export interface PolicyReload extends PolicyInUse {
  readonly previous: string
  /** Whether the worker compiles by it too; if not yet, it does from its next start. */
  readonly worker: 'taken' | 'behind'
}

/**
 * Hands out a policy while everything runs: to the notary, whose word counts, and when it is in force to
 * all who compile plans. What the notary refuses, nobody else gets.
 * @throws SupervisorError NOT_RECORDED when the notary does not look at it
 */
export async function reloadPolicy(
  layout: StateLayout,
  file: PolicyFile,
  {
    readers,
    hangUp,
  }: {
    readonly readers: PolicyReaders
    readonly hangUp: (process: 'notary' | 'worker') => void
  },
): Promise<PolicyReload> {
  const previous = readPolicyInUse(layout)?.digest ?? ''
  const wanted = sha256(toText(file))
  writeForNotary(layout, file, readers)
  hangUp('notary')
  const inUse = await untilSeen(layout.notary, wanted)
  if (inUse === undefined) {
    throw new SupervisorError('NOT_RECORDED', 'the notary has not looked at the policy', {
      next: 'npx bulkhead status',
    })
  }
  if (inUse.refused !== null) return { ...inUse, previous, worker: 'taken' }
  writeForCompilers(layout, file, readers)
  hangUp('worker')
  const taken = await untilSeen(layout.worker, wanted)
  return { ...inUse, previous, worker: taken?.refused === null ? 'taken' : 'behind' }
}

async function untilSeen(folder: string, wanted: string): Promise<PolicyInUse | undefined> {
  for (const until = Date.now() + takenTimeoutMs; Date.now() < until; await delay(pollMs)) {
    const inUse = readInUse(folder)
    if (inUse?.seen === wanted) return inUse
  }
  return undefined
}
