// Temporal and nats-server, beside each other: nothing of ours runs before both are ready.

import { credentialFolders, prepareIdentities } from '../security/pki/identities.ts'
import { finishSuccessor } from '../security/pki/successor.ts'
import { createBusServer } from './bus-server.ts'
import { type Live, startAs, startProcess } from './live.ts'
import { choosePorts, type Ports } from './ports.ts'
import type { PrepareOptions } from './prepare.ts'
import { busPlan, temporalPlan } from './servers.ts'

/**
 * A port that looked free may be gone when the server binds it, and Temporal picks some of its own
 * the same way; each server words that differently, so any failure is tried once more.
 */
const startAttempts = 2

export async function startTransports(live: Live, options: PrepareOptions): Promise<Ports> {
  const { layout, deployment, replicas, tools, configuration } = live.prepared
  const environment = options.environment.childEnvironment
  for (let attempt = 1; ; attempt++) {
    const ports = await choosePorts(configuration.ports)
    const bus = { host: '127.0.0.1', port: ports.bus }
    const { gateway } = live
    const { people } = live.prepared
    const identities = {
      ...{ state: layout.root, deployment, replicas, gateway, bus },
      // Asked anew for each change of what the server accepts.
      get users() {
        return people.ids()
      },
    }
    const folders = credentialFolders(replicas, gateway, people.ids())
    live.finished ??= await finishSuccessor({ state: layout.root, folders })
    const shutOut = live.containment.quarantine.accounts()
    await prepareIdentities({ ...identities, shutOut })
    const input = { layout, ports, environment }
    const [temporal, nats] = [startAs(live, 'temporal'), startAs(live, 'nats')]
    const { temporal: temporalTool, 'nats-server': busTool } = tools
    const results = await Promise.allSettled([
      startProcess(live, temporalPlan({ ...input, as: temporal, program: temporalTool.path })),
      startProcess(live, busPlan({ ...input, as: nats, program: busTool.path })),
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
