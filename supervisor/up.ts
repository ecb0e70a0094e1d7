// The composition of a running deployment: what is started in which order, and what happens in
// between. Order of readiness: identities and keys, then Temporal beside nats-server, then the
// notary, then the worker; agents when they are first needed. Stopping is the reverse, and each part
// says how to undo itself at the moment it is started.

import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { connectBus } from '../security/bus.ts'
import type { Deployment } from '../security/deployment.ts'
import { deriveAccounts } from '../security/pki/accounts.ts'
import { credentialFolders, prepareIdentities } from '../security/pki/identities.ts'
import { finishSuccessor, type Successor } from '../security/pki/successor.ts'
import { startAgents } from './agents.ts'
import { type BusServer, createBusServer, listenForReloads, type ReloadNews } from './bus-server.ts'
import { explainSystemError, SupervisorError } from './codes.ts'
import { type Containment, createContainment } from './containment.ts'
import { openControl } from './control.ts'
import { createQuarantineActions } from './control-quarantine.ts'
import { needsGateway, prepareGateway, removeGatewaySecrets } from './egress.ts'
import { createNotaryPort, type NotaryPort } from './notary-port.ts'
import { type Party, writeFor } from './ownership.ts'
import type { AgentPool } from './pool.ts'
import { choosePorts, type Ports } from './ports.ts'
import { type Preparation, type PrepareOptions, prepare } from './prepare.ts'
import { createManagedProcess, type ManagedProcess, type ProcessPlan } from './process.ts'
import { composeRotations } from './rotation/compose.ts'
import type { Rotations } from './rotation/orchestrator.ts'
import type { SecretSources } from './secrets.ts'
import * as servers from './servers.ts'
import type { StartAs } from './start-as.ts'
import { createUnwind, type Unwind } from './unwind.ts'
import { toAgentView, toStatus, toSummaries } from './views.ts'

export interface UpOptions extends PrepareOptions {
  /** Programs that replace ours (tests). */
  readonly entries?: { readonly notary?: string; readonly worker?: string }
  /** Shortest overlap of keys, where a test cannot wait for the real one. */
  readonly leastOverlapMs?: number
  /** Aborted when it shall stop, also during the start. */
  readonly stop: AbortController
}

export interface Platform {
  readonly deployment: Deployment
  /** Why all processes are one user; undefined where each is one of its own. */
  readonly weakness: string | undefined
  /** Resolves when everything has been stopped. */
  readonly stopped: Promise<void>
}

/** What grows while the deployment starts and is looked at through the control socket. */
interface Live {
  readonly prepared: Preparation
  readonly unwind: Unwind
  readonly processes: Map<string, ManagedProcess>
  readonly links: Record<string, string>
  ready: boolean
  readonly gateway: boolean
  pool: AgentPool | undefined
  notary: NotaryPort | undefined
  /** The bus server from outside: what it accepts can be changed while it runs. */
  busServer: BusServer | undefined
  readonly containment: Containment
  busNews: ReloadNews
  rotations: Rotations | undefined
  /** A rotation of an earlier start that was carried through before anything ran. */
  finished: Successor | undefined
}

/**
 * Starts a deployment and returns when it is ready.
 * @throws SupervisorError, after everything that had been started was stopped again
 */
export async function up(options: UpOptions): Promise<Platform> {
  const failures: string[] = []
  const unwind = createUnwind((what, error) => failures.push(`${what}: ${String(error)}`))
  const stopped = new Promise<void>((resolve) => {
    options.stop.signal.addEventListener('abort', () => resolve(unwind.run()), { once: true })
  })
  try {
    const { deployment, weakness } = await start(options, unwind)
    if (options.stop.signal.aborted) throw new SupervisorError('STOPPING', 'stopped while starting')
    return {
      deployment,
      weakness,
      stopped: stopped.then(() => {
        for (const failure of failures) options.say(`while stopping: ${failure}`)
      }),
    }
  } catch (error) {
    await unwind.run()
    // Whatever failed then, failed because its processes were being stopped.
    if (options.stop.signal.aborted) throw new SupervisorError('STOPPING', 'stopped while starting')
    throw explainSystemError(error, options.state)
  }
}

async function start(
  options: UpOptions,
  unwind: Unwind,
): Promise<Pick<Platform, 'deployment' | 'weakness'>> {
  const prepared = await prepare(options, unwind)
  const { layout, deployment, sockets } = prepared
  const containment = createContainment({
    prepared,
    catalogue: options.catalogue,
    accounts: deriveAccounts(prepared.replicas, { gateway: needsGateway(options.catalogue) }),
    members: () => live.pool?.members() ?? [],
    notary: () => live.notary,
    shutOut: async (accounts) => live.busServer?.reload({ shutOut: accounts }),
  })
  const live: Live = {
    prepared,
    containment,
    unwind,
    processes: new Map(),
    links: {},
    ready: false,
    gateway: needsGateway(options.catalogue),
    pool: undefined,
    notary: undefined,
    busServer: undefined,
    busNews: listenForReloads(prepared.journal.logOf('nats-server')),
    rotations: undefined,
    finished: undefined,
  }
  const controlSocket = join(sockets, 'control.sock')
  await serveControl(live, controlSocket, options.stop)
  const ports = await startTransports(live, options)
  const bus = await connectBus({
    credentials: layout.supervisorBus,
    reconnect: true,
    renew: true,
  })
  unwind.add('bus connection', () => bus.close())
  const notary = createNotaryPort(bus)
  await startOwn(live, options, {
    name: 'notary',
    entry: options.entries?.notary ?? servers.notaryEntry,
    config: servers.notaryConfig(layout, deployment),
  })
  live.notary = notary
  await containment.arm(bus, unwind)
  if (live.gateway) await startGateway(live, options)
  live.pool = await startAgents({
    prepared,
    catalogue: options.catalogue,
    secrets: secretSources(options),
    roadsOf: containment.roadsOf,
    barred: containment.barred,
    bus,
    notary,
    unwind,
    port: ports.bus,
  })
  await startOwn(live, options, {
    name: 'worker',
    entry: options.entries?.worker ?? servers.workerEntry,
    config: servers.workerConfig(layout, {
      deployment,
      ports,
      workflowBundle: prepared.workflowBundle,
    }),
  })
  const file = toDeployment(prepared, ports, controlSocket)
  live.links['temporal'] = file.temporal.ui
  live.ready = true
  unwind.add('ready', () => {
    live.ready = false
  })
  live.rotations = startRotations(live, options, { notary, ports })
  writeFor(undefined, layout.deploymentFile, `${JSON.stringify(file, null, 2)}\n`, 0o600)
  return { deployment: file, weakness: prepared.owners.weakness }
}

/** What an earlier start left half done goes on beside everything else. */
function startRotations(
  live: Live,
  options: UpOptions,
  { notary, ports }: { readonly notary: NotaryPort; readonly ports: Ports },
): Rotations | undefined {
  const { layout, replicas, journal } = live.prepared
  const { busServer: bus, gateway, finished } = live
  const { leastOverlapMs } = options
  if (bus === undefined) return undefined
  const rotations = composeRotations({
    ...{ layout, bus, notary, finished },
    ...(leastOverlapMs === undefined ? {} : { leastOverlapMs }),
    identities: { state: layout.root, replicas, gateway },
    replicas: () => (live.pool?.members() ?? []).map(({ replica }) => replica),
    hangUpNotary: () => live.processes.get('notary')?.hangUp(),
    temporal: { api: `http://127.0.0.1:${ports.temporalHttp}`, namespace: servers.namespace },
    say: journal.say,
  })
  live.unwind.add('key rotation', () => rotations.stop())
  void rotations.resume()
  return rotations
}

async function serveControl(live: Live, socket: string, stop: AbortController): Promise<void> {
  const { layout, replicas, configuration } = live.prepared
  const accounts = deriveAccounts(replicas, { gateway: live.gateway })
  const members = () => live.pool?.members() ?? []
  const { quarantine } = live.containment
  // Removed last of all that others look at: `down` waits for it.
  live.unwind.add('deployment file', () => rmSync(layout.deploymentFile, { force: true }))
  const control = await openControl(socket, {
    status: () => {
      const processes = [...live.processes.values()].map((process) => process.status())
      return toStatus(live.ready, processes, {
        members: members(),
        links: live.links,
        quarantined: quarantine.entries(),
      })
    },
    agents: () => toSummaries(members(), quarantine.entries()),
    agent: (name) =>
      toAgentView(name, members(), {
        ...{ accounts, quarantined: quarantine.entries(), configuration },
      }),
    quarantine: createQuarantineActions(live.containment, {
      members,
      notary: () => live.notary,
    }),
    keys: () => live.rotations,
    down: () => stop.abort(),
  })
  live.unwind.add('control socket', () => control.close())
}

/**
 * A port that looked free may be gone when the server binds it, and Temporal picks some of its own
 * the same way; each server words that differently, so any failure is tried once more.
 */
const startAttempts = 2

async function startTransports(live: Live, options: UpOptions): Promise<Ports> {
  const { layout, deployment, replicas, tools, configuration } = live.prepared
  const environment = options.environment.childEnvironment
  for (let attempt = 1; ; attempt++) {
    const ports = await choosePorts(configuration.ports)
    const bus = { host: '127.0.0.1', port: ports.bus }
    const { gateway } = live
    const identities = { state: layout.root, deployment, replicas, gateway, bus }
    const folders = credentialFolders(replicas, gateway)
    live.finished ??= await finishSuccessor({ state: layout.root, folders })
    const shutOut = live.containment.quarantine.accounts()
    await prepareIdentities({ ...identities, shutOut })
    const input = { layout, ports, environment }
    const [temporal, nats] = [startAs(live, 'temporal'), startAs(live, 'nats')]
    const { temporal: temporalTool, 'nats-server': busTool } = tools
    const results = await Promise.allSettled([
      run(live, servers.temporalPlan({ ...input, as: temporal, program: temporalTool.path })),
      run(live, servers.busPlan({ ...input, as: nats, program: busTool.path })),
    ])
    const failed = results.find((result) => result.status === 'rejected')
    const busProcess = live.processes.get('nats-server')
    if (failed === undefined && busProcess !== undefined) {
      const { busNews: news } = live
      live.busServer = createBusServer({ identities, process: busProcess, news, shutOut })
      return ports
    }
    await Promise.all([...live.processes.values()].map((process) => process.stop()))
    if (attempt === startAttempts) throw failed?.reason
    live.prepared.journal.logger.warn({ err: failed?.reason }, 'once more, on other ports')
  }
}

const startAs = ({ prepared }: Live, party: Party): StartAs => ({
  user: prepared.owners.of(party),
  surroundings: prepared.surroundings,
})

/** Before any agent: their sandboxes mount its sockets. */
async function startGateway(live: Live, options: UpOptions): Promise<void> {
  const { layout, deployment, configuration, replicas, sockets } = live.prepared
  live.unwind.add('gateway secrets', () => removeGatewaySecrets(layout))
  const config = prepareGateway({
    ...{ layout, deployment, configuration, replicas, sockets },
    catalogue: options.catalogue,
    gateway: live.prepared.owners.of('gateway'),
    secrets: secretSources(options),
  })
  await startOwn(live, options, { name: 'gateway', entry: servers.gatewayEntry, config })
}

const secretSources = ({ configFile, environment }: UpOptions): SecretSources => ({
  folder: dirname(configFile),
  variable: environment.variable,
})

/** Its new sockets are not those that running sandboxes have mounted; the next start mounts them. */
function stopEgressAgents({ pool }: Live): void {
  for (const { manifest, replica } of pool?.members() ?? []) {
    if ((manifest.egress ?? []).length > 0) void replica.stop()
  }
}

async function startOwn(
  live: Live,
  options: UpOptions,
  program: {
    readonly name: 'notary' | 'gateway' | 'worker'
    readonly entry: string
    readonly config: unknown
  },
): Promise<void> {
  const { layout } = live.prepared
  const configFile = join(layout.root, program.name, 'config.json')
  const as = startAs(live, program.name)
  writeFor(as.user, configFile, `${JSON.stringify(program.config, null, 2)}\n`, 0o600)
  const { childEnvironment: environment } = options.environment
  const input = { layout, environment, as, entry: program.entry, configFile }
  await run(live, servers.ownPlan(program.name, input))
}

async function run(live: Live, plan: ProcessPlan): Promise<void> {
  const { journal } = live.prepared
  const process = createManagedProcess(plan, {
    log: plan.name === 'nats-server' ? live.busNews.log : journal.logOf(plan.name),
    now: Date.now,
    onChange: ({ name, state, pid, restarts }, error) => {
      journal.logger.info({ process: name, state, pid, restarts, err: error }, 'process')
      if (state !== 'backing-off') return
      if (name === 'gateway') stopEgressAgents(live)
      journal.say(`${name} ${error?.message ?? 'ended'}, starting it again`)
      const summary = { event: 'ended', reason: error?.message.slice(0, 200) ?? '' }
      void live.notary?.event({ kind: 'life-cycle', subject: `process:${name}`, summary })
    },
  })
  live.processes.set(plan.name, process)
  live.unwind.add(plan.name, () => process.stop())
  await process.start()
}

function toDeployment(prepared: Preparation, ports: Ports, controlSocket: string): Deployment {
  return {
    version: 1,
    deployment: prepared.deployment,
    pid: process.pid,
    startedAt: Date.now(),
    temporal: {
      address: `127.0.0.1:${ports.temporal}`,
      namespace: servers.namespace,
      taskQueue: servers.taskQueue,
      ui: `http://127.0.0.1:${ports.temporalUi}/namespaces/${servers.namespace}/workflows`,
    },
    bus: { host: '127.0.0.1', port: ports.bus, caFile: prepared.layout.caFile },
    controlSocket,
  }
}
