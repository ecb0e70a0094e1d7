// Addresses of feeds and items. Invariant: what comes out is http or https, without a password, and
// has one spelling. Whether such an address may be asked is not decided here but by the gateway. Pure.

import { maxUrlLength } from './manifest.ts'

/** @param base makes a relative address absolute */
export function parseFeedUrl(text: string, base?: string): URL | undefined {
  const url = URL.parse(text.trim(), base)
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) return undefined
  if (url.username !== '' || url.password !== '' || url.href.length > maxUrlLength) return undefined
  url.hash = ''
  return url
}

/** Undefined where one key stands twice, which a request of the gateway cannot say. */
export function queryOf(url: URL): Readonly<Record<string, string>> | undefined {
  const pairs = [...url.searchParams]
  return new Set(pairs.map(([key]) => key)).size === pairs.length
    ? Object.fromEntries(pairs)
    : undefined
}
