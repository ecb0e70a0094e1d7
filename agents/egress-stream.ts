// A handler's way to a response as it comes: its head, then its bytes, and only after the last of them
// whether it was whole. Invariant: parts that end without an error were all of it, and are on record at the
// gateway; whatever else happens, iterating them throws what an unstreamed request would have thrown.

import type { IncomingMessage } from 'node:http'
import {
  type EgressRequest,
  type FetchCall,
  type StreamHead,
  type StreamLine,
  streamLineSchema,
} from '../egress/contract.ts'
import type { EgressProof, EgressResponse } from './egress-client.ts'
import { callGateway, type Turnstile, toFailure } from './gateway-call.ts'

export interface EgressStream extends StreamHead {
  /** May be iterated once. @throws ActionFailure, EgressOutcomeUnknown */
  readonly parts: AsyncIterable<Uint8Array>
  /** Hangs up: the gateway asks no further. Of no consequence after the end. */
  close(): void
}

export type EgressStreamClient = (
  proof: EgressProof,
  request: EgressRequest,
  signal?: AbortSignal,
) => Promise<EgressStream>

/** A part of 64 KiB in base64, or the headers that are passed on. */
const maxLineCharacters = 256 * 1024

/** Streams through the gateway's socket; the turnstile is shared with all that is asked there. */
export function createEgressStreams(socketPath: string, enter: Turnstile): EgressStreamClient {
  return async (proof, request, signal) => {
    const leave = await enter()
    const call: FetchCall = { ...proof, request: { ...request, stream: true } }
    const response = await callGateway(socketPath, call, signal).catch((error: unknown) => {
      leave()
      throw error
    })
    // However it ends, and whether or not anybody reads it.
    response.once('close', leave)
    // Told to whoever reads; of one that was left nobody asks.
    response.on('error', () => undefined)
    const lines = linesOf(response, request)
    const { value: first } = await lines.next()
    if (first === undefined || !('status' in first)) {
      response.destroy()
      throw first !== undefined && 'ok' in first
        ? toFailure(request, first.code, first.message)
        : brokenOff(request)
    }
    const close = () => response.destroy()
    return { ...first, parts: partsOf(lines, request, close), close }
  }
}

/** A response that is there already, for whoever reads streams. */
export function toStream({ body, ...head }: EgressResponse): EgressStream {
  const parts = async function* () {
    yield Buffer.from(body)
  }
  return { ...head, parts: parts(), close: () => undefined }
}

async function* partsOf(
  lines: AsyncIterable<StreamLine>,
  request: EgressRequest,
  close: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const line of lines) {
      if ('end' in line) return
      if ('ok' in line) throw toFailure(request, line.code, line.message)
      if (!('partBase64' in line)) break
      yield Buffer.from(line.partBase64, 'base64')
    }
    throw brokenOff(request)
  } finally {
    close()
  }
}

async function* linesOf(
  response: IncomingMessage,
  request: EgressRequest,
): AsyncGenerator<StreamLine> {
  response.setEncoding('utf8')
  let text = ''
  const chunks = (response as AsyncIterable<string>)[Symbol.asyncIterator]()
  for (;;) {
    const next = await chunks.next().catch(() => undefined)
    if (next === undefined) throw brokenOff(request)
    if (next.done === true) break
    const lines = `${text}${next.value}`.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) yield parseLine(line, request)
    if (text.length > maxLineCharacters) throw brokenOff(request)
  }
  // A refusal from before there was a head.
  if (text !== '') yield parseLine(text, request)
}

function parseLine(text: string, request: EgressRequest): StreamLine {
  try {
    return streamLineSchema.parse(JSON.parse(text))
  } catch {
    throw brokenOff(request)
  }
}

function brokenOff(request: EgressRequest): Error {
  return toFailure(request, 'BROKEN_OFF', 'the gateway broke off')
}
