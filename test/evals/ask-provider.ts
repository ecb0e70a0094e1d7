// The agent `model` as it asks a provider in an evaluation: its own code, in this process, with the network
// in place of the gateway. What the gateway would see to is done here from the same manifest: the paths that
// may be asked, and the header that the key goes into.

import type { ActionContext } from '../../agents/define-agent.ts'
import { ActionFailure } from '../../agents/define-agent.ts'
import { EgressOutcomeUnknown } from '../../agents/egress-client.ts'
import { toStream } from '../../agents/egress-stream.ts'
import { manifest } from '../../agents/model/manifest.ts'
import type { Provider } from '../../plan/model-prices.ts'

export interface ProviderAccess {
  readonly provider: Provider
  /** Where its server is, without a path. */
  readonly origin: string
  /** None for a model of the house. */
  readonly key: string | undefined
}

export const usualOrigins: Readonly<Record<Provider, string>> = {
  anthropic: 'https://api.anthropic.com',
  openai: 'https://api.openai.com',
  gemini: 'https://generativelanguage.googleapis.com',
  local: 'http://127.0.0.1:11434',
}

/** Where the providers' own tools look for a key. */
export const keyVariables: Readonly<Record<Exclude<Provider, 'local'>, string>> = {
  anthropic: 'ANTHROPIC_API_KEY',
  openai: 'OPENAI_API_KEY',
  gemini: 'GEMINI_API_KEY',
}

export function contextFor(access: ProviderAccess): ActionContext {
  const none = () => {
    throw new Error('the agent has no folder and no secret')
  }
  return {
    ...{ idem: 'A'.repeat(43), kind: 'do', now: Date.now, folder: none, secret: none },
    fetch: (request) => ask(access, request),
    // As one part: an evaluation waits for the whole answer.
    stream: async (request) => toStream(await ask(access, request)),
    connect: () => Promise.reject(new Error('the agent has no tunnel')),
    run: () => Promise.reject(new Error('the agent has no program')),
  }
}

type Fetch = ActionContext['fetch']

async function ask(
  { provider, origin, key }: ProviderAccess,
  { egress, path, body, headers, maxBytes, waitMs = 100_000 }: Parameters<Fetch>[0],
): ReturnType<Fetch> {
  const declared = manifest.egress?.find(({ id }) => id === egress)
  if (egress !== provider || declared?.allow.some((rule) => rule.path === path) !== true) {
    throw new Error('a request of a kind that the manifest does not declare')
  }
  const url = `${origin}${path}`
  const as = declared.credential?.as
  const credential = as === undefined || key === undefined ? {} : headerOf(as, key)
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...headers, ...credential },
      ...(body === undefined ? {} : { body }),
      // A key goes to the host that was named and to no other.
      redirect: 'manual',
      signal: AbortSignal.timeout(waitMs),
    })
    const text = await response.text()
    if (Buffer.byteLength(text) > maxBytes) throw new EgressOutcomeUnknown('RESPONSE_TOO_LARGE')
    return {
      ...{ status: response.status, url, body: text },
      headers: Object.fromEntries(response.headers),
    }
  } catch (error) {
    throw failureOf(error)
  }
}

function headerOf(as: NonNullable<unknown>, key: string): Readonly<Record<string, string>> {
  if (as === 'bearer') return { authorization: `Bearer ${key}` }
  if (typeof as === 'object' && 'header' in as) return { [String(as.header)]: key }
  throw new Error('a credential of a kind that no provider takes')
}

/** Errors of `fetch` (undici), as the gateway would tell them. */
function failureOf(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof EgressOutcomeUnknown) return error
  if (error.name === 'TimeoutError') return new EgressOutcomeUnknown('TIMEOUT')
  const cause = error.cause
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const unsent = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']
  return unsent.includes(code)
    ? new ActionFailure('UNAVAILABLE', 'absent', `${code}: nothing was sent`)
    : new EgressOutcomeUnknown('BROKEN_OFF')
}
