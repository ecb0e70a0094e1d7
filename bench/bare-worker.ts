// A worker of its own for the bare workflows, on a server that is there, with the settings that ours
// has where they decide how fast it is (temporal/worker.ts).

import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { Client } from '@temporalio/client'
import {
  bundleWorkflowCode,
  DefaultLogger,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker'

export interface BareWorker {
  /** Runs one workflow of bare-workflows.ts to its end. */
  run(workflow: 'bareDag' | 'bareLocalDag'): Promise<void>
  stop(): Promise<void>
}

export async function startBareWorker(at: {
  readonly address: string
  readonly namespace: string
}): Promise<BareWorker> {
  const { address, namespace } = at
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] })
  const taskQueue = `bare-${randomUUID()}`
  const connection = await NativeConnection.connect({ address })
  const workflowsPath = fileURLToPath(new URL('./bare-workflows.ts', import.meta.url))
  const logger = new DefaultLogger('ERROR')
  const worker = await Worker.create({
    ...{ connection, namespace, taskQueue },
    workflowBundle: await bundleWorkflowCode({ workflowsPath, logger }),
    activities: { noOp: async () => undefined },
    maxConcurrentActivityTaskExecutions: 200,
    maxConcurrentLocalActivityExecutions: 200,
    maxEagerActivityReservationsPerWorkflowTask: 16,
  })
  const running = worker.run()
  // Awaited when it is stopped; until then a rejection must not count as unhandled.
  running.catch(() => undefined)
  const client = new Client({ connection, namespace })
  return {
    async run(workflow) {
      await client.workflow.execute(workflow, { workflowId: `bare-${randomUUID()}`, taskQueue })
    },
    async stop() {
      worker.shutdown()
      await running
      await connection.close()
    },
  }
}
