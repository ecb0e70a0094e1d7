// What `doctor` says of what agents and the notary keep: whether a ledger has a file system of its own
// here, how full each is, how agents are bounded, whether the witnesses of the audit keep up. Changes
// nothing; throws what is wrong as a SupervisorError with the next step.

import { existsSync, statfsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Catalogue } from '../plan/manifest.ts'
import { storageBytesOf } from '../plan/sandbox-declaration.ts'
import { readWitness } from '../security/audit/witness.ts'
import { SupervisorError } from './codes.ts'
import type { Environment } from './config.ts'
import { listReplicas } from './pool.ts'
import { measure } from './quota.ts'
import { canMakeControlGroups } from './sandbox/host.ts'
import { defaultLimits } from './sandbox/oci-spec.ts'
import { findVolumes } from './sandbox/volume.ts'
import { readSlots } from './slots.ts'
import { type ReplicaLayout, stateLayout } from './state.ts'

const mebibyte = 1024 * 1024

/** Not a failure: rootless sandboxes are bounded by resource limits, and it is said what those lack. */
export function describeLimits(canGroup: boolean = canMakeControlGroups()): string {
  const { memoryBytes, dataBytes, pids, cpuMillis } = defaultLimits
  if (canGroup) {
    return `each agent has ${memoryBytes / mebibyte} MiB of memory, ${pids} threads and ${cpuMillis / 1_000} processor, by the kernel's account`
  }
  return [
    'not available: each agent is bounded by limits of its process',
    `it may take ${dataBytes / mebibyte} MiB instead of ${memoryBytes / mebibyte}, and all processors`,
    `${pids} threads where the kernel counts them for each user (Linux 5.14, not root)`,
  ].join('; ')
}

/** Not a failure either: tried, because a container around us may have taken devices. */
export async function describeVolumes(environment: Environment): Promise<string> {
  const found = await findVolumes(environment.path, environment.temporaryFolder)
  return 'volumes' in found
    ? 'each ledger has a file system of its own'
    : `not available (without ${found.missing}): the supervisor looks at sizes, and a flood takes disk until it is seen`
}

/** Beyond it an agent is about to refuse effects. */
const fullShare = 0.9

/** @throws SupervisorError OVER_QUOTA */
export async function checkLedgers(state: string, catalogue: Catalogue): Promise<string> {
  const layout = stateLayout(state)
  const said: string[] = []
  for (const address of listReplicas(catalogue, readSlots(layout.slotsFile))) {
    const manifest = catalogue.get(address.agent)
    const { folder, ledger, ledgerImage } = layout.replica(address)
    if (manifest === undefined || !existsSync(ledger)) continue
    const name = `${address.agent}.${address.n}`
    const share = await fillOf({ folder, ledger, ledgerImage }, storageBytesOf(manifest))
    if (share !== undefined && share > fullShare) {
      throw new SupervisorError('OVER_QUOTA', `the ledger of ${name} is ${percent(share)} full`, {
        next: `look into ${ledger} for what does not belong to it, or raise storageBytes in the agent's manifest`,
      })
    }
    said.push(`${name} ${share === undefined ? 'not mounted' : percent(share)}`)
  }
  return said.length === 0 ? 'none yet' : said.join(', ')
}

/** Undefined for a volume that is not mounted: the platform is down. */
async function fillOf(
  { folder, ledger, ledgerImage }: Pick<ReplicaLayout, 'folder' | 'ledger' | 'ledgerImage'>,
  most: number,
): Promise<number | undefined> {
  if (statSync(ledger).dev !== statSync(folder).dev) {
    const { blocks, bavail } = statfsSync(ledger)
    return 1 - bavail / blocks
  }
  return existsSync(ledgerImage) ? undefined : (await measure(ledger)).bytes / most
}

const percent = (share: number) => `${Math.ceil(share * 100)} %`

/** The worker looks every five seconds; the command when it verifies. */
const behindMs = 60_000

/**
 * The audit's witnesses on this machine, by their own files. The third, a Temporal workflow, is compared
 * by `audit verify`, which also checks what is only looked at here.
 * @throws SupervisorError WITNESS_BEHIND
 */
export function checkWitnesses(state: string, startedAt: number | undefined): string {
  const { notary, worker, root } = stateLayout(state)
  const audit = ['audit.db', 'audit.db-wal'].map((name) => join(notary, name)).filter(existsSync)
  if (audit.length === 0) return 'there is no audit yet'
  const writtenAt = Math.max(...audit.map((file) => statSync(file).mtimeMs))
  const heads = { worker: latest(worker), command: latest(join(root, 'cli')) }
  const seenAt = heads.worker?.at ?? 0
  // A platform that is just starting has written its first rows, and has no worker yet.
  const isYoung = startedAt !== undefined && Date.now() - startedAt < behindMs
  if (!isYoung && writtenAt - seenAt > behindMs) {
    const what =
      heads.worker === undefined
        ? 'has no head at all'
        : `saw its last at ${new Date(seenAt).toISOString()}`
    throw new SupervisorError(
      'WITNESS_BEHIND',
      `the worker ${what}, and the audit has grown since`,
      {
        next: 'npx bulkhead audit verify',
      },
    )
  }
  const say = (name: string, head: { readonly size: number } | undefined) =>
    `${name} ${head === undefined ? 'none yet' : `row ${head.size}`}`
  return `${say('worker', heads.worker)}, ${say('command', heads.command)}; audit verify compares the anchor too`
}

function latest(folder: string) {
  return readWitness(join(folder, 'witness.jsonl')).at(-1)
}
