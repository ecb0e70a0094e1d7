// How each server process is started: program, arguments, what counts as ready, how long it may
// take. Pure but for the readiness questions. The settings of Temporal are the ones that were
// measured to matter; the durability settings are not negotiable.

import { connect } from 'node:net'
import { join } from 'node:path'
import type { HouseholdRights } from '../plan/household-rights.ts'
import type { Catalogue } from '../plan/manifest.ts'
import type { PlannerModel } from '../plan/planner-models.ts'
import type { KnownNames } from '../plan/principals.ts'
import { replicasOf, type Slots } from '../plan/replicas.ts'
import type { Ports } from './ports.ts'
import type { ProcessPlan } from './process.ts'
import type { StartAs } from './start-as.ts'
import type { StateLayout } from './state.ts'
import { installation } from './toolchain.ts'

export const namespace = 'bulkhead'
export const taskQueue = 'bulkhead'
const host = '127.0.0.1'

/** Kept longer than a person needs to look back, shorter than the ledgers (contracts.md). */
const historyRetentionSeconds = 90 * 24 * 3_600

export interface ServerInput {
  readonly layout: StateLayout
  readonly ports: Ports
  readonly environment: Readonly<Record<string, string>>
  readonly as: StartAs
}

/** Temporal's dev server: file-backed, loopback only. */
export function temporalPlan(input: ServerInput & { readonly program: string }): ProcessPlan {
  const { layout, ports } = input
  const dynamic = [
    // 20 reads a second by default: every hop of a quiet run then waits 50 ms.
    'history.transferProcessorMaxPollRPS=2000',
    'system.enableActivityEagerExecution=true',
    // One worker process: partitions only spread its polls.
    'matching.numTaskqueueReadPartitions=1',
    'matching.numTaskqueueWritePartitions=1',
  ]
  return {
    name: 'temporal',
    command: input.program,
    args: [
      'server',
      'start-dev',
      // The person's own profile of the temporal command must not redirect ours.
      '--disable-config-file',
      '--disable-config-env',
      ...['--ip', host, '--ui-ip', host],
      ...['--port', String(ports.temporal), '--ui-port', String(ports.temporalUi)],
      ...['--http-port', String(ports.temporalHttp)],
      ...['--metrics-port', String(ports.temporalMetrics)],
      ...['--namespace', namespace, '--db-filename', layout.temporalDb],
      // FULL: what a workflow has decided survives the loss of power.
      ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=FULL'],
      ...['--search-attribute', 'BulkheadStatus=Keyword'],
      ...['--search-attribute', 'BulkheadRecipe=Keyword'],
      ...['--log-level', 'warn', '--log-format', 'json', '--ui-disable-news-fetch'],
      ...dynamic.flatMap((value) => ['--dynamic-config-value', value]),
    ],
    folder: join(layout.root, 'temporal'),
    environment: environmentOf(input, join(layout.root, 'temporal')),
    as: input.as,
    readiness: () => prepareNamespace(`http://${host}:${ports.temporalHttp}`),
    startTimeoutMs: 60_000,
    stopTimeoutMs: 10_000,
  }
}

/** True once the namespace is served; sets its retention the first time. */
async function prepareNamespace(api: string): Promise<boolean> {
  const url = `${api}/api/v1/namespaces/${namespace}`
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) })
  if (!response.ok) return false
  const wanted = `${historyRetentionSeconds}s`
  if (!(await response.text()).includes(`"workflowExecutionRetentionTtl":"${wanted}"`)) {
    const update = await fetch(`${url}/update`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ config: { workflowExecutionRetentionTtl: wanted } }),
      signal: AbortSignal.timeout(2_000),
    })
    return update.ok
  }
  return true
}

export function busPlan(input: ServerInput & { readonly program: string }): ProcessPlan {
  return {
    name: 'nats-server',
    command: input.program,
    args: ['-c', input.layout.natsConfig],
    folder: input.layout.root,
    environment: environmentOf(input, join(input.layout.root, 'nats')),
    as: input.as,
    readiness: () => accepts(input.ports.bus),
    startTimeoutMs: 20_000,
    stopTimeoutMs: 5_000,
  }
}

/** The person's home and caches are closed to a process that is another user. */
function environmentOf(
  { environment, as }: Pick<ServerInput, 'environment' | 'as'>,
  home: string,
): Readonly<Record<string, string>> {
  if (as.user === undefined) return environment
  const kept = Object.entries(environment).filter(([name]) => !/^(HOME|TMPDIR|XDG_.*)$/.test(name))
  return { ...Object.fromEntries(kept), HOME: home }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

export interface ProgramInput {
  readonly layout: StateLayout
  readonly environment: Readonly<Record<string, string>>
  readonly as: StartAs
  readonly entry: string
  /** File with the program's configuration, written before each `up`. */
  readonly configFile: string
}

/** A program of ours: says that it is ready on descriptor 3, leaves when its input ends. */
export function ownPlan(name: 'notary' | 'gateway' | 'worker', input: ProgramInput): ProcessPlan {
  return {
    name,
    command: process.execPath,
    args: [input.entry, '--config', input.configFile],
    folder: input.layout.root,
    environment: environmentOf(input, join(input.layout.root, name)),
    as: input.as,
    readiness: 'pipe',
    startTimeoutMs: 60_000,
    // A worker drains the activities in flight; each is bounded by the reply time of an agent.
    stopTimeoutMs: 20_000,
  }
}

export const notaryEntry = join(installation, 'notary', 'main.ts')
export const gatewayEntry = join(installation, 'egress', 'main.ts')
export const workerEntry = join(installation, 'temporal', 'main.ts')

export function notaryConfig(
  layout: StateLayout,
  {
    deployment,
    names,
    planner,
    zone,
    catalogue,
    slots,
  }: {
    readonly deployment: string
    readonly names: KnownNames
    /** As the worker's. */
    readonly planner?: readonly PlannerModel[] | undefined
    readonly catalogue: Catalogue
    readonly slots: Slots
    /** Of `bulkhead.yaml`; where it does not say, the notary takes the machine's. */
    readonly zone?: string | undefined
  },
): Record<string, unknown> {
  return {
    deployment,
    names,
    replicas: replicasOf(catalogue),
    slots,
    ...(zone === undefined ? {} : { zone }),
    ...(planner === undefined ? {} : { planner }),
    issuer: `notary:${deployment}`,
    folder: layout.notary,
    bus: join(layout.notary, 'bus'),
  }
}

export function workerConfig(
  layout: StateLayout,
  input: {
    readonly deployment: string
    readonly ports: Ports
    readonly workflowBundle: string
    readonly build: string
    readonly fastLane: boolean
    readonly names: KnownNames
    readonly catalogue: Catalogue
    readonly users: HouseholdRights
    readonly planner?: readonly PlannerModel[] | undefined
    /** As the notary's. */
    readonly zone?: string | undefined
  },
): Record<string, unknown> {
  return {
    deployment: input.deployment,
    folder: layout.worker,
    bus: join(layout.worker, 'bus'),
    temporal: { address: `${host}:${input.ports.temporal}`, namespace },
    taskQueue,
    workflowBundle: input.workflowBundle,
    build: input.build,
    fastLane: input.fastLane,
    names: input.names,
    ...(input.zone === undefined ? {} : { zone: input.zone }),
    ...(input.planner === undefined ? {} : { planner: input.planner }),
    replicas: replicasOf(input.catalogue),
    sees: Object.fromEntries(
      Object.entries(input.users).map(([id, { sees = [] }]) => [id, sees] as const),
    ),
  }
}
