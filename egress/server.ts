// The gateway's doors: one Unix socket for each agent replica, mounted into that replica's sandbox
// and no other. Which socket a request arrived on is who asks; no header or field says so. Bounded:
// connections, bytes and time, so that a hostile agent uses up its own door only.

import { chmodSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { egressLimits, type FetchReply, type GatewayAgent } from './contract.ts'
import type { Gateway, Relay } from './gateway.ts'
import { createReturn } from './relay.ts'
import { createTunnelDoor } from './tunnel-door.ts'

export interface Door {
  close(): Promise<void>
}

/** Above the requests in flight, so that one too many is told so. */
const maxConnections = egressLimits.concurrent * 4

/** Listens on the agent's socket. */
export async function openDoor(agent: GatewayAgent, gateway: Gateway): Promise<Door> {
  const server = createServer(
    {
      maxHeaderSize: egressLimits.headerBytes,
      headersTimeout: 2_000,
      requestTimeout: 5_000,
      connectionsCheckingInterval: 1_000,
      keepAlive: false,
    },
    (request, response) =>
      void answer(request, response, (body, relay) => gateway.handle(agent, body, relay)),
  )
  server.maxConnections = maxConnections
  server.maxRequestsPerSocket = 1
  const tunnels = createTunnelDoor(agent, gateway)
  server.on('connect', (request, socket, head) => tunnels.connect(request, socket, head))
  server.on('clientError', (_error, socket) => socket.destroy())
  rmSync(agent.socket, { force: true })
  await listen(server, agent.socket)
  chmodSync(agent.socket, 0o600)
  return {
    close: async () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
      server.closeAllConnections()
      await tunnels.close()
      await closed
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (body: string, relay: Relay) => Promise<FetchReply>,
): Promise<void> {
  response.on('error', () => undefined)
  const back = createReturn(response)
  const body = await readBody(request)
  const reply: FetchReply =
    request.method !== 'POST' || request.url !== '/fetch' || body === undefined
      ? { ok: false, code: 'MALFORMED', message: 'POST /fetch, with a body within the bound' }
      : await handle(body, back.relay)
  back.end(reply)
}

/** Undefined when it is too long, broken off or no UTF-8. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > egressLimits.requestBytes) return undefined
      chunks.push(chunk)
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    return undefined
  }
}

function listen(server: Server, socket: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(socket, () => resolve())
  })
}
