// `fetch` as the providers' libraries call it, through the gateway. Invariant: a request has the declared
// egress, no credential (that the library has none to send, the gateway knows the key), and no header but
// the few that a provider needs; and a failure of the gateway's is known as it is, whatever a library
// makes of it.

import { type ActionContext, ActionFailure } from '../define-agent.ts'
import { EgressOutcomeUnknown } from '../egress-client.ts'
import { sentHeaders } from '../sent-headers.ts'
import type { Provider } from './providers/port.ts'

/** In place of the one origin that is configured, which an agent does not know. */
export const configuredOrigin = 'http://provider.invalid'

/** What the libraries are given for a key: they want one, and nobody takes this for it. */
export const noKey = 'none-here-the-gateway-has-it'

const needed: ReadonlySet<string> = new Set(['accept', 'anthropic-version', 'content-type'])
/** A long answer with its thoughts is a few hundred kilobytes; sixteen long vectors half a megabyte. */
const maxBytes = 2 * 1024 * 1024

export interface Transport {
  readonly fetch: typeof fetch
  /**
   * What the gateway's failure says of the last request, where it failed. Asked for rather than found in
   * what a library throws: one takes a failure with a word of time in it for its own, and lets go of it.
   */
  failure(): Error | undefined
}

/** @param waitMs how long an answer may take, as the manifest has it */
export function createTransport(
  context: ActionContext,
  provider: Provider,
  waitMs: number,
): Transport {
  let failure: Error | undefined
  const ask = createFetch(context, provider, waitMs)
  return {
    fetch: async (input, init) => {
      failure = undefined
      try {
        return await ask(input, init)
      } catch (error) {
        failure = knownOf(error)
        throw error
      }
    },
    failure: () => failure,
  }
}

function createFetch(context: ActionContext, provider: Provider, waitMs: number): typeof fetch {
  return async (input, init = {}) => {
    const { origin, pathname, search } = new URL(input instanceof Request ? input.url : input)
    const { body } = init
    if (origin !== configuredOrigin || search !== '' || init.method?.toUpperCase() !== 'POST') {
      throw new Error('a request of a kind that is not sent')
    }
    if (typeof body !== 'string') throw new Error('a request whose body is no text')
    const reply = await context.fetch({
      egress: provider,
      method: 'POST',
      path: pathname,
      headers: sentHeaders(init, needed),
      body,
      maxBytes,
      waitMs,
    })
    const { status, headers } = reply
    return new Response(reply.body === '' ? null : reply.body, { status, headers })
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
