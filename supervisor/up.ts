// The composition of a running deployment: what is started in which order, and what happens in
// between. Order of readiness: identities and keys, then Temporal beside nats-server, then the
// notary, then the worker; agents when they are first needed. Stopping is the reverse, and each part
// says how to undo itself at the moment it is started.

import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { connectBus } from '../security/bus.ts'
import type { Deployment } from '../security/deployment.ts'
import { deriveAccounts } from '../security/pki/accounts.ts'
import { createAgentNews } from './agent-news.ts'
import { startAgents } from './agents.ts'
import { listenForReloads } from './bus-server.ts'
import { explainSystemError, SupervisorError } from './codes.ts'
import { loadConfiguration } from './configuration.ts'
import { createContainment } from './containment.ts'
import { openControl } from './control.ts'
import type { PolicyActions } from './control-policy.ts'
import { createQuarantineActions } from './control-quarantine.ts'
import { toDeployment, writeDeployment } from './deployment-file.ts'
import { needsGateway, prepareGateway, removeGatewaySecrets } from './egress.ts'
import { type Live, startOwn } from './live.ts'
import { createNotaryPort, type NotaryPort } from './notary-port.ts'
import { openEnrolment, writePeople } from './open-enrolment.ts'
import { composePolicy, readPolicyInUse, reloadPolicy } from './policy.ts'
import type { Ports } from './ports.ts'
import { type PrepareOptions, prepare } from './prepare.ts'
import { composeRotations } from './rotation/compose.ts'
import type { Rotations } from './rotation/orchestrator.ts'
import type { SecretSources } from './secrets.ts'
import * as servers from './servers.ts'
import { startTransports } from './transports.ts'
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
    catalogue: prepared.catalogue,
    accounts: deriveAccounts(prepared.replicas, { gateway: needsGateway(prepared.catalogue) }),
    members: () => live.pool?.members() ?? [],
    notary: () => live.notary,
    shutOut: async (accounts) => live.busServer?.reload({ shutOut: accounts }),
  })
  const live: Live = {
    prepared,
    containment,
    news: createAgentNews({ ...prepared, notary: () => live.notary }),
    unwind,
    processes: new Map(),
    links: {},
    ready: false,
    gateway: needsGateway(prepared.catalogue),
    pool: undefined,
    notary: undefined,
    busServer: undefined,
    busNews: listenForReloads(prepared.journal.logOf('nats-server')),
    rotations: undefined,
    enrolment: undefined,
    finished: undefined,
  }
  const controlSocket = join(sockets, 'control.sock')
  await serveControl(live, controlSocket, options)
  const ports = await startTransports(live, options)
  const bus = await connectBus({
    credentials: layout.supervisorBus,
    reconnect: true,
    renew: true,
  })
  unwind.add('bus connection', () => bus.close())
  const notary = createNotaryPort(bus)
  await startNotary(live, options)
  live.notary = notary
  await containment.arm(bus, unwind)
  live.news.serve(bus)
  if (live.gateway) await startGateway(live, options)
  live.pool = await startAgents({
    prepared,
    catalogue: prepared.catalogue,
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
      ...{ deployment, ports, workflowBundle: prepared.workflowBundle, build: prepared.build },
      fastLane: prepared.configuration.fastLane,
      ...{ names: prepared.configuration.names, catalogue: prepared.catalogue },
      users: prepared.configuration.users,
      planner: prepared.configuration.planner,
      zone: prepared.configuration.timezone,
    }),
  })
  const file = toDeployment(prepared, { ports, controlSocket })
  live.links['temporal'] = file.temporal.ui
  live.ready = true
  unwind.add('ready', () => {
    live.ready = false
  })
  live.rotations = startRotations(live, options, { notary, ports })
  live.enrolment = openEnrolment(live, { notary, deployment: file })
  writeDeployment(prepared, file)
  return { deployment: file, weakness: prepared.owners.weakness }
}

async function startNotary(live: Live, options: UpOptions): Promise<void> {
  const { layout, deployment, catalogue, configuration, slots } = live.prepared
  const { names, planner, timezone: zone } = configuration
  writePeople(live.prepared)
  await startOwn(live, options, {
    name: 'notary',
    entry: options.entries?.notary ?? servers.notaryEntry,
    config: servers.notaryConfig(layout, { deployment, names, planner, catalogue, slots, zone }),
  })
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
    identities: {
      ...{ state: layout.root, replicas, gateway },
      get users() {
        return live.prepared.people.ids()
      },
    },
    replicas: () => (live.pool?.members() ?? []).map(({ replica }) => replica),
    hangUpNotary: () => live.processes.get('notary')?.hangUp(),
    temporal: { api: `http://127.0.0.1:${ports.temporalHttp}`, namespace: servers.namespace },
    say: journal.say,
  })
  live.unwind.add('key rotation', () => rotations.stop())
  void rotations.resume()
  return rotations
}

async function serveControl(live: Live, socket: string, options: UpOptions): Promise<void> {
  const { layout, replicas, settingsOf, personOf } = live.prepared
  const accounts = deriveAccounts(replicas, { gateway: live.gateway })
  const members = () => live.pool?.members() ?? []
  const { quarantine } = live.containment
  const { heartbeats, pools, retriever } = live.news
  const observed = () => ({
    ...{ quarantined: quarantine.entries(), heartbeats, pools, now: Date.now() },
  })
  // Removed last of all that others look at: `down` waits for it.
  live.unwind.add('deployment file', () => rmSync(layout.deploymentFile, { force: true }))
  const control = await openControl(socket, {
    status: () => {
      const processes = [...live.processes.values()].map((process) => process.status())
      return toStatus(live.ready, processes, {
        ...{ members: members(), build: live.prepared.build, links: live.links },
        quarantined: quarantine.entries(),
        policy: readPolicyInUse(layout),
        retriever: retriever(),
      })
    },
    agents: () => toSummaries(members(), observed()),
    agent: (name) =>
      toAgentView(name, members(), { ...observed(), accounts, settingsOf, personOf }),
    quarantine: createQuarantineActions(live.containment, {
      members,
      notary: () => live.notary,
    }),
    keys: () => live.rotations,
    people: () => live.enrolment,
    policy: policyActions(live, options),
    down: () => options.stop.abort(),
  })
  live.unwind.add('control socket', () => control.close())
}

/** Before any agent: their sandboxes mount its sockets. */
async function startGateway(live: Live, options: UpOptions): Promise<void> {
  const { layout, deployment, settingsOf, replicas, sockets } = live.prepared
  live.unwind.add('gateway secrets', () => removeGatewaySecrets(layout))
  const config = prepareGateway({
    ...{ layout, deployment, settingsOf, replicas, sockets },
    catalogue: live.prepared.catalogue,
    gateway: live.prepared.owners.of('gateway'),
    secrets: secretSources(options),
  })
  await startOwn(live, options, { name: 'gateway', entry: servers.gatewayEntry, config })
}

function policyActions(live: Live, options: UpOptions): PolicyActions {
  const { layout, owners, journal } = live.prepared
  const { cacheFolder, childEnvironment: environment } = options.environment
  return {
    view: () => readPolicyInUse(layout),
    reload: async () => {
      const { policy } = loadConfiguration(options.configFile, options.catalogue)
      const file = await composePolicy(policy, { cacheFolder, environment, say: journal.say })
      const readers = { notary: owners.of('notary'), worker: owners.of('worker') }
      const hangUp = (name: string) => live.processes.get(name)?.hangUp()
      return reloadPolicy(layout, file, { readers, hangUp })
    },
  }
}

const secretSources = ({ configFile, environment }: UpOptions): SecretSources => ({
  folder: dirname(configFile),
  variable: environment.variable,
})
