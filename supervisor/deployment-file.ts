// What a running deployment says of itself to those on the same machine, in its state folder. The file
// is there exactly while the deployment is.

import { labelOf } from '../plan/planner-models.ts'
import type { Deployment } from '../security/deployment.ts'
import { writeFor } from './ownership.ts'
import type { Ports } from './ports.ts'
import type { Preparation } from './prepare.ts'
import { namespace, taskQueue } from './servers.ts'

export function toDeployment(
  prepared: Preparation,
  { ports, controlSocket }: { readonly ports: Ports; readonly controlSocket: string },
): Deployment {
  const { timezone, planner, embeddings } = prepared.configuration
  return {
    version: 1,
    deployment: prepared.deployment,
    pid: process.pid,
    startedAt: Date.now(),
    build: prepared.build,
    ...(timezone === undefined ? {} : { timezone }),
    ...(planner === undefined ? {} : { planner: planner.map(labelOf) }),
    ...(embeddings === undefined ? {} : { embeddings }),
    temporal: {
      address: `127.0.0.1:${ports.temporal}`,
      namespace,
      taskQueue,
      ui: `http://127.0.0.1:${ports.temporalUi}/namespaces/${namespace}/workflows`,
    },
    bus: { host: '127.0.0.1', port: ports.bus, caFile: prepared.layout.caFile },
    controlSocket,
  }
}

export function writeDeployment({ layout }: Preparation, deployment: Deployment): void {
  writeFor(undefined, layout.deploymentFile, `${JSON.stringify(deployment, null, 2)}\n`, 0o600)
}
