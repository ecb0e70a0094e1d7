// Makes the Temporal worker from its parts. Every figure that decides how it behaves under load or
// at its end is set here and nowhere left to a default that follows the machine.

import { type NativeConnection, Worker } from '@temporalio/worker'
import type { Activities } from './activities.ts'
import { createDataConverter } from './data-converter.ts'
import type { SealingKeys } from './payload-keys.ts'
import { deploymentOptions } from './worker-build.ts'

export interface WorkerSetup {
  readonly connection: NativeConnection
  readonly namespace: string
  readonly taskQueue: string
  /** What `claimTasks` returned: a build that is current, or undefined for none. */
  readonly build: string | undefined
  /** File that `temporal/bundle-main.ts` wrote. */
  readonly workflowBundle: string
  readonly payloadKeys: SealingKeys
  readonly activities: Activities
}

export async function createWorker(setup: WorkerSetup): Promise<Worker> {
  const { connection, namespace, taskQueue, workflowBundle, payloadKeys } = setup
  return await Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle: { codePath: workflowBundle },
    activities: setup.activities,
    ...deploymentOptions(setup.build),
    dataConverter: createDataConverter({ keys: payloadKeys, namespace }),
    // The default follows the heap's size and ignores what a workflow weighs; 100 KiB each here.
    maxCachedWorkflows: 200,
    // Three runs at full fan-out, or two hundred at work on one step each.
    maxConcurrentActivityTaskExecutions: 200,
    maxConcurrentLocalActivityExecutions: 200,
    // How long the server keeps a run for the worker that has it in memory before any other may go on
    // with it. The default of 10 s is what a killed worker costs each of its runs; one that is only
    // busy for longer than this replays, which costs milliseconds.
    stickyQueueScheduleToStartTimeout: 2_000,
    // Steps that become ready together start in the round trip that scheduled them.
    maxEagerActivityReservationsPerWorkflowTask: 16,
    // Enough for a command that is out to come back; what takes longer is asked for again by the
    // next worker, and answered by the agent's ledger.
    shutdownGraceTime: 5_000,
    shutdownForceTime: 10_000,
  })
}
