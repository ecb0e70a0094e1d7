// Which worker the server gives tasks to: that of the current build alone (Worker Deployment
// Versioning). A build becomes current before it polls, so that a worker of another build that is
// still about gets nothing more, and every task in a history names the build that took it. Runs are
// not pinned to the build that began them: on one machine the old worker is gone when the new one
// comes, so the new code must carry them on (patches and kept histories; docs/adr/0025).

import { setTimeout as delay } from 'node:timers/promises'
import type { NativeConnection, WorkerOptions } from '@temporalio/worker'

/** One worker process, so one deployment; the namespace is ours alone. */
export const workerDeployment = 'bulkhead'

export interface BuildClaim {
  readonly namespace: string
  /** Digest of all that the worker runs. */
  readonly build: string
  readonly identity: string
}

/** As `WorkerOptions` has it; undefined for a worker without versions. */
export function deploymentOptions(
  build: string | undefined,
): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (build === undefined) return {}
  return {
    workerDeploymentOptions: {
      version: { deploymentName: workerDeployment, buildId: build },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  }
}

/** gRPC codes by which a server says that it has no such thing, or that it is switched off. */
const unsupported: readonly unknown[] = [7, 12]
/** A server that has just come up is not ready for everything it serves. */
const patience = { attempts: 10, pauseMs: 500 }

/**
 * Makes the build current, so that it gets the tasks of every run, also of those begun by others.
 * @returns the build, or undefined where the server knows no versions: then the worker must poll
 * without, or it gets nothing
 * @throws the last error when the server does not take it up
 */
export async function claimTasks(
  connection: Pick<NativeConnection, 'workflowService'>,
  { namespace, build, identity }: BuildClaim,
  { attempts, pauseMs } = patience,
): Promise<string | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await connection.workflowService.setWorkerDeploymentCurrentVersion({
        namespace,
        deploymentName: workerDeployment,
        buildId: build,
        identity,
        // It polls as soon as it may; whoever polled before it is gone.
        allowNoPollers: true,
        ignoreMissingTaskQueues: true,
      })
      return build
    } catch (error) {
      if (unsupported.includes(codeOf(error))) return undefined
      if (attempt === attempts) throw error
      await delay(pauseMs)
    }
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
