// The latest items of each feed, one file a feed. Invariant: an item is new once. What a feed shows
// now is always kept, so that nothing in it can be forgotten and then look new; older items fill what
// room is left. A file without a subscription is swept away.

import { createHash } from 'node:crypto'
import { z } from 'zod'
import { listStored, readStored, replaceStored } from '../data-folder.ts'
import { ActionFailure } from '../define-agent.ts'
import { maxItems, type ParsedFeed } from './feed-text.ts'
import type { FeedItem } from './manifest.ts'
import { readSubscriptions, type Subscription } from './subscriptions.ts'

const maxKept = 2 * maxItems
/** 400 items at their longest, in UTF-8. */
const maxFileBytes = 2 * 1024 * 1024
const [prefix, suffix] = ['items-', '.json']

const keptSchema = z.strictObject({
  id: z.string(),
  title: z.string(),
  url: z.string().nullable(),
  published: z.string().nullable(),
  summary: z.string(),
  author: z.string().nullable(),
  /** Milliseconds since the epoch: when it counts as new. */
  at: z.number(),
})
export type KeptItem = z.infer<typeof keptSchema>
const fileSchema = z.strictObject({
  version: z.literal(1),
  items: z.array(keptSchema).max(maxKept),
})

/**
 * The items of a feed after a look at it. Those of a feed's first look count as new when they were
 * published, or its whole past would be news; later ones when they are seen, whatever date they bear.
 */
export function mergeItems(
  feed: string,
  { kept, parsed, now }: { kept: readonly KeptItem[] | undefined; parsed: ParsedFeed; now: number },
): readonly KeptItem[] {
  const before = new Map((kept ?? []).map((item) => [item.id, item]))
  const current = parsed.items.map(({ key, ...item }): KeptItem => {
    const id = createHash('sha256').update(`${feed}\n${key}`).digest('base64url').slice(0, 22)
    const published = Date.parse(item.published ?? '')
    const first = Number.isNaN(published) ? now : Math.min(published, now)
    return { id, ...item, at: before.get(id)?.at ?? (kept === undefined ? first : now) }
  })
  const shown = new Set(current.map(({ id }) => id))
  const older = (kept ?? []).filter(({ id }) => !shown.has(id)).sort((a, b) => b.at - a.at)
  return [...current, ...older.slice(0, maxKept - current.length)]
}

/** @throws ActionFailure */
export function keepItems(folder: string, feed: string, parsed: ParsedFeed, now: number): void {
  const name = `${prefix}${feed}${suffix}`
  const expected = readStored(folder, name, maxFileBytes)?.bytes
  const kept = expected === undefined ? undefined : parse(expected, name)
  const items = mergeItems(feed, { kept, parsed, now })
  const bytes = Buffer.from(JSON.stringify({ version: 1, items }))
  if (expected?.equals(bytes) === true) return
  replaceStored({ folder, name, expected, bytes })
}

/** All kept items of the feeds, the latest first; one that several feeds carry is given once. */
export function readItems(folder: string, feeds: readonly Subscription[]): readonly FeedItem[] {
  const found = feeds.flatMap((subscription) => {
    const name = `${prefix}${subscription.feed}${suffix}`
    const bytes = readStored(folder, name, maxFileBytes)?.bytes
    return bytes === undefined
      ? []
      : parse(bytes, name).map((item) => ({ item, feed: subscription }))
  })
  const seen = new Set<string>()
  return found
    .sort((a, b) => b.item.at - a.item.at || (a.item.id < b.item.id ? -1 : 1))
    .filter(({ item: { url, id } }) => {
      const known = seen.has(url ?? id)
      seen.add(url ?? id)
      return !known
    })
    .map(({ item, feed }) => ({
      ...item,
      feed: feed.feed,
      feedTitle: feed.title,
      at: new Date(item.at).toISOString(),
    }))
}

/** Removes the items of feeds that are neither followed nor among those that can be taken back. */
export function sweepItems(folder: string): void {
  const { feeds, removed } = readSubscriptions(folder)
  const wanted = new Set([...feeds, ...removed.map((one) => one.subscription)].map((s) => s.feed))
  for (const stem of listStored(folder, { suffix, maxFiles: 1_000, only: 'regular' })) {
    if (!stem.startsWith(prefix) || wanted.has(stem.slice(prefix.length))) continue
    const expected = readStored(folder, `${stem}${suffix}`, maxFileBytes)?.bytes
    replaceStored({ folder, name: `${stem}${suffix}`, expected, bytes: undefined })
  }
}

function parse(bytes: Buffer, name: string): readonly KeptItem[] {
  try {
    return fileSchema.parse(JSON.parse(bytes.toString('utf8'))).items
  } catch (error) {
    throw new ActionFailure('CORRUPT_DATA', 'final', `${name} was edited`, error)
  }
}
