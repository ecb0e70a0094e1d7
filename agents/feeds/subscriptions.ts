// Which feeds are followed: one file in the agent's folder, read, changed and replaced in one go, so
// that no two commands lose each other's change. It also remembers what was removed and by which
// command, for a while, which is what makes `revert` possible.

import { createHash } from 'node:crypto'
import { z } from 'zod'
import { readStored, replaceStored } from '../data-folder.ts'
import { ActionFailure } from '../define-agent.ts'
import type { FeedName } from './manifest.ts'

/** Followed at once: what one fetch_new can look through in its time. */
export const maxFeeds = 100
/** Unsubscriptions that can be taken back. */
const maxRemoved = 20
const maxReverted = 50
const maxFileBytes = 1024 * 1024
const fileName = 'subscriptions.json'

const subscriptionSchema = z.strictObject({
  /** Of the address that was subscribed to; stays when the feed moves. */
  feed: z.string(),
  url: z.string(),
  title: z.string(),
  /** `idem` of the command that subscribed. */
  change: z.string(),
  state: z.enum(['active', 'gone']),
  etag: z.string().nullable(),
  lastModified: z.string().nullable(),
  /** Milliseconds since the epoch, as all times here. */
  checkedAt: z.number().nullable(),
  nextAt: z.number(),
  /** In a row. */
  failures: z.number().int(),
  code: z.string().nullable(),
})
export type Subscription = z.infer<typeof subscriptionSchema>

const storeSchema = z.strictObject({
  version: z.literal(1),
  feeds: z.array(subscriptionSchema).max(maxFeeds),
  /** The latest last. */
  removed: z.array(
    z.strictObject({
      change: z.string(),
      subscription: subscriptionSchema,
      /** Where it stood among the others. */
      at: z.number().int().min(0).optional(),
    }),
  ),
  reverted: z.array(z.string()),
})
export type Subscriptions = z.infer<typeof storeSchema>

const none: Subscriptions = { version: 1, feeds: [], removed: [], reverted: [] }

/** @throws ActionFailure CORRUPT_DATA when the file was edited into something else */
export function readSubscriptions(folder: string): Subscriptions {
  const bytes = readStored(folder, fileName, maxFileBytes)?.bytes
  return bytes === undefined ? none : parse(bytes)
}

/**
 * Replaces the file by what `change` makes of it. Never waits, so nothing comes between.
 * @throws ActionFailure LIMIT_EXCEEDED when there would be too many feeds
 */
export function changeSubscriptions(
  folder: string,
  change: (before: Subscriptions) => Subscriptions,
): void {
  const expected = readStored(folder, fileName, maxFileBytes)?.bytes
  const next = change(expected === undefined ? none : parse(expected))
  requireRoom(next)
  const kept = {
    ...next,
    removed: next.removed.slice(-maxRemoved),
    reverted: next.reverted.slice(-maxReverted),
  }
  const bytes = Buffer.from(`${JSON.stringify(kept, null, 2)}\n`)
  replaceStored({ folder, name: fileName, expected, bytes })
}

/** @throws ActionFailure LIMIT_EXCEEDED */
export function requireRoom({ feeds }: Subscriptions): void {
  if (feeds.length > maxFeeds) {
    throw new ActionFailure('LIMIT_EXCEEDED', 'final', `more than ${maxFeeds} feeds`)
  }
}

function parse(bytes: Buffer): Subscriptions {
  try {
    return storeSchema.parse(JSON.parse(bytes.toString('utf8')))
  } catch (error) {
    throw new ActionFailure('CORRUPT_DATA', 'final', `${fileName} was edited`, error)
  }
}

export function newSubscription(
  { url, title }: { readonly url: string; readonly title: string },
  change: string,
): Subscription {
  return {
    feed: feedIdOf(url),
    url,
    title,
    change,
    state: 'active',
    etag: null,
    lastModified: null,
    checkedAt: null,
    nextAt: 0,
    failures: 0,
    code: null,
  }
}

/** True for the address subscribed to and for the one that it has moved to. */
export function isAt(subscription: Subscription, url: string): boolean {
  return subscription.url === url || subscription.feed === feedIdOf(url)
}

function feedIdOf(url: string): string {
  return createHash('sha256').update(url).digest('base64url').slice(0, 22)
}

export function nameOf({ feed, url, title }: Subscription): FeedName {
  return { feed, url, title }
}
