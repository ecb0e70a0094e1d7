// A handler's way to the network: one request to the gateway over the mounted Unix socket, with the
// token of the command that is being carried out. No TLS, no credential, no name resolution here, and
// no decision: what may leave is the gateway's. Invariant: a failure says `absent` only where the
// request cannot have reached a server, or had no effect there.

import type { IncomingMessage } from 'node:http'
import {
  type EgressRequest,
  egressLimits,
  type FetchCall,
  type FetchReply,
  fetchReplySchema,
} from '../egress/contract.ts'
import { callGateway, createTurnstile, type Turnstile, toFailure } from './gateway-call.ts'

export { EgressOutcomeUnknown } from './gateway-call.ts'

export interface EgressResponse {
  readonly status: number
  /** Names in lower case; only those that a reader of content needs. */
  readonly headers: Readonly<Record<string, string>>
  /** UTF-8, or ISO 8859-1 where the server says so. */
  readonly body: string
  /** What was asked; redirects are not followed. */
  readonly url: string
}

/** What proves to the gateway what this command may ask. */
export type EgressProof = Pick<FetchCall, 'token' | 'args' | 'salt'>

export type EgressClient = (
  proof: EgressProof,
  request: EgressRequest,
  signal?: AbortSignal,
) => Promise<EgressResponse>

/** A response with its body in base64, and the rest of the reply. */
const maxReplyBytes = Math.ceil(egressLimits.responseBytes / 3) * 4 + 64 * 1024
/**
 * Requests through the gateway's socket, which is mounted in the sandboxes that may have it.
 * @param enter of all that this process asks at that socket
 */
export function createEgressClient(
  socketPath: string,
  enter: Turnstile = createTurnstile(),
): EgressClient {
  return async (proof, request, signal) => {
    const leave = await enter()
    const call: FetchCall = { ...proof, request }
    const response = await callGateway(socketPath, call, signal).catch((error: unknown) => {
      leave()
      throw error
    })
    const reply = parseReply(await textOf(response, request).finally(leave))
    if (reply === undefined) throw toFailure(request, 'BROKEN_OFF', 'the gateway broke off')
    if (!reply.ok) throw toFailure(request, reply.code, reply.message)
    const { status, headers, bodyBase64, url } = reply
    return { status, headers, url, body: decodeBody(bodyBase64, headers['content-type']) }
  }
}

async function textOf(response: IncomingMessage, request: EgressRequest): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > maxReplyBytes) throw new Error('the reply is too long')
      chunks.push(chunk)
    }
  } catch {
    throw toFailure(request, 'BROKEN_OFF', 'the gateway did not answer')
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseReply(text: string): FetchReply | undefined {
  try {
    return fetchReplySchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

function decodeBody(base64: string, contentType: string | undefined): string {
  const charset = /;\s*charset="?([A-Za-z0-9_-]+)/.exec(contentType ?? '')?.[1]?.toLowerCase()
  const isLatin = charset === 'iso-8859-1' || charset === 'latin1'
  return Buffer.from(base64, 'base64').toString(isLatin ? 'latin1' : 'utf8')
}
