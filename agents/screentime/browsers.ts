// Which windows are a browser's, and which site a tab showed. Of a URL only the host's name is kept:
// paths and queries say what was read and searched for. Pure.

import { plain } from './plain-text.ts'

/** Part of the id of a browser's bucket (aw-watcher-web-<browser>) -> names of its windows' app. */
const browsers: readonly (readonly [string, RegExp])[] = [
  ['firefox', /firefox|librewolf|waterfox|floorp|zen\b/i],
  ['chrome', /chrome|chromium/i],
  ['chromium', /chromium/i],
  ['edge', /edge/i],
  ['brave', /brave/i],
  ['safari', /safari/i],
  ['vivaldi', /vivaldi/i],
  ['opera', /opera/i],
  ['arc', /\barc\b/i],
]
const any =
  /firefox|librewolf|waterfox|floorp|\bzen\b|chrom|edge|brave|safari|vivaldi|opera|\barc\b/i

/** Whether an app is the browser that a bucket of tabs belongs to. */
export function browsersOf(bucketId: string): (app: string) => boolean {
  const id = bucketId.toLowerCase()
  const known = browsers.find(([name]) => id.startsWith(`aw-watcher-web-${name}`))
  return (app) => (known?.[1] ?? any).test(app)
}

/** Host name in lower case without `www.`; `other` for what has none (files, the browser's own pages). */
export function domainOf(url: string): string {
  const parsed = url.length <= 64 * 1024 && /^https?:/i.test(url) ? URL.parse(url) : null
  const host = parsed?.hostname.replace(/^www\./, '').replace(/\.$/, '') ?? ''
  return plain(host, 253) === '' ? 'other' : plain(host, 253)
}
