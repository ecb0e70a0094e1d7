// Carries bytes between one sandbox's bus socket and nats-server. TLS ends inside the agent, so this
// sees ciphertext only and decides nothing; it is also what makes agents leave when the supervisor
// dies, because the bytes flow through this process. A socket belongs to one replica.

import { chmodSync, rmSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import type { Roads } from './roads.ts'

/** One connection is what an agent needs; a second may overlap while the first one closes. */
const maxConnections = 2

/**
 * Keep-alives are the only traffic of an idle agent: PING and PONG, about thirty bytes each as TLS
 * records. A command or a reply never fits into this.
 */
const keepAliveBytes = 200

export interface Forwarder {
  /** Milliseconds since the epoch of the last bytes beyond keep-alives, each way; 0 for none. */
  activity(): {
    readonly toAgent: number
    readonly fromAgent: number
  }
  /** An agent without its connection cannot serve, whether or not its process is still there. */
  isConnected(): boolean
  close(): Promise<void>
}

export interface ForwarderOptions {
  readonly socket: string
  readonly target: { readonly host: string; readonly port: number }
  readonly now: () => number
  /** Told of the ports from which it reaches the bus server. */
  readonly roads: Pick<Roads, 'open' | 'close'>
  /** The agent's connection has ended, for whatever reason. */
  readonly onEnd: () => void
}

export async function openForwarder(options: ForwarderOptions): Promise<Forwarder> {
  const { now } = options
  const seen = { toAgent: 0, fromAgent: 0 }
  const sockets = new Set<Socket>()
  const server = createServer((agent) => {
    const bus = createConnection({ ...options.target, noDelay: true })
    sockets.add(agent).add(bus)
    let port: number | undefined
    // Before a byte of the agent's can pass, hence before the server knows who it is.
    bus.once('connect', () => {
      port = bus.localPort
      if (port !== undefined) options.roads.open(port)
    })
    agent.on('data', (chunk: Buffer) => {
      if (chunk.byteLength > keepAliveBytes) seen.fromAgent = now()
    })
    bus.on('data', (chunk: Buffer) => {
      if (chunk.byteLength > keepAliveBytes) seen.toAgent = now()
    })
    agent.pipe(bus).pipe(agent)
    const end = () => {
      agent.destroy()
      bus.destroy()
      if (sockets.delete(agent)) {
        if (port !== undefined) options.roads.close(port)
        options.onEnd()
      }
      sockets.delete(bus)
    }
    for (const socket of [agent, bus]) socket.on('error', end).on('close', end)
  })
  server.maxConnections = maxConnections
  rmSync(options.socket, { force: true })
  await listen(server, options.socket)
  chmodSync(options.socket, 0o600)
  return {
    activity: () => ({ ...seen }),
    isConnected: () => sockets.size > 0,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

function listen(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, () => resolve())
  })
}
