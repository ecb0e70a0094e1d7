// Everything that must be true before the first process starts: the state folder is ours and locked,
// the configuration is read, the programs are there, the disk has room, what a killed supervisor left
// is gone, bundles and keys exist. Each failure is a SupervisorError with the next command.

import { statfsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentManifest, Catalogue } from '../plan/manifest.ts'
import { prepareKeys } from '../security/pki/deployment-keys.ts'
import { type Bundles, prepareBundles } from './bundles.ts'
import { SupervisorError } from './codes.ts'
import type { Environment } from './config.ts'
import { type Configuration, loadConfiguration } from './configuration.ts'
import { egressSocketName, needsGateway } from './egress.ts'
import { claimOwners, readIdMaps } from './ids.ts'
import { type Journal, openJournal } from './journal.ts'
import { claimLock } from './lock.ts'
import { type Owners, oneUser } from './ownership.ts'
import { openPartyFolders } from './party-folders.ts'
import { listReplicas } from './pool.ts'
import { locateAddon, runtimeMounts } from './sandbox/contents.ts'
import type { SandboxDriver } from './sandbox/driver.ts'
import { awaitFormerGuard, startGuard } from './sandbox/guard.ts'
import { canMakeControlGroups, locateRuntime } from './sandbox/host.ts'
import type { SandboxMount } from './sandbox/oci-spec.ts'
import { createRuncDriver } from './sandbox/runc.ts'
import { seccompProfileSchema, toOciSeccomp } from './sandbox/seccomp.ts'
import { findVolumes, type LedgerVolumes } from './sandbox/volume.ts'
import {
  prepareSocketFolder,
  prepareState,
  type ReplicaAddress,
  removeSocketFolder,
  type StateLayout,
  stateLayout,
} from './state.ts'
import { prepareSurroundings, type Surroundings } from './surroundings.ts'
import { installation, locateTool, type Tool, type ToolName } from './toolchain.ts'
import type { Unwind } from './unwind.ts'
import { viewCommand } from './view.ts'

export interface PrepareOptions {
  readonly state: string
  readonly configFile: string
  readonly environment: Environment
  readonly catalogue: Catalogue
  /** Bundles by agent name that replace the built ones. */
  readonly bundles?: ReadonlyMap<string, string>
  readonly say: (line: string) => void
}

export interface Preparation {
  readonly layout: StateLayout
  readonly deployment: string
  readonly configuration: Configuration
  readonly journal: Journal
  readonly replicas: readonly ReplicaAddress[]
  readonly owners: Owners
  readonly surroundings: Surroundings
  readonly tools: Readonly<Record<ToolName, Tool>>
  readonly driver: SandboxDriver
  /** Undefined where ledgers cannot have file systems of their own. */
  readonly volumes: LedgerVolumes | undefined
  readonly runtime: readonly SandboxMount[]
  readonly addon: string
  readonly workflowBundle: string
  readonly sockets: string
  bundleOf(manifest: AgentManifest): string
}

/** Start-up writes a few megabytes; below this the first run would already fail half-way. */
const neededBytes = 64 * 1024 * 1024

/** @throws SupervisorError, PkiError */
export async function prepare(options: PrepareOptions, unwind: Unwind): Promise<Preparation> {
  const { environment, catalogue } = options
  const configuration = loadConfiguration(options.configFile, catalogue)
  const layout = stateLayout(options.state)
  const replicas = listReplicas(catalogue)
  prepareState(layout, replicas)
  const lock = claimLock(layout.lock, layout.root)
  unwind.add('lock', () => lock.release())
  const owners = await prepareOwners(layout, replicas, options)
  assertSpace(layout.root)
  const journal = openJournal(layout.logs, options.say)
  unwind.add('journal', () => journal.close())
  const runc = locateRuntime(environment)
  const [temporal, natsServer, { deployment }, bundles] = await Promise.all([
    locateTool('temporal', environment),
    locateTool('nats-server', environment),
    prepareKeys({ state: layout.root, replicas }),
    prepareBundles({
      cacheFolder: environment.cacheFolder,
      agents: [...catalogue.keys()].some((name) => options.bundles?.has(name) !== true),
      environment: environment.childEnvironment,
      onBuild: (name) => journal.say(`building the ${name} (first start after a change)`),
    }),
  ])
  openPartyFolders(layout, owners, { gateway: needsGateway(catalogue) })
  const volumes = await prepareVolumes(environment.path, layout, journal)
  const addon = locateAddon()
  const sockets = prepareSocketFolder(layout, {
    names: [
      'control.sock',
      ...replicas.map(({ agent, n }) => `${agent}.${n}.sock`),
      ...(needsGateway(catalogue) ? replicas.map(egressSocketName) : []),
    ],
    temporaryFolder: environment.temporaryFolder,
  })
  unwind.add('sockets', () => removeSocketFolder(layout))
  const surroundings = prepareSurroundings(owners, {
    systemFolder: environment.systemFolder,
    folders: [layout.root, sockets],
    files: [temporal.path, natsServer.path, bundles.workflows, process.execPath],
  })
  const driver = await prepareDriver(
    { runc, layout, deployment, journal, volumes, surroundings },
    unwind,
  )
  return {
    layout,
    deployment,
    configuration,
    journal,
    replicas,
    owners,
    surroundings,
    tools: { temporal, 'nats-server': natsServer },
    driver,
    volumes,
    runtime: await runtimeMounts(process.execPath, addon),
    addon,
    workflowBundle: bundles.workflows,
    sockets,
    bundleOf: ({ name }) => bundleFile(name, bundles, options.bundles),
  }
}

/** Who shares data shares the id: replicas of an agent that has a folder write to the same one. */
async function prepareOwners(
  layout: StateLayout,
  replicas: readonly ReplicaAddress[],
  { environment, catalogue }: PrepareOptions,
): Promise<Owners> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return oneUser('notary and worker share your user id, so a compromised worker is not contained')
  }
  return claimOwners({
    state: layout.root,
    registry: join(environment.systemFolder, 'ids'),
    agents: replicas.map((address) => {
      const shares = (catalogue.get(address.agent)?.mounts.length ?? 0) > 0
      return { ...address, key: shares ? address.agent : `${address.agent}.${address.n}` }
    }),
    maps: readIdMaps(),
  })
}

function bundleFile(
  name: string,
  built: Bundles,
  replaced: ReadonlyMap<string, string> | undefined,
): string {
  return replaced?.get(name) ?? join(built.agents, `${name}.mjs`)
}

async function prepareDriver(
  input: {
    readonly runc: string
    readonly layout: StateLayout
    readonly deployment: string
    readonly journal: Journal
    readonly volumes: LedgerVolumes | undefined
    readonly surroundings: Surroundings
  },
  unwind: Unwind,
): Promise<SandboxDriver> {
  const { runc, layout, deployment, journal, volumes, surroundings } = input
  const file = join(installation, 'seccomp', 'agent.json')
  const profile = seccompProfileSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  const canLimit = canMakeControlGroups()
  if (!canLimit) {
    journal.say(
      'note: no control groups here, so memory, threads and processor of an agent are bounded by limits of its process only (doctor says more)',
    )
  }
  const driver = createRuncDriver({
    runc,
    root: layout.runc,
    prefix: `bh-${deployment}-`,
    seccomp: toOciSeccomp(profile, process.arch),
    canLimit,
    view: viewCommand(surroundings.view, { ...surroundings, folder: '/', volumes: 'see' }),
  })
  await awaitFormerGuard(layout.run)
  for (const name of await driver.sweep())
    journal.logger.warn({ sandbox: name }, 'leftover deleted')
  // Volumes of a killed supervisor; one that somebody still looks into is used as it is mounted.
  await volumes?.unmountBelow(layout.agents)
  const guard = startGuard({
    runc,
    root: layout.runc,
    folder: layout.run,
    ...(volumes === undefined ? {} : { volumes: { umount: volumes.umount, below: layout.agents } }),
  })
  unwind.add('sandbox guard', async () => {
    await driver.sweep()
    const busy = (await volumes?.unmountBelow(layout.agents)) ?? []
    if (busy.length > 0) journal.logger.warn({ busy }, 'ledger volumes are still in use')
    guard.dismiss()
  })
  return driver
}

async function prepareVolumes(
  path: readonly string[],
  layout: StateLayout,
  journal: Journal,
): Promise<LedgerVolumes | undefined> {
  const found = await findVolumes(path, layout.run)
  if ('volumes' in found) return found.volumes
  journal.say(
    `note: no ledger volumes here (without ${found.missing}), so a flood of files is stopped only once it is seen`,
  )
  return undefined
}

/** @throws SupervisorError DISK_FULL */
export function assertSpace(folder: string): void {
  const { bavail, bsize } = statfsSync(folder)
  if (bavail * bsize >= neededBytes) return
  throw new SupervisorError(
    'DISK_FULL',
    `only ${Math.floor((bavail * bsize) / 1024 / 1024)} MB are free for ${folder}`,
    { next: `free some space on that disk (df -h ${folder}), then start again` },
  )
}
