// The sample home's web server, and a handler's `fetch` that asks it over real HTTP. It stands where
// the gateway would: one origin, no redirects followed, a bounded reply, the headers that a reader of
// content needs. It checks no token; the gateway's own tests do.

import type { ActionContext, EgressRequest, EgressResponse } from '../../agents/define-agent.ts'
import { ActionFailure } from '../../agents/define-agent.ts'
import { type HomeServer, startHomeServer } from '../../examples/home/server.ts'

const passed = ['content-type', 'etag', 'last-modified', 'location', 'retry-after'] as const

export interface WebHome {
  readonly server: HomeServer
  readonly fetch: ActionContext['fetch']
  /** The next requests end like this before anything is sent; undefined ends that. */
  fail(failure: ActionFailure | undefined): void
}

export async function startWebHome(now: () => number): Promise<WebHome> {
  const server = await startHomeServer({ now })
  let failing: ActionFailure | undefined
  return {
    server,
    fail: (failure) => {
      failing = failure
    },
    fetch: async (request) => {
      if (failing !== undefined) throw failing
      return ask(request, server.origin)
    },
  }
}

async function ask(request: EgressRequest, allowed: string): Promise<EgressResponse> {
  if (request.origin !== undefined && request.origin !== allowed) {
    throw new ActionFailure('UNAVAILABLE', 'final', 'ORIGIN_NOT_ALLOWED: no such origin')
  }
  const url = new URL(request.path, allowed)
  url.search = new URLSearchParams({ ...request.query }).toString()
  const response = await fetch(url, {
    method: request.method,
    redirect: 'manual',
    headers: { ...request.headers },
  })
  const bytes = Buffer.from(await response.arrayBuffer())
  if (bytes.length > request.maxBytes) {
    throw new ActionFailure('LIMIT_EXCEEDED', 'final', 'RESPONSE_TOO_LARGE: more than asked for')
  }
  const headers = passed.flatMap((name) => {
    const value = response.headers.get(name)
    return value === null ? [] : [[name, value] as const]
  })
  const type = response.headers.get('content-type') ?? ''
  const body = bytes.toString(/charset="?iso-8859-1/i.test(type) ? 'latin1' : 'utf8')
  return { status: response.status, headers: Object.fromEntries(headers), body, url: url.href }
}
