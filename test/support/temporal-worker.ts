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
import { taskQueue } from '../../workflows/contract.ts'
import { startTemporal, type TestTemporal } from './temporal-server.ts'

/** Kept histories are sealed with it, so it never changes; nothing real is. */
export const testPayloadKey = Buffer.alloc(32, 42)

export interface TemporalBench {
  readonly temporal: TestTemporal
  readonly client: RunClient
  /** Starts a worker; the returned function stops it gracefully. */
  startWorker(activities: Activities): Promise<() => Promise<void>>
  stop(): Promise<void>
}

export async function startBench(): Promise<TemporalBench> {
  Runtime.install({ logger: new DefaultLogger('ERROR', () => undefined), shutdownSignals: [] })
  const folder = await mkdtemp(join(tmpdir(), 'bulkhead-bench-'))
  const workflowBundle = join(folder, 'workflows.js')
  const payloadKeyFile = join(folder, 'payload.key')
  await writeFile(workflowBundle, await bundleWorkflows(new DefaultLogger('ERROR')))
  await writeFile(payloadKeyFile, testPayloadKey.toString('base64url'))
  const temporal = await startTemporal()
  const { address, namespace } = temporal
  const client = await createRunClient({ address, namespace, payloadKeyFile })
  return {
    temporal,
    client,
    async startWorker(activities) {
      const connection = await connectTemporal(address)
      const worker = await createWorker({
        connection,
        namespace,
        taskQueue,
        workflowBundle,
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
