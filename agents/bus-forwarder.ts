// The agent's way to the bus: a listener on the sandbox's own loopback that pipes to the mounted
// Unix socket, because the bus client dials TCP only and the sandbox has no network. Forwards bytes
// and knows nothing of them: TLS begins in this process and ends in the bus server.

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface BusForwarder {
  readonly host: string
  readonly port: number
  close(): void
}

const loopback = '127.0.0.1'
/** Listens on an ephemeral loopback port and pipes each connection to `socketPath`. */
export async function startBusForwarder(socketPath: string): Promise<BusForwarder> {
  const open = new Set<Socket>()
  const server = createServer({ noDelay: true }, (inside) => {
    const outside = connect(socketPath)
    for (const [from, to] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      open.add(from)
      from.pipe(to)
      // An error is followed by close; half a connection is of no use to the bus.
      from.on('error', () => undefined)
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
    }
  })
  server.listen(0, loopback)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string')
    throw new Error('no loopback port to listen on')
  return {
    host: loopback,
    port: address.port,
    close() {
      server.close()
      for (const socket of open) socket.destroy()
    },
  }
}
