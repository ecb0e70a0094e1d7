// `fetch` as the providers' libraries call it, through the gateway, its response as it comes. Invariant: a
// request has the declared egress, no credential (that the library has none to send, the gateway knows the key), and no header but
// the few that a provider needs; and a failure of the gateway's is known as it is, whatever a library
// makes of it.

import { egressLimits } from '../../egress/contract.ts'
import { type ActionContext, ActionFailure, type EgressRequest } from '../define-agent.ts'
import { EgressOutcomeUnknown } from '../egress-client.ts'
import { sentHeaders } from '../sent-headers.ts'
import type { Provider } from './providers/port.ts'

/** In place of the one origin that is configured, which an agent does not know. */
export const configuredOrigin = 'http://provider.invalid'

/** What the libraries are given for a key: they want one, and nobody takes this for it. */
export const noKey = 'none-here-the-gateway-has-it'

const needed: ReadonlySet<string> = new Set(['accept', 'anthropic-version', 'content-type'])
/** A long answer with its thoughts is a few hundred kilobytes; sixteen long vectors half a megabyte. */
const maxWholeBytes = 2 * 1024 * 1024
/** The same answer in events: a frame about each token. */
const maxEventBytes = egressLimits.streamedBytes

export interface Transport {
  readonly fetch: typeof fetch
  /**
   * What the gateway's failure says of the last request, where it failed. Asked for rather than found in
   * what a library throws: one takes a failure with a word of time in it for its own, and lets go of it.
   */
  failure(): Error | undefined
  /**
   * Reads what a library has left of the last response: only what has ended is whole.
   * @throws as the request did
   */
  rest(): Promise<void>
  /** Hangs up on the last request. */
  close(): void
}

export const isEvents = (headers: Headers): boolean =>
  headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() === 'text/event-stream'

/** @param waitMs how long an answer may take, as the manifest has it */
export function createTransport(
  context: ActionContext,
  provider: Provider,
  waitMs: number,
): Transport {
  let failure: Error | undefined
  let last: Reading | undefined
  const noting = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      failure = knownOf(error)
      throw error
    }
  }
  return {
    fetch: async (input, init) => {
      failure = undefined
      last = undefined
      const stream = await noting(() => context.stream(toRequest(input, init, provider, waitMs)))
      const { status } = stream
      const headers = new Headers(stream.headers)
      const parts = within(stream.parts, isEvents(headers) ? maxEventBytes : maxWholeBytes)
      const read = () => noting(() => parts.next())
      last = { read, close: stream.close }
      return new Response(bodiless.has(status) ? null : toBody(read), { status, headers })
    },
    failure: () => failure,
    async rest() {
      while (last !== undefined && (await last.read()).done !== true);
    },
    close: () => last?.close(),
  }
}

interface Reading {
  readonly read: () => Promise<IteratorResult<Uint8Array>>
  readonly close: () => void
}

/** Statuses with which a `Response` takes no body. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304])

/** Read when it is asked for, and not ended by who lets go of it: see `rest`. */
function toBody(read: Reading['read']): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await read()
        if (next.done === true) controller.close()
        else controller.enqueue(next.value)
      },
    },
    { highWaterMark: 0 },
  )
}

async function* within(
  parts: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const part of parts) {
    bytes += part.length
    if (bytes > maxBytes) {
      throw new ActionFailure('LIMIT_EXCEEDED', 'final', `the reply is over ${maxBytes} bytes`)
    }
    yield part
  }
}

function toRequest(
  input: Parameters<typeof fetch>[0],
  init: Parameters<typeof fetch>[1] = {},
  provider: Provider,
  waitMs: number,
): EgressRequest {
  const { origin, pathname, search } = new URL(input instanceof Request ? input.url : input)
  const { body } = init
  if (origin !== configuredOrigin || search !== '' || init.method?.toUpperCase() !== 'POST') {
    throw new Error('a request of a kind that is not sent')
  }
  if (typeof body !== 'string') throw new Error('a request whose body is no text')
  return {
    egress: provider,
    method: 'POST',
    path: pathname,
    headers: sentHeaders(init, needed),
    body,
    maxBytes: maxEventBytes,
    waitMs,
  }
}

/** Of a request that was sent and came to nothing: only where the line broke off nobody knows anything. */
function knownOf(error: unknown): Error | undefined {
  if (!(error instanceof EgressOutcomeUnknown)) return error instanceof Error ? error : undefined
  switch (error.code) {
    case 'RESPONSE_TOO_LARGE':
      return new ActionFailure('LIMIT_EXCEEDED', 'final', error.message, error)
    case 'RESPONSE_INVALID':
      return new ActionFailure('CORRUPT_DATA', 'final', error.message, error)
    // Not asked again by itself: it may have been paid for, and a slow model is slow the next time too.
    case 'TIMEOUT':
      return new ActionFailure('UNAVAILABLE', 'final', error.message, error)
    default:
      return error
  }
}
