// The start of one life of an agent replica, as one chain: secrets, bus socket, sandbox, ready, recorded
// by the notary. What fails takes back all that came before it.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  type BootFacts,
  type LedgerStorage,
  type PrepareInput,
  prepareBundle,
  prepareSecrets,
  removeSecrets,
} from './agent-files.ts'
import { type AgentIds, giveReplica, prepareSandboxUser } from './agent-ownership.ts'
import { keepBoot } from './boot-record.ts'
import { announceEpoch, type EgressDoor, withdrawEpoch } from './egress.ts'
import { type Forwarder, openForwarder } from './forwarder.ts'
import type { LogFile } from './log-file.ts'
import type { NotaryPort } from './notary-port.ts'
import { openQuota, type Quota } from './quota.ts'
import type { Roads } from './roads.ts'
import { agentCommand, type GrantedFolder, sandboxMounts } from './sandbox/contents.ts'
import type { RunningSandbox, SandboxDriver } from './sandbox/driver.ts'
import type { SandboxLimits, SandboxMount } from './sandbox/oci-spec.ts'
import type { GrantedProgram } from './sandbox/programs.ts'
import type { ReplicaAddress, ReplicaLayout } from './state.ts'

export interface BootOptions extends AgentIds {
  readonly layout: ReplicaLayout
  readonly deployment: string
  readonly tokenKeys: string
  readonly socket: string
  /** Its way to the gateway; undefined where the manifest declares no egress. */
  readonly egress: EgressDoor | undefined
  readonly bus: { readonly host: string; readonly port: number }
  readonly roads: Roads
  readonly bundle: string
  readonly addon: string
  readonly runtime: readonly SandboxMount[]
  readonly storage: LedgerStorage
  /** Resolved anew at each start; a function, because a missing setting refuses the start. */
  readonly secrets: () => PrepareInput['secrets']
  /** Folders of the manifest's mounts; a function, because a missing setting refuses the start. */
  readonly granted: () => readonly GrantedFolder[]
  readonly limits: SandboxLimits
  /** Undefined: its manifest declares none. Looked up at each start, because programs are upgraded. */
  readonly programs: (() => Promise<readonly GrantedProgram[]>) | undefined
  readonly driver: SandboxDriver
  readonly notary: NotaryPort
  readonly log: LogFile
  readonly now: () => number
}

export interface Boot {
  readonly facts: BootFacts
  readonly sandbox: RunningSandbox
  readonly forwarder: Forwarder
  readonly quota: Quota
}

const startTimeoutMs = 15_000

export const nameOf = ({ agent, n }: ReplicaAddress) => `${agent}.${n}`

/** @throws SupervisorError, or what the notary or the sandbox said */
export async function startReplica(options: BootOptions): Promise<Boot> {
  const { address, layout, driver } = options
  const name = nameOf(address)
  const granted = options.granted()
  const programs = (await options.programs?.()) ?? []
  const user = prepareSandboxUser(granted, options)
  prepareBundle(layout, { bundle: options.bundle, addon: options.addon })
  const quota = await openQuota({ ...options, granted })
  const facts = await prepareSecrets({ ...options, secrets: options.secrets(), programs })
  announceEpoch(options.egress, facts)
  let sandbox: RunningSandbox | undefined
  const forwarder = await openForwarder({
    socket: options.socket,
    target: options.bus,
    now: options.now,
    roads: options.roads,
    onEnd: () => sandbox?.look(),
  })
  try {
    giveReplica(layout, user, { bus: options.socket, egress: options.egress?.socket })
    sandbox = await driver.start({
      spec: {
        name: `bh-${options.deployment}-${name}-${facts.bootEpoch}`,
        hostname: name.replace('.', '-'),
        command: agentCommand,
        mounts: sandboxMounts(
          options.runtime,
          {
            bundle: layout.bundle,
            secrets: layout.secrets,
            ledger: layout.ledger,
            busSocket: options.socket,
            ...(options.egress === undefined ? {} : { egressSocket: options.egress.socket }),
          },
          granted,
          programs,
        ),
        user: user ?? { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
        limits: options.limits,
        runsPrograms: options.programs !== undefined,
      },
      folder: join(layout.run, 'sandbox'),
      log: options.log,
      startTimeoutMs,
    })
    keepBoot(layout, facts)
    await options.notary.boot({ ...address, ...facts, running: true })
    return { facts, sandbox, forwarder, quota }
  } catch (error) {
    await sandbox?.stop(0)
    await forwarder.close()
    withdrawEpoch(options.egress)
    removeSecrets(layout)
    rmSync(options.socket, { force: true })
    throw error
  }
}
