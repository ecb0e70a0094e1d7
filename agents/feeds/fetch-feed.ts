// One look at a feed over HTTP: asked with what is known of it, redirects followed a few times (the
// gateway judges each hop anew), and its reply reduced to what a follower of feeds has to know. Keeps
// nothing. A redirect away from https is not followed.

import { type ActionContext, ActionFailure } from '../define-agent.ts'
import { maxFeedBytes } from './feed-text.ts'
import { parseFeedUrl, queryOf } from './feed-url.ts'

const maxRedirects = 5
/** Servers may ask for patience; more than a week is an error of theirs. */
const maxPatienceMs = 7 * 24 * 3_600_000

export interface Known {
  readonly url: string
  /** As the server sent them. */
  readonly etag: string | null
  readonly lastModified: string | null
}

export type Look =
  | { readonly kind: 'fresh'; readonly known: Known; readonly text: string; readonly base: string }
  | { readonly kind: 'unchanged'; readonly known: Known }
  /** 410: there will be no more. */
  | { readonly kind: 'gone' }
  /** The server asks for patience: null where it does not say how long. */
  | { readonly kind: 'later'; readonly waitMs: number | null }

/** @throws ActionFailure */
export async function lookAt(context: ActionContext, known: Known): Promise<Look> {
  let at = known.url
  // Moved for good only while every hop so far says so.
  let lasting = known.url
  let isLasting = true
  for (let hop = 0; hop <= maxRedirects; hop += 1) {
    const reply = await ask(context, { ...known, url: at })
    const target = redirectOf(reply, at)
    if (target === undefined) return judge(reply, { ...known, url: lasting }, { base: at, context })
    isLasting &&= reply.status === 301 || reply.status === 308
    if (isLasting) lasting = target
    at = target
  }
  throw new ActionFailure('UNAVAILABLE', 'final', `more than ${maxRedirects} redirects`)
}

type FetchReply = Awaited<ReturnType<ActionContext['fetch']>>

async function ask(context: ActionContext, { url, etag, lastModified }: Known) {
  const target = parseFeedUrl(url)
  const query = target && queryOf(target)
  if (target === undefined || query === undefined) {
    throw new ActionFailure('INVALID_INPUT', 'final', 'not the address of a feed')
  }
  return context.fetch({
    egress: 'feeds',
    origin: target.origin,
    method: 'GET',
    path: target.pathname,
    query,
    headers: {
      accept:
        'application/rss+xml, application/atom+xml, application/feed+json, application/xml;q=0.9, */*;q=0.1',
      'user-agent': 'bulkhead-feeds/0.1',
      ...(etag === null ? {} : { 'if-none-match': etag }),
      ...(lastModified === null ? {} : { 'if-modified-since': lastModified }),
    },
    maxBytes: maxFeedBytes,
  })
}

function redirectOf({ status, headers }: FetchReply, at: string): string | undefined {
  if (![301, 302, 303, 307, 308].includes(status)) return undefined
  const target = parseFeedUrl(headers['location'] ?? '', at)
  const isDowngrade = at.startsWith('https:') && target?.protocol === 'http:'
  if (target === undefined || headers['location'] === undefined || isDowngrade) {
    throw new ActionFailure('UNAVAILABLE', 'final', `a redirect (${status}) that leads nowhere`)
  }
  return target.href
}

function judge(
  reply: FetchReply,
  known: Known,
  { base, context }: { readonly base: string; readonly context: ActionContext },
): Look {
  const { status, headers } = reply
  const isConditional = known.etag !== null || known.lastModified !== null
  switch (status) {
    case 200:
      return {
        kind: 'fresh',
        known: {
          url: known.url,
          etag: validator(headers['etag']),
          lastModified: validator(headers['last-modified']),
        },
        text: reply.body,
        base,
      }
    case 304:
      if (isConditional) return { kind: 'unchanged', known }
      throw new ActionFailure('UNAVAILABLE', 'final', 'unchanged since nothing')
    case 404:
      throw new ActionFailure('NOT_FOUND', 'final', 'no such feed')
    case 410:
      return { kind: 'gone' }
    case 429:
    case 503:
      return { kind: 'later', waitMs: patience(headers['retry-after'], context.now()) }
    default:
      throw new ActionFailure('UNAVAILABLE', status >= 500 ? 'absent' : 'final', `status ${status}`)
  }
}

/** Sent back as it came, so only what a header may hold. */
function validator(value: string | undefined): string | null {
  return value !== undefined && /^[\x20-\x7e]{1,256}$/.test(value) ? value : null
}

/** RFC 9110: seconds, or a date. */
function patience(value: string | undefined, nowMs: number): number | null {
  if (value === undefined || value.length > 64) return null
  const ms = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - nowMs
  return Number.isNaN(ms) ? null : Math.min(Math.max(ms, 0), maxPatienceMs)
}
