// A real bus server as the supervisor runs it: its process, its log, and its configuration that is
// written anew and reloaded. In a folder of its own, on a free port; `stop` removes both.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import getPort from 'get-port'
import type { Replica } from '../../security/pki/accounts.ts'
import { prepareIdentities } from '../../security/pki/identities.ts'
import {
  type BusServer,
  type BusServerOptions,
  createBusServer,
  listenForReloads,
} from '../../supervisor/bus-server.ts'
import { programPath } from './programs.ts'

export interface ReloadableBus {
  readonly state: string
  readonly bus: BusServer
  /** With which `bus` was made, for another one on the same server. */
  readonly options: BusServerOptions
  /** How often a party has connected so far. */
  connections(account: string): number
  stop(): Promise<void>
}

export async function startReloadableBus(replicas: readonly Replica[]): Promise<ReloadableBus> {
  const state = mkdtempSync(join(tmpdir(), 'bulkhead-reload-'))
  const port = await getPort({ host: '127.0.0.1' })
  const identities = {
    state,
    deployment: 'testtest',
    replicas,
    bus: { host: '127.0.0.1', port },
  }
  await prepareIdentities(identities)
  const connected: string[] = []
  const news = listenForReloads({
    write(chunk) {
      for (const [, name = ''] of String(chunk).matchAll(/\[CONNECT \{.*?"name":"([^"]*)"/g)) {
        connected.push(name)
      }
    },
    tail: () => '',
    close: () => undefined,
  })
  const program = programPath('nats-server')
  // Traces of the protocol say who connects. The kernel takes the server along when the test dies.
  const args = ['--pdeathsig', 'KILL', '--', program, '-c', join(state, 'nats', 'nats.conf'), '-V']
  const child = spawn('setpriv', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = once(child, 'exit')
  child.stderr.on('data', (chunk: Buffer) => news.log.write(chunk))
  const refusal = await news.next(20_000)
  if (refusal !== undefined) throw new Error(`the bus server did not start: ${refusal}`)
  const process = { hangUp: () => void child.kill('SIGHUP') }
  const options = { identities, process, news }
  return {
    state,
    bus: createBusServer(options),
    options,
    connections: (account) => connected.filter((name) => name === account).length,
    async stop() {
      child.kill('SIGKILL')
      await exited
      rmSync(state, { recursive: true, force: true })
    },
  }
}
