// A handler's way to a server that does not speak HTTP: one CONNECT to the gateway over the mounted
// Unix socket, with the token of the command that is being carried out. The agent speaks TLS through it
// itself, end to end. No decision here: what may be reached is the gateway's. Nothing is promised of
// how long it stays open: it is cut when token, step or bounds end.

import { request as httpRequest } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  egressLimits,
  type Proof,
  refusalSchema,
  type TunnelCall,
  type TunnelRequest,
  tunnelUser,
  unsentCodes,
} from '../egress/contract.ts'
import { ActionFailure } from './define-agent.ts'

export type TunnelClient = (
  proof: Proof,
  request: TunnelRequest,
  signal?: AbortSignal,
) => Promise<Duplex>

/** Above the gateway's own bound, so that its word comes first. */
const openMs = egressLimits.connectMs * 2 + 1_000
const maxRefusalBytes = 16 * 1024

/** Tunnels through the gateway's socket, which is mounted in the sandboxes that may have it. */
export function createTunnelClient(socketPath: string): TunnelClient {
  return async (proof, { egress, host, port }, signal) => {
    const call: TunnelCall = { ...proof, egress }
    const { status, socket } = await ask(socketPath, {
      target: `${host.includes(':') ? `[${host}]` : host}:${port}`,
      password: JSON.stringify(call),
      signal,
    })
    if (status !== 200) throw await toFailure(socket)
    // Whoever gives up the step gives up its connections.
    signal?.addEventListener('abort', () => socket.destroy(), { once: true })
    if (signal?.aborted === true) socket.destroy()
    return socket
  }
}

interface Answer {
  readonly status: number
  readonly socket: Duplex
}

function ask(
  socketPath: string,
  asked: {
    readonly target: string
    readonly password: string
    readonly signal: AbortSignal | undefined
  },
): Promise<Answer> {
  const late = AbortSignal.timeout(openMs)
  const credentials = Buffer.from(`${tunnelUser}:${asked.password}`).toString('base64')
  return new Promise((resolve, reject) => {
    const call = httpRequest({
      socketPath,
      method: 'CONNECT',
      path: asked.target,
      agent: false,
      headers: { host: asked.target, 'proxy-authorization': `Basic ${credentials}` },
      signal: asked.signal === undefined ? late : AbortSignal.any([asked.signal, late]),
    })
    call.once('connect', ({ statusCode = 0 }, socket, head) => {
      if (head.length > 0) socket.unshift(head)
      resolve({ status: statusCode, socket })
    })
    // Closed without a word: the server was not reached, or the gateway is not there.
    call.once('error', (cause) => {
      reject(new ActionFailure('UNAVAILABLE', 'absent', 'the tunnel did not open', cause))
    })
    call.end()
  })
}

async function toFailure(socket: Duplex): Promise<ActionFailure> {
  let text = ''
  try {
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      text += chunk.toString('utf8')
      if (text.length > maxRefusalBytes) break
    }
  } catch {
    // What came is what there is.
  }
  const refusal = parseRefusal(text)
  if (refusal === undefined) {
    return new ActionFailure('UNAVAILABLE', 'final', 'MALFORMED: the gateway refused')
  }
  const { code, message } = refusal
  const isUnsent = unsentCodes.some((one) => one === code)
  return new ActionFailure('UNAVAILABLE', isUnsent ? 'absent' : 'final', `${code}: ${message}`)
}

function parseRefusal(text: string) {
  try {
    return refusalSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
