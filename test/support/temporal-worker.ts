// Workers for tests against a real Temporal server: the real workflow bundle and codec, with the
// activities that the test brings.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DefaultLogger, Runtime } from '@temporalio/worker'
import type { Activities } from '../../temporal/activities.ts'
import { bundleWorkflows } from '../../temporal/bundle.ts'
import { createRunClient, type RunClient } from '../../temporal/client.ts'
import { connectTemporal } from '../../temporal/connection.ts'
import { oneKey } from '../../temporal/payload-keys.ts'
import { createWorker } from '../../temporal/worker.ts'
import { claimTasks } from '../../temporal/worker-build.ts'
import { taskQueue } from '../../workflows/contract.ts'
import { startTemporal, type TestTemporal } from './temporal-server.ts'

/** Kept histories are sealed with it, so it never changes; nothing real is. */
export const testPayloadKey = Buffer.alloc(32, 42)

/** What a worker runs, and as which build; undefined as before there were builds. */
export interface Release {
  readonly workflowBundle: string
  readonly build: string | undefined
}

export interface TemporalBench {
  readonly temporal: TestTemporal
  readonly client: RunClient
  /** The workflows of today, as build `bench`. */
  readonly present: Release
  /** Starts a worker, of today unless told otherwise; the returned function stops it gracefully. */
  startWorker(activities: Activities, release?: Release): Promise<() => Promise<void>>
  stop(): Promise<void>
}

/** @param settings dynamic configuration of the server, beside what every test has */
export async function startBench(settings: readonly string[] = []): Promise<TemporalBench> {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined), shutdownSignals: [] })
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-bench-'))
  const workflowBundle = join(folder, 'workflows.js')
  const payloadKeyFile = join(folder, 'payload.key')
  await writeFile(workflowBundle, await bundleWorkflows(new DefaultLogger('ERROR')))
  await writeFile(payloadKeyFile, testPayloadKey.toString('base64url'))
  const temporal = await startTemporal(settings)
  const { address, namespace } = temporal
  const client = await createRunClient({ address, namespace, payloadKeyFile })
  const present = { workflowBundle, build: 'bench' }
  return {
    temporal,
    client,
    present,
    async startWorker(activities, { workflowBundle: code, build } = present) {
      const connection = await connectTemporal(address)
      const claim = { namespace, identity: 'bench' }
      const worker = await createWorker({
        connection,
        namespace,
        taskQueue,
        workflowBundle: code,
        build: build === undefined ? undefined : await claimTasks(connection, { ...claim, build }),
        payloadKeys: oneKey(testPayloadKey),
        activities,
      })
      const running = worker.run()
      return async () => {
        worker.shutdown()
        await running
        await connection.close()
      }
    },
    async stop() {
      await client.close()
      await temporal.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
