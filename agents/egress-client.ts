// A handler's way to the network: one request to the gateway over the mounted Unix socket, with the
// token of the command that is being carried out. No TLS, no credential, no name resolution here, and
// no decision: what may leave is the gateway's. Invariant: a failure says `absent` only where the
// request cannot have reached a server, or had no effect there.

import { request as httpRequest } from 'node:http'
import type { EgressCode } from '../egress/contract.ts'
import {
  type EgressRequest,
  egressLimits,
  type FetchCall,
  type FetchReply,
  fetchReplySchema,
  isSafe,
  sentCodes,
  unsentCodes,
} from '../egress/contract.ts'
import { ActionFailure } from './define-agent.ts'

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

/** Of a request that may have had its effect: for anything but a read the runtime says UNKNOWN. */
export class EgressOutcomeUnknown extends Error {
  override readonly name = 'EgressOutcomeUnknown'
  readonly code: EgressCode
  constructor(code: EgressCode, message: string = code) {
    super(message)
    this.code = code
  }
}

/** A response with its body in base64, and the rest of the reply. */
const maxReplyBytes = Math.ceil(egressLimits.responseBytes / 3) * 4 + 64 * 1024
/** Above the gateway's own bound, so that its word comes first. */
const slackMs = 1_000

/** Requests through the gateway's socket, which is mounted in the sandboxes that may have it. */
export function createEgressClient(socketPath: string): EgressClient {
  const enter = createTurnstile(egressLimits.concurrent)
  return async (proof, request, signal) => {
    const leave = await enter()
    const text = await ask(socketPath, { ...proof, request }, signal).finally(leave)
    const reply = parseReply(text)
    if (reply === undefined) throw toFailure(request, 'BROKEN_OFF', 'the gateway broke off')
    if (!reply.ok) throw toFailure(request, reply.code, reply.message)
    const { status, headers, bodyBase64, url } = reply
    return { status, headers, url, body: decodeBody(bodyBase64, headers['content-type']) }
  }
}

async function ask(socketPath: string, call: FetchCall, signal?: AbortSignal): Promise<string> {
  if (signal?.aborted === true) {
    throw new ActionFailure('UNAVAILABLE', 'absent', 'the time was over before it was asked')
  }
  try {
    return await exchange(socketPath, call, signal)
  } catch (cause) {
    throw isUnsent(cause)
      ? new ActionFailure('UNAVAILABLE', 'absent', 'the gateway cannot be reached', cause)
      : toFailure(call.request, 'BROKEN_OFF', 'the gateway did not answer')
  }
}

/** Lets so many in at once, the others in order: the gateway refuses more, for good. */
function createTurnstile(places: number): () => Promise<() => void> {
  const waiting: (() => void)[] = []
  let free = places
  const leave = () => {
    const next = waiting.shift()
    if (next === undefined) free += 1
    else next()
  }
  return async () => {
    if (free > 0) free -= 1
    else await new Promise<void>((resolve) => waiting.push(resolve))
    return leave
  }
}

function toFailure(request: EgressRequest, code: EgressCode, message: string): Error {
  const text = `${code}: ${message}`
  if (isIn(unsentCodes, code)) return new ActionFailure('UNAVAILABLE', 'absent', text)
  if (!isIn(sentCodes, code)) return new ActionFailure('UNAVAILABLE', 'final', text)
  if (!isSafe(request.method)) return new EgressOutcomeUnknown(code, text)
  if (code === 'RESPONSE_TOO_LARGE') return new ActionFailure('LIMIT_EXCEEDED', 'final', text)
  return new ActionFailure('UNAVAILABLE', 'absent', text)
}

function isIn(codes: readonly EgressCode[], code: EgressCode): boolean {
  return codes.includes(code)
}

/** Errors of connecting: nothing of the request has left this process. */
function isUnsent(cause: unknown): boolean {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  return code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'EACCES'
}

function exchange(
  socketPath: string,
  { request, ...proof }: FetchCall,
  signal?: AbortSignal,
): Promise<string> {
  const body = JSON.stringify({ ...proof, request })
  const { waitMs = egressLimits.requestMs } = request
  return new Promise((resolve, reject) => {
    const late = AbortSignal.timeout(waitMs + slackMs)
    const call = httpRequest(
      {
        socketPath,
        method: 'POST',
        path: '/fetch',
        agent: false,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        signal: signal === undefined ? late : AbortSignal.any([signal, late]),
      },
      (response) => {
        const chunks: Buffer[] = []
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          chunks.push(chunk)
          if (bytes > maxReplyBytes) response.destroy(new Error('the reply is too long'))
        })
        response.on('error', reject)
        response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
      },
    )
    call.on('error', reject)
    call.end(body)
  })
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
