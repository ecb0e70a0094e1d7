// Everything that must be true before the first process starts: the state folder is ours and locked,
// the configuration is read, the programs are there, the disk has room, what a killed supervisor left
// is gone, bundles and keys exist. Each failure is a SupervisorError with the next command.

import { statfsSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentManifest, Catalogue } from '../plan/manifest.ts'
import { withReplicas } from '../plan/replicas.ts'
import { prepareKeys } from '../security/pki/deployment-keys.ts'
import { type Bundles, prepareBundles, workerBuild } from './bundles.ts'
import { SupervisorError } from './codes.ts'
import type { Environment } from './config.ts'
import { type Configuration, loadConfiguration } from './configuration.ts'
import { egressSocketName, needsGateway } from './egress.ts'
import { claimOwners, readIdMaps } from './ids.ts'
import { type Journal, openJournal } from './journal.ts'
import { claimLock } from './lock.ts'
import { type Owners, oneUser } from './ownership.ts'
import { openPartyFolders } from './party-folders.ts'
import { openPeople, type People } from './people.ts'
import { composePolicy, writePolicy } from './policy.ts'
import { listReplicas } from './pool.ts'
import { locateAddon, runtimeMounts } from './sandbox/contents.ts'
import type { SandboxDriver } from './sandbox/driver.ts'
import { awaitFormerGuard, startGuard } from './sandbox/guard.ts'
import { canMakeControlGroups, locateRuntime } from './sandbox/host.ts'
import type { SandboxMount } from './sandbox/oci-spec.ts'
import { foldersOfProgram } from './sandbox/programs.ts'
import { createRuncDriver } from './sandbox/runc.ts'
import {
  type SeccompProfile,
  seccompProfileSchema,
  toOciSeccomp,
  withPrograms,
} from './sandbox/seccomp.ts'
import { findVolumes, type LedgerVolumes } from './sandbox/volume.ts'
import { claimSlots, createWhose, type Whose } from './slots.ts'
import {
  prepareReplicaFolders,
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

export interface Preparation extends Whose {
  readonly layout: StateLayout
  readonly deployment: string
  readonly configuration: Configuration
  /** With the replicas of this deployment. */
  readonly catalogue: Catalogue
  readonly journal: Journal
  readonly replicas: readonly ReplicaAddress[]
  readonly people: People
  readonly owners: Owners
  readonly surroundings: Surroundings
  readonly tools: Readonly<Record<ToolName, Tool>>
  readonly driver: SandboxDriver
  /** Undefined where ledgers cannot have file systems of their own. */
  readonly volumes: LedgerVolumes | undefined
  readonly runtime: readonly SandboxMount[]
  readonly addon: string
  readonly workflowBundle: string
  /** Of the worker: a digest of all that it runs. */
  readonly build: string
  readonly sockets: string
  bundleOf(manifest: AgentManifest): string
}

/** Start-up writes a few megabytes; below this the first run would already fail half-way. */
const neededBytes = 64 * 1024 * 1024

/** @throws SupervisorError, PkiError */
export async function prepare(options: PrepareOptions, unwind: Unwind): Promise<Preparation> {
  const { environment } = options
  const configuration = loadConfiguration(options.configFile, options.catalogue)
  const catalogue = withReplicas(options.catalogue, configuration.replicas)
  const layout = stateLayout(options.state)
  prepareState(layout, [])
  const lock = claimLock(layout.lock, layout.root)
  unwind.add('lock', () => lock.release())
  const people = openPeople(layout.peopleFile)
  const { replicas, whose } = prepareReplicas(layout, people, { catalogue, configuration })
  const owners = await prepareOwners(layout, replicas, { ...options, ...whose })
  assertSpace(layout.root)
  const journal = openJournal(layout.logs, options.say)
  unwind.add('journal', () => journal.close())
  const runc = locateRuntime(environment)
  const { cacheFolder, childEnvironment } = environment
  const policy = await composePolicy(configuration.policy, {
    ...{ cacheFolder, environment: childEnvironment, say: journal.say },
  })
  const [temporal, natsServer, { deployment }, bundles] = await Promise.all([
    locateTool('temporal', environment),
    locateTool('nats-server', environment),
    prepareKeys({ state: layout.root, replicas, users: people.ids() }),
    prepareBundles({
      cacheFolder: environment.cacheFolder,
      agents: [...catalogue.keys()].some((name) => options.bundles?.has(name) !== true),
      environment: environment.childEnvironment,
      onBuild: (name) => journal.say(`building the ${name} (first start after a change)`),
    }),
  ])
  writeFileSync(layout.namesFile, `${JSON.stringify(configuration.names)}\n`, { mode: 0o600 })
  const readers = { notary: owners.of('notary'), worker: owners.of('worker') }
  writePolicy(layout, policy, readers)
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
    folders: [layout.root, sockets, ...programFolders(catalogue, replicas, whose)],
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
    catalogue,
    journal,
    replicas,
    people,
    ...whose,
    owners,
    surroundings,
    tools: { temporal, 'nats-server': natsServer },
    driver,
    volumes,
    runtime: await runtimeMounts(process.execPath, addon),
    addon,
    workflowBundle: bundles.workflows,
    build: workerBuild(),
    sockets,
    bundleOf: ({ name }) => bundleFile(name, bundles, options.bundles),
  }
}

/** Which there are, and for whom each is; with their folders. @throws SupervisorError STATE_UNUSABLE */
function prepareReplicas(
  layout: StateLayout,
  people: People,
  declared: Parameters<typeof createWhose>[1],
): { readonly replicas: readonly ReplicaAddress[]; readonly whose: Whose } {
  const slots = claimSlots(layout.slotsFile, people.ids())
  const replicas = listReplicas(declared.catalogue, slots)
  prepareReplicaFolders(layout, replicas)
  return { replicas, whose: createWhose(slots, declared) }
}

/** What a sandbox's user must be able to pass through to reach the configured programs. */
function programFolders(
  catalogue: Catalogue,
  replicas: readonly ReplicaAddress[],
  { settingsOf }: Pick<Whose, 'settingsOf'>,
): readonly string[] {
  return replicas.flatMap((address) => {
    const { programs = [] } = catalogue.get(address.agent) ?? {}
    const settings = settingsOf(address)
    return programs.flatMap(({ from }) => foldersOfProgram(settings.value(from.config)))
  })
}

/**
 * Who shares data shares the id: replicas of an agent that has a folder write to the same one, and
 * those of one person to that person's.
 */
async function prepareOwners(
  layout: StateLayout,
  replicas: readonly ReplicaAddress[],
  { environment, catalogue, personOf }: PrepareOptions & Pick<Whose, 'personOf'>,
): Promise<Owners> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) {
    return oneUser('notary and worker share your user id, so a compromised worker is not contained')
  }
  return claimOwners({
    state: layout.root,
    registry: join(environment.systemFolder, 'ids'),
    agents: replicas.map((address) => {
      const shares = (catalogue.get(address.agent)?.mounts.length ?? 0) > 0
      const person = personOf(address)
      const shared = person === undefined ? address.agent : `${address.agent}@${person}`
      return { ...address, key: shares ? shared : `${address.agent}.${address.n}` }
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
  const agent = await readProfile('agent')
  const programs = await readProfile('programs')
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
    seccomp: toOciSeccomp(agent, process.arch),
    programSeccomp: toOciSeccomp(withPrograms(agent, programs), process.arch),
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

async function readProfile(name: 'agent' | 'programs'): Promise<SeccompProfile> {
  const file = join(installation, 'seccomp', `${name}.json`)
  return seccompProfileSchema.parse(JSON.parse(await readFile(file, 'utf8')))
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
