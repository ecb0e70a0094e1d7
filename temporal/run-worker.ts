// Composes the worker process: keys, artifact store, bus, Temporal, activities, artifact service.
// Ready means that it polls. Ends when it is told to, or when one of its connections ends for good;
// then the supervisor starts another. Tests compose the same worker with a crash hook of their own.

import { join } from 'node:path'
import { Runtime } from '@temporalio/worker'
import { openArtifactStore } from '../activities/artifacts.ts'
import type { DispatchDeps } from '../activities/dispatch-deps.ts'
import { createDocumentStore } from '../activities/documents.ts'
import {
  createAgentCalls,
  createNotaryCalls,
  createSharedNotaryCalls,
} from '../activities/notary-calls.ts'
import { createPlanStore } from '../activities/plan-store.ts'
import type { Catalogue } from '../plan/manifest.ts'
import { withReplicas } from '../plan/replicas.ts'
import { noPlanner, type Propose } from '../planner/propose.ts'
import { connectBus } from '../security/bus.ts'
import { createActivities } from './activities.ts'
import { serveArtifacts } from './artifact-service.ts'
import { connectAnchor, createAnchorPace } from './audit-anchor.ts'
import type { WorkerConfig } from './config.ts'
import { connectTemporal } from './connection.ts'
import { readKeyFile } from './data-converter.ts'
import { createLog, nameError, toSdkLogger } from './log.ts'
import { openKeyFile } from './payload-keys.ts'
import { createReportedPools } from './reported-pools.ts'
import { startRetriever } from './retriever.ts'
import { fileWitness, headOverBus, startWitness } from './witness-head.ts'
import { createWorker } from './worker.ts'
import { claimTasks } from './worker-build.ts'
import { openWorkerPolicy } from './worker-policy.ts'

export interface RunWorkerOptions {
  readonly catalogue: Catalogue
  readonly onReady: () => void
  /** Resolves when the process shall end. */
  readonly stop: Promise<unknown>
  /** Registers what is done when the process is told to read its policy again. */
  readonly onReload?: (reload: () => void) => void
  readonly onPoint?: DispatchDeps['onPoint']
  /** Who proposes plans for words; absent: nobody does. */
  readonly propose?: Propose
}

/** Resolves after a graceful end. Rejects when it cannot start, or loses the bus for good. */
export async function runWorker(config: WorkerConfig, options: RunWorkerOptions): Promise<void> {
  const log = createLog({ deployment: config.deployment })
  Runtime.install({ logger: toSdkLogger(log), shutdownSignals: [] })
  const keyFile = (name: string) => join(config.folder, name)
  const payloadKeys = openKeyFile(keyFile('payload.key'))
  const artifacts = await openArtifactStore({
    folder: keyFile('artifacts'),
    key: readKeyFile(keyFile('artifact.key')),
    sealing: openKeyFile(keyFile('sealing.key')),
  })
  const bus = await connectBus({ credentials: config.bus, reconnect: true, renew: true })
  const connection = await connectTemporal(config.temporal.address)
  const now = () => Date.now()
  const { onPoint } = options
  const policy = await openWorkerPolicy(config.folder)
  options.onReload?.(() => {
    policy.reload().catch((cause) => log.error({ error: nameError(cause) }, 'policy.json'))
  })
  const catalogue = withReplicas(options.catalogue, config.replicas ?? {})
  const { namespace } = config.temporal
  const claim = { namespace, build: config.build, identity: `worker:${config.deployment}` }
  const build = await claimTasks(connection, claim)
  if (build === undefined) log.warn('the server knows no builds of workers')
  const worker = await createWorker({
    connection,
    namespace,
    build,
    taskQueue: config.taskQueue,
    workflowBundle: config.workflowBundle,
    payloadKeys,
    activities: createActivities({
      artifacts,
      plans: createPlanStore(artifacts),
      documents: createDocumentStore(artifacts),
      notary: createNotaryCalls(bus),
      sharedNotary: createSharedNotaryCalls(bus),
      agents: createAgentCalls(bus),
      pools: createReportedPools(bus, { catalogue, now, log }),
      catalogue,
      decide: policy.decide,
      names: config.names,
      propose: options.propose ?? noPlanner,
      planner: config.planner,
      zone: config.zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
      fastLane: config.fastLane,
      now,
      onFailure: ({ type, activity, cause }) =>
        log.warn({ type, activity, error: nameError(cause) }, 'attempt failed'),
      ...(onPoint === undefined ? {} : { onPoint }),
    }),
  })
  const { sees } = config
  serveArtifacts(bus, { artifacts, now, ...(sees === undefined ? {} : { sees }) })
  const retriever = await startRetriever(bus, { ...config, artifacts, payloadKeys, now })
  await bus.flush()
  const lost = bus.closed().then((error) => {
    throw error ?? new Error('the connection to the bus was closed')
  })
  // Handled where it is awaited; until then it must not count as unhandled.
  lost.catch(() => undefined)
  const anchor = await connectAnchor({ ...config.temporal, payloadKeys })
  const witness = startWitness({
    head: headOverBus(bus),
    witness: fileWitness(config.folder),
    further: createAnchorPace(anchor, now),
    onRefused: (verdict, size) =>
      log.error({ verdict, size }, 'the audit shrank or changed: run `bulkhead audit verify`'),
    onFailure: (cause) => log.warn({ error: nameError(cause) }, 'the head was not witnessed'),
  })
  await worker
    .runUntil(async () => {
      options.onReady()
      log.info('ready')
      await Promise.race([options.stop, lost])
    })
    .finally(() => witness.stop())
  await Promise.all([anchor.close(), retriever.close(), connection.close()])
  await bus.close()
  log.info('stopped')
}
