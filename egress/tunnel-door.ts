// CONNECT at an agent's door: `proxy-chain` reads it and carries the bytes; whether, where to and how
// long is the gateway's (tunnel.ts). Its own listener is not used, because it refuses Unix sockets:
// connections are handed to it. Bounds are kept on the streams that it joins, within one chunk.

import type { lookup } from 'node:dns'
import type { IncomingMessage } from 'node:http'
import { isIPv6, type LookupFunction, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { RequestError, Server as TunnelProxy } from 'proxy-chain'
import { EgressError, type TunnelEnd } from './codes.ts'
import { egressLimits, type GatewayAgent, tunnelUser } from './contract.ts'
import type { Gateway } from './gateway.ts'
import type { Tunnel } from './tunnel.ts'

export interface TunnelDoor {
  /** Takes over a connection whose request is a CONNECT. */
  connect(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Cuts every tunnel; resolves when each end is recorded or owed. */
  close(): Promise<void>
}

/** How soon the end of a sandbox ends its tunnels. */
const epochPollMs = 250

export function createTunnelDoor(agent: GatewayAgent, gateway: Gateway): TunnelDoor {
  const open = new Map<() => void, Promise<void>>()
  const proxy = new TunnelProxy({
    authRealm: 'bulkhead',
    async prepareRequestFunction({ request, username, password }) {
      const tunnel = await gateway
        .tunnel(agent, username === tunnelUser ? password : '', request.url ?? '')
        .catch((error: unknown) => {
          throw toRefusal(error)
        })
      if (request.socket.destroyed) {
        await tunnel.ended({ code: 'CONNECT_FAILED', sent: 0, received: 0 })
        throw new RequestError('the agent has left', 408)
      }
      const { cut, over } = keepBounds(request.socket, tunnel)
      open.set(cut, over)
      void over.finally(() => open.delete(cut))
      // Its type asks for a promisified form as well, which nothing calls.
      return { dnsLookup: only(tunnel.address) as typeof lookup }
    },
  })
  // Not a refusal, hence a bug: it ends the process.
  proxy.on('requestFailed', ({ error }: { readonly error: unknown }) => {
    throw error
  })
  return {
    connect(request, socket, head) {
      proxy.registerConnection(request.socket)
      proxy.server.emit('connect', request, socket, head)
    },
    async close() {
      const tunnels = [...open]
      for (const [cut] of tunnels) cut()
      proxy.closeConnections()
      await Promise.all(tunnels.map(([, over]) => over))
    },
  }
}

function toRefusal(error: unknown): unknown {
  if (!(error instanceof EgressError)) return error
  const { code, message, missing } = error
  const body = { ok: false, code, message, ...(missing === undefined ? {} : { missing }) }
  return new RequestError(JSON.stringify(body), 403, { 'content-type': 'application/json' })
}

/** A resolver that knows the address that was judged, and no other. */
function only(address: string): LookupFunction {
  const family = isIPv6(address) ? 6 : 4
  return (_host, { all }, callback) => {
    if (all === true) callback(null, [{ address, family }])
    else callback(null, address, family)
  }
}

/** Ends the tunnel when one of its bounds is reached, and records its end once both sides are closed. */
function keepBounds(
  source: Socket,
  tunnel: Tunnel,
): { readonly cut: () => void; readonly over: Promise<void> } {
  const figures = { sent: 0, received: 0 }
  let target: Socket | undefined
  let code: TunnelEnd = 'CONNECT_FAILED'
  const end = (why: TunnelEnd) => {
    // The first reason is the reason.
    if (code === 'CLOSED' || code === 'CONNECT_FAILED') code = why
    source.destroy()
    target?.destroy()
  }
  const timers = [
    setTimeout(() => end(tunnel.endsAs), tunnel.livesMs),
    setTimeout(() => target?.pending !== false && end('CONNECT_FAILED'), egressLimits.connectMs),
    setInterval(() => tunnel.alive() || end('EPOCH_ENDED'), epochPollMs),
  ]
  // Fires when the proxy has joined both sides, before a byte has moved.
  source.once('pipe', (joined: Socket) => {
    target = joined
    target.once('connect', () => {
      code = 'CLOSED'
    })
    target.once('error', () => {
      if (code === 'CLOSED') code = 'BROKEN_OFF'
    })
    source.on('data', (chunk: Buffer) => {
      figures.sent += chunk.length
      if (figures.sent > egressLimits.tunnelSentBytes) end('BYTES_OVER')
    })
    target.on('data', (chunk: Buffer) => {
      figures.received += chunk.length
      if (figures.received > egressLimits.tunnelReceivedBytes) end('BYTES_OVER')
    })
  })
  const closed = async () => {
    await closing(source)
    if (target !== undefined) await closing(target)
    for (const timer of timers) clearTimeout(timer)
    await tunnel.ended({ code, ...figures })
  }
  return { cut: () => end('GATEWAY_STOPPED'), over: closed() }
}

function closing(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve()
  return new Promise((resolve) => socket.once('close', () => resolve()))
}
