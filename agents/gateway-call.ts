// One call at the gateway's door, as far as its response's head; and what each way in which it can fail is
// told as. Invariant: a failure says `absent` only where the request cannot have reached a server, or had
// no effect there.

import { request as httpRequest, type IncomingMessage } from 'node:http'
import {
  type EgressCode,
  type EgressRequest,
  egressLimits,
  type FetchCall,
  isSafe,
  sentCodes,
  unsentCodes,
} from '../egress/contract.ts'
import { ActionFailure } from './define-agent.ts'

/** Of a request that may have had its effect: for anything but a read the runtime says UNKNOWN. */
export class EgressOutcomeUnknown extends Error {
  override readonly name = 'EgressOutcomeUnknown'
  readonly code: EgressCode
  constructor(code: EgressCode, message: string = code) {
    super(message)
    this.code = code
  }
}

/** Waits for a place, and returns how to leave it. */
export type Turnstile = () => Promise<() => void>

/** Above the gateway's own bound, so that its word comes first. */
const slackMs = 1_000

/** @throws ActionFailure, EgressOutcomeUnknown where no response came */
export async function callGateway(
  socketPath: string,
  call: FetchCall,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
  if (signal?.aborted === true) {
    throw new ActionFailure('UNAVAILABLE', 'absent', 'the time was over before it was asked')
  }
  try {
    return await send(socketPath, call, signal)
  } catch (cause) {
    throw isUnsent(cause)
      ? new ActionFailure('UNAVAILABLE', 'absent', 'the gateway cannot be reached', cause)
      : toFailure(call.request, 'BROKEN_OFF', 'the gateway did not answer')
  }
}

/** Lets so many in at once as the gateway does, the others in order: it refuses more, for good. */
export function createTurnstile(places: number = egressLimits.concurrent): Turnstile {
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

export function toFailure(
  { method }: Pick<EgressRequest, 'method'>,
  code: EgressCode,
  message: string,
): Error {
  const text = `${code}: ${message}`
  if (isIn(unsentCodes, code)) return new ActionFailure('UNAVAILABLE', 'absent', text)
  if (!isIn(sentCodes, code)) return new ActionFailure('UNAVAILABLE', 'final', text)
  if (!isSafe(method)) return new EgressOutcomeUnknown(code, text)
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

function send(
  socketPath: string,
  { request, ...proof }: FetchCall,
  signal?: AbortSignal,
): Promise<IncomingMessage> {
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
      resolve,
    )
    call.on('error', reject)
    call.end(body)
  })
}
