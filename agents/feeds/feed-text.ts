// The text of a feed or of an OPML list as data of one shape, whatever the dialect. Hostile text ends
// in a typed failure or in less data, never in more than the figures below: entity definitions are
// refused (none is ever expanded), and everything else is parsed without recursion into its depth.
// A text that the server declared wrongly arrives with U+FFFD in it and stays readable otherwise. Pure.

import { createHash } from 'node:crypto'
import { parseFeed, parseOpml } from 'feedsmith'
import { ActionFailure } from '../define-agent.ts'
import { parseFeedUrl } from './feed-url.ts'
import { plainText } from './plain-text.ts'

/** Bytes of a feed; podcasts of ten years are the largest that occur. */
export const maxFeedBytes = 4 * 1024 * 1024
/** Items that are looked at, of which the latest are kept. */
const maxParsed = 2_000
export const maxItems = 200
const maxOutlines = 1_000
const [titleLength, summaryLength, authorLength] = [200, 300, 100]

const minuteMs = 60_000
const periods: ReadonlyMap<string, number> = new Map([
  ['hourly', 60 * minuteMs],
  ['daily', 24 * 60 * minuteMs],
  ['weekly', 7 * 24 * 60 * minuteMs],
  ['monthly', 30 * 24 * 60 * minuteMs],
  ['yearly', 365 * 24 * 60 * minuteMs],
])

export interface ParsedItem {
  /** What the feed calls it: guid, else address, else what it says. */
  readonly key: string
  readonly title: string
  readonly url: string | null
  /** RFC 3339, UTC. */
  readonly published: string | null
  readonly summary: string
  readonly author: string | null
}

export interface ParsedFeed {
  readonly title: string
  /** The latest, at most `maxItems`, each key once; in the order of the feed where it has no dates. */
  readonly items: readonly ParsedItem[]
  /** How often the feed wants to be asked, where it says so. */
  readonly intervalMs: number | null
}

/** As a dialect gives it: raw text, perhaps HTML. */
interface RawItem {
  readonly id?: string | undefined
  readonly title?: string | undefined
  readonly url?: string | undefined
  readonly published?: string | undefined
  readonly text?: string | undefined
  readonly author?: string | undefined
}

interface RawFeed {
  readonly title?: string | undefined
  readonly items: readonly RawItem[]
  readonly intervalMs?: number | undefined
}

/**
 * @param base address of the feed, for relative ones in it
 * @throws ActionFailure CORRUPT_DATA for what is no feed, LIMIT_EXCEEDED for too long a one
 */
export function parseFeedText(text: string, base: string): ParsedFeed {
  const raw = guarded(text, () => rawFeedOf(text.replace(/^\uFEFF/, '')))
  const byKey = new Map<string, ParsedItem>()
  for (const item of latest(raw.items)) {
    const parsed = toItem(item, base)
    if (!byKey.has(parsed.key)) byKey.set(parsed.key, parsed)
  }
  return {
    title: plainText(raw.title ?? '', titleLength) || new URL(base).hostname,
    items: [...byKey.values()],
    intervalMs: raw.intervalMs ?? null,
  }
}

export interface Outline {
  readonly url: string
  readonly title: string
}

/** @throws ActionFailure CORRUPT_DATA, LIMIT_EXCEEDED */
export function parseOpmlText(text: string): readonly Outline[] {
  const opml = guarded(text, () => parseOpml(text.replace(/^\uFEFF/, '')))
  const outlines = new Map<string, Outline>()
  let seen = 0
  const open = [...(opml.body?.outlines ?? [])].reverse()
  for (let outline = open.pop(); outline !== undefined; outline = open.pop()) {
    seen += 1
    if (seen > maxOutlines) throw tooMuch(`more than ${maxOutlines} outlines`)
    open.push(...[...(outline.outlines ?? [])].reverse())
    const url = parseFeedUrl(outline.xmlUrl ?? '')?.href
    if (url === undefined || outlines.has(url)) continue
    const title = plainText(outline.title ?? outline.text ?? '', titleLength)
    outlines.set(url, { url, title: title || new URL(url).hostname })
  }
  return [...outlines.values()]
}

/** Whatever the parser throws, and it has errors of its own, of the engine and of the stack. */
function guarded<Result>(text: string, parse: () => Result): Result {
  if (text.length > maxFeedBytes) throw tooMuch(`more than ${maxFeedBytes} characters`)
  if (/<!ENTITY/i.test(text)) throw corrupt('it defines entities')
  try {
    return parse()
  } catch (error) {
    throw corrupt('it is no feed of a known format', error)
  }
}

function corrupt(what: string, cause?: unknown): ActionFailure {
  return new ActionFailure('CORRUPT_DATA', 'final', what, cause)
}

function tooMuch(what: string): ActionFailure {
  return new ActionFailure('LIMIT_EXCEEDED', 'final', what)
}

function rawFeedOf(text: string): RawFeed {
  const parsed = parseFeed(text, { maxItems: maxParsed })
  switch (parsed.format) {
    case 'rss': {
      const { feed } = parsed
      const items = feed.items?.map(
        (item): RawItem => ({
          id: item.guid?.value,
          title: item.title,
          // Without a link, a guid is one unless it says otherwise (RSS 2.0).
          url: item.link ?? (item.guid?.isPermaLink === false ? undefined : item.guid?.value),
          published: item.pubDate ?? item.dc?.dates?.[0],
          text: item.description ?? item.content?.encoded,
          author: item.authors?.[0]?.name ?? item.dc?.creators?.[0],
        }),
      )
      const ttl = feed.ttl === undefined ? undefined : feed.ttl * minuteMs
      return { title: feed.title, items: items ?? [], intervalMs: ttl ?? intervalOf(feed.sy) }
    }
    case 'rdf': {
      const { feed } = parsed
      const items = feed.items?.map(
        (item): RawItem => ({
          id: item.rdf?.about ?? item.link,
          title: item.title,
          url: item.link,
          published: item.dc?.dates?.[0],
          text: item.description ?? item.content?.encoded,
          author: item.dc?.creators?.[0],
        }),
      )
      return { title: feed.title, items: items ?? [], intervalMs: intervalOf(feed.sy) }
    }
    case 'atom': {
      const { feed } = parsed
      const items = feed.entries?.map(
        (entry): RawItem => ({
          id: entry.id,
          title: entry.title?.value,
          url: entry.links?.find(({ rel = 'alternate' }) => rel === 'alternate')?.href,
          published: entry.published ?? entry.updated,
          text: entry.summary?.value ?? entry.content?.value,
          author: entry.authors?.[0]?.name,
        }),
      )
      return { title: feed.title?.value, items: items ?? [], intervalMs: intervalOf(feed.sy) }
    }
    case 'json': {
      const { feed } = parsed
      const items = feed.items?.map(
        (item): RawItem => ({
          id: item.id,
          title: item.title,
          url: item.url ?? item.external_url,
          published: item.date_published ?? item.date_modified,
          text: item.summary ?? item.content_text ?? item.content_html,
          author: item.authors?.[0]?.name,
        }),
      )
      return { title: feed.title, items: items ?? [] }
    }
    default:
      return parsed satisfies never
  }
}

interface Syndication {
  readonly updatePeriod?: string
  readonly updateFrequency?: number
}

function intervalOf(sy: Syndication | undefined): number | undefined {
  const period = periods.get(sy?.updatePeriod ?? '')
  const times = Math.max(1, sy?.updateFrequency ?? 1)
  return period === undefined ? undefined : period / times
}

/** The same ones at each reading of the same text, so that none left out today is new tomorrow. */
function latest(items: readonly RawItem[]): readonly RawItem[] {
  return items
    .map((item) => ({ item, at: Date.parse(dateOf(item.published) ?? '') || 0 }))
    .sort((left, right) => right.at - left.at)
    .slice(0, maxItems)
    .map(({ item }) => item)
}

function toItem(raw: RawItem, base: string): ParsedItem {
  const url = raw.url === undefined ? undefined : parseFeedUrl(raw.url, base)?.href
  const summary = plainText(raw.text ?? '', summaryLength)
  const title = plainText(raw.title ?? '', titleLength) || summary || '(untitled)'
  const said = createHash('sha256').update(`${title}\n${summary}`).digest('base64url')
  return {
    key: nonEmpty(raw.id) ?? nonEmpty(url) ?? said,
    title,
    url: url ?? null,
    published: dateOf(raw.published) ?? null,
    summary,
    author: plainText(raw.author ?? '', authorLength) || null,
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text.trim() === '' ? undefined : text.trim()
}

/** The engine makes a date of nearly any text with a number in it. */
const datePattern =
  /^\s*\d{4}-\d{2}(?:-\d{2})?(?:[T\s]|$)|(?:^|[\s,])\d{1,2}[\s-][A-Za-z]{3,9}[\s-]\d{2,4}(?:\s|$)/

/** RFC 3339 or RFC 822; years that no feed can mean are errors of its author. */
function dateOf(written: string | undefined): string | undefined {
  if (written === undefined || written.length > 64 || !datePattern.test(written)) return undefined
  const at = Date.parse(written)
  if (!(at >= 0 && at < Date.UTC(2200, 0))) return undefined
  return new Date(at).toISOString()
}
