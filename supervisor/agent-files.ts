// The files one sandbox starts with: its secrets, drawn or copied anew at each start, its ledger
// folder and its bundle. Each secret goes into the one sandbox that may have it, 0400, and the
// receipt key's private half is deleted again when the sandbox ends.

import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fromSeed } from '@nats-io/nkeys'
import type { PublicJwk } from '../notary/contract.ts'
import { ledgerBytesOf } from '../plan/sandbox-declaration.ts'
import { generateKeyPairJwk } from '../security/verify/keys.ts'
import { SupervisorError } from './codes.ts'
import { addonName } from './sandbox/contents.ts'
import type { GrantedProgram } from './sandbox/programs.ts'
import type { LedgerVolumes } from './sandbox/volume.ts'
import type { ReplicaAddress, ReplicaLayout } from './state.ts'

/** What the supervisor registers with the notary; nothing in it is secret. */
export interface BootFacts {
  readonly bootEpoch: string
  /** Public nkey of the replica's bus user. */
  readonly nkey: string
  readonly receiptKey: PublicJwk
}

export interface PrepareInput {
  readonly address: ReplicaAddress
  readonly layout: ReplicaLayout
  readonly deployment: string
  /** The public token keys of the deployment. */
  readonly tokenKeys: string
  readonly storage: LedgerStorage
  /** Of the person's, resolved: given to this sandbox and to nothing else. */
  readonly secrets: readonly { readonly name: string; readonly value: string }[]
  readonly programs?: readonly ProgramPlace[]
}

/** Where its programs are, as the agent is told it. */
type ProgramPlace = Pick<GrantedProgram, 'name' | 'command' | 'env'>

export interface LedgerStorage {
  readonly bytes: number
  /** Undefined where this machine has none: the supervisor's watch is the only bound then. */
  readonly volumes: Pick<LedgerVolumes, 'mount'> | undefined
}

/** Draws the boot epoch and the receipt key and fills the secrets folder. */
export async function prepareSecrets(input: PrepareInput): Promise<BootFacts> {
  const { layout, address, deployment } = input
  const bootEpoch = randomBytes(12).toString('hex')
  const { privateJwk, publicJwk } = await generateKeyPairJwk()
  const seed = readFileSync(join(layout.bus, 'nkey.seed'))
  const nkey = fromSeed(seed).getPublicKey()
  const ledgerId = prepareLedger(layout)
  await mountLedger(layout, input.storage)
  removeSecrets(layout)
  mkdirSync(join(layout.secrets, 'bus'), { recursive: true, mode: 0o700 })
  const secret = (name: string, value: unknown) =>
    writeFileSync(join(layout.secrets, name), JSON.stringify(value), { mode: 0o400 })
  secret('config.json', {
    deployment,
    issuer: `notary:${deployment}`,
    agent: address.agent,
    n: address.n,
    bootEpoch,
    nkey,
    ledgerId,
    ledgerBytes: ledgerBytesOf(input.storage.bytes),
    insecure: false,
    programs: (input.programs ?? []).map(({ name, command, env }) => ({ name, command, env })),
  })
  secret('receipt.jwk.json', privateJwk)
  copySecret(input.tokenKeys, join(layout.secrets, 'token-keys.json'))
  copySecret(layout.ledgerKey, join(layout.secrets, 'ledger.key'))
  for (const { name, value } of input.secrets) {
    writeFileSync(join(layout.secrets, name), value, { mode: 0o400 })
  }
  for (const name of readdirSync(layout.bus)) {
    copySecret(join(layout.bus, name), join(layout.secrets, 'bus', name))
  }
  return { bootEpoch, nkey, receiptKey: publicJwk }
}

function copySecret(from: string, to: string): void {
  copyFileSync(from, to)
  chmodSync(to, 0o400)
}

/** After the sandbox has ended: the receipt key of that boot signs nothing more. */
export function removeSecrets(layout: ReplicaLayout): void {
  rmSync(layout.secrets, { recursive: true, force: true })
}

/** Name of the file that tells an agent to create its ledger. */
export const ledgerMarker = 'INITIALISE'

/**
 * Creates the ledger folder once, with the marker that lets the agent create an empty ledger in it.
 * A folder that is missing although it was created before means a lost ledger: it comes back without
 * the marker, and the agent then refuses effects. An empty ledger is either new or missing, never
 * both.
 */
export function prepareLedger(layout: ReplicaLayout): string {
  const created = join(layout.folder, 'ledger.created')
  const ledgerId = readFileSync(layout.ledgerId, 'utf8').trim()
  if (!existsSync(layout.ledger)) {
    const fresh = `${layout.ledger}.new`
    rmSync(fresh, { recursive: true, force: true })
    mkdirSync(fresh, { mode: 0o700 })
    if (!existsSync(created)) {
      writeFileSync(join(fresh, ledgerMarker), ledgerId, { mode: 0o600 })
    }
    renameSync(fresh, layout.ledger)
  } else if (!existsSync(created) && readdirSync(layout.ledger).length === 0) {
    // A volume that was emptied on purpose, and is in use: the folder itself cannot be replaced.
    writeFileSync(join(layout.ledger, ledgerMarker), ledgerId, { mode: 0o600 })
  }
  // After the folder: a crash in between leaves a folder with its marker, which is still new.
  if (!existsSync(created)) writeFileSync(created, '', { mode: 0o600 })
  return ledgerId
}

/** @throws SupervisorError VOLUME_FAILED, DISK_FULL */
async function mountLedger(
  layout: ReplicaLayout,
  { volumes, bytes }: LedgerStorage,
): Promise<void> {
  if (volumes !== undefined) {
    await volumes.mount({ ledger: layout.ledger, image: layout.ledgerImage }, bytes)
  } else if (existsSync(layout.ledgerImage)) {
    // The folder below is empty: going on with it would forget every effect.
    throw new SupervisorError('VOLUME_FAILED', `${layout.ledgerImage} cannot be mounted here`, {
      next: 'bulkhead doctor says what this machine lacks for ledger volumes',
    })
  }
}

/** Copies bundle and addon into the replica's own folder, when they differ from what lies there. */
export function prepareBundle(
  layout: ReplicaLayout,
  sources: { readonly bundle: string; readonly addon: string },
): void {
  mkdirSync(layout.bundle, { recursive: true, mode: 0o700 })
  copyIfChanged(sources.bundle, join(layout.bundle, 'agent.mjs'))
  copyIfChanged(sources.addon, join(layout.bundle, addonName))
}

function copyIfChanged(from: string, to: string): void {
  const wanted = readFileSync(from)
  if (existsSync(to) && readFileSync(to).equals(wanted)) return
  const work = `${to}.new`
  writeFileSync(work, wanted, { mode: 0o400 })
  renameSync(work, to)
}
