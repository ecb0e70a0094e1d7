// `fetch` as tsdav calls it, through the gateway. Invariant: every request has the declared egress, no
// credential and no header beyond the few that CalDAV needs, and every answer is bounded and looked
// through before the library reads it. A failure of the gateway's passes through unchanged.

import { egressLimits } from '../../egress/contract.ts'
import { type ActionContext, ActionFailure, type EgressRequest } from '../define-agent.ts'
import { sentHeaders } from '../sent-headers.ts'
import { checkXml } from './bounded-xml.ts'

/**
 * In place of the one origin that is configured, which an agent does not know. It stands in the copies
 * and journals on disk, so it stays what it is.
 */
export const configuredOrigin = 'http://caldav.invalid'

export type DavFetch = typeof fetch

const methods = ['GET', 'PUT', 'DELETE', 'PROPFIND', 'REPORT'] as const
const reading: readonly EgressRequest['method'][] = ['PROPFIND', 'REPORT']
const needed: ReadonlySet<string> = new Set(['content-type', 'depth', 'if-match', 'if-none-match'])
/** Of responses that have none by definition, and that the constructor refuses one for. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304])

/** @param egress id of the manifest's declaration */
export function gatewayFetch(context: ActionContext, egress: string): DavFetch {
  return async (input, init = {}) => {
    const { origin, pathname } = new URL(input instanceof Request ? input.url : input)
    const { body } = init
    const method = methods.find((one) => one === init.method)
    if (method === undefined) throw new Error('a request with a method that is not sent')
    const reply = await context.fetch({
      egress,
      ...(origin === configuredOrigin ? {} : { origin }),
      method,
      path: plainPath(pathname),
      headers: sentHeaders(init, needed),
      ...(typeof body === 'string' && method !== 'GET' && method !== 'DELETE' ? { body } : {}),
      maxBytes: egressLimits.responseBytes,
    })
    const { status, headers } = reply
    if (reading.includes(method)) assertAnswered(status)
    // The library reads whatever succeeded.
    if (reading.includes(method) && status < 300) checkXml(reply.body)
    return new Response(bodiless.has(status) ? null : reply.body, { status, headers })
  }
}

/** @throws ActionFailure UNAVAILABLE for what no other question will mend, or a later one may */
function assertAnswered(status: number): void {
  if (status === 401) {
    throw new ActionFailure('UNAVAILABLE', 'final', 'the server refuses the credential')
  }
  if (status === 429 || status >= 500) {
    throw new ActionFailure('UNAVAILABLE', 'absent', `status ${status}`)
  }
}

/** A path in the spelling that the gateway takes: encoded where it must be, and nowhere else. */
export function plainPath(pathname: string): string {
  return pathname.split('/').map(plainSegment).join('/')
}

function plainSegment(segment: string): string {
  try {
    const text = encodeURIComponent(decodeURIComponent(segment))
    return text.replace(/%(?:24|26|2B|2C|3A|3D|40)/g, decodeURIComponent)
  } catch {
    return segment
  }
}
