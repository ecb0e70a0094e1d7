// What the feeds agent declares: subscriptions and their latest items, kept in one folder of the
// agent's own. Data and zod only. All that comes out of a feed was written by others: it is cut to
// plain text of bounded length here, and is nobody's instruction.

import { z } from 'zod'
import { limits } from '../../plan/limits.ts'
import { defineManifest } from '../../plan/manifest.ts'

/** Where the agent's own folder is mounted in the sandbox. */
export const feedsAt = '/data/feeds'

/** Longer ones exist, but none that a person would paste. */
export const maxUrlLength = 1_000
const url = z
  .string()
  .max(maxUrlLength)
  .regex(/^https?:\/\/[^\s/]/)
const id = z.string().regex(/^[A-Za-z0-9_-]{22}$/)
const change = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
/** RFC 3339. */
const instant = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/)
const dryRun = z.boolean().default(false)

const item = z.strictObject({
  id,
  feed: id,
  feedTitle: z.string(),
  title: z.string(),
  url: z.string().nullable(),
  /** By the feed's own word, RFC 3339 in UTC. */
  published: z.string().nullable(),
  /** When it counts as new: when it was first seen, or published if the feed was new itself. */
  at: z.string(),
  summary: z.string(),
  author: z.string().nullable(),
})
export type FeedItem = z.infer<typeof item>

const feed = z.strictObject({ feed: id, url: z.string(), title: z.string() })
export type FeedName = z.infer<typeof feed>

const found = {
  /** All that matched; `items` holds the first `limit` of them, the latest first. */
  count: z.number().int(),
  items: z.array(item),
}

/** How many are followed. */
const followed = z.strictObject({ feeds: z.number().int() })
const counts = { before: followed, after: followed }

const common = { idempotent: true, timeoutMs: 15_000 } as const
const revertThis = { action: 'revert', args: { change: { $idem: true } } } as const

const writes = {
  subscribe: {
    ...common,
    // It writes too; a class stands for the most that an action does.
    effect: 'egress',
    audience: { host: 'feeds' },
    egress: ['feeds'],
    summary: 'a feed, or all feeds of an OPML list, from now on',
    input: z.strictObject({
      /** Either this, which is fetched at once ... */
      url: url.optional(),
      /** ... or the text of an OPML file, whose feeds are fetched when they are next asked for. */
      opml: z.string().max(limits.textBytes).optional(),
      dryRun,
    }),
    output: z.strictObject({
      outcome: z.enum(['subscribed', 'already-subscribed']),
      added: z.array(feed),
      ...counts,
    }),
    addresses: ['/added/*/url'],
    quotes: ['/added'],
    roles: { '/url': 'control', '/opml': 'control', '/dryRun': 'control' },
    undo: revertThis,
    maxResultBytes: 256 * 1024,
  },
  unsubscribe: {
    ...common,
    effect: 'write',
    audience: 'owner',
    summary: 'a feed no more',
    input: z.strictObject({ url, dryRun }),
    output: z.strictObject({
      outcome: z.enum(['unsubscribed', 'not-there']),
      removed: feed.nullable(),
      ...counts,
    }),
    addresses: ['/removed/url'],
    quotes: ['/removed'],
    roles: { '/url': 'control', '/dryRun': 'control' },
    undo: revertThis,
    maxResultBytes: 8 * 1024,
  },
  revert: {
    ...common,
    effect: 'write',
    audience: 'owner',
    summary: 'the undo of subscribe and unsubscribe',
    input: z.strictObject({
      /** The `idem` of the step that is taken back. */
      change,
      dryRun,
    }),
    output: z.strictObject({
      /** `not-applied`: that change had never been made, or nothing of it is left. */
      outcome: z.enum(['reverted', 'not-applied']),
      ...counts,
    }),
    roles: { '/change': 'opaque', '/dryRun': 'control' },
    undo: 'none',
    maxResultBytes: 4 * 1024,
  },
} as const

const reads = {
  list: {
    ...common,
    effect: 'read',
    audience: 'owner',
    summary: 'the feeds subscribed to, and how each of them fares',
    input: z.strictObject({}),
    output: z.strictObject({
      feeds: z.array(
        feed.extend({
          /** `gone`: its server said that there will be no more (410). */
          state: z.enum(['active', 'gone']),
          checked: z.string().nullable(),
          /** Not before then. */
          next: z.string(),
          /** Of the last try, where it failed. */
          code: z.string().nullable(),
        }),
      ),
    }),
    addresses: ['/feeds/*/url'],
    quotes: ['/feeds'],
    roles: {},
    undo: 'none',
    maxResultBytes: 256 * 1024,
  },
  search: {
    ...common,
    effect: 'read',
    audience: 'owner',
    summary: 'kept items that contain a text; asks no server',
    input: z.strictObject({
      query: z.string().min(1).max(200),
      since: instant.optional(),
      limit: z.number().int().min(1).max(100).default(20),
    }),
    output: z.strictObject(found),
    addresses: ['/items/*/url'],
    quotes: ['/items'],
    roles: { '/query': 'content', '/since': 'control', '/limit': 'control' },
    undo: 'none',
    maxResultBytes: limits.resultBytes,
  },
  digest: {
    ...common,
    effect: 'read',
    audience: 'owner',
    summary: 'titles of the last hours, by feed; asks no server',
    input: z.strictObject({
      windowHours: z.number().int().min(1).max(744).default(24),
      /** Only items that contain one of these. */
      topics: z.array(z.string().min(1).max(100)).min(1).max(20).optional(),
      perFeed: z.number().int().min(1).max(20).default(5),
      limit: z.number().int().min(1).max(100).default(50),
    }),
    output: z.strictObject({
      since: z.string(),
      count: z.number().int(),
      feeds: z.array(
        feed.extend({
          /** All that are new; `items` holds the latest of them. */
          count: z.number().int(),
          items: z.array(
            z.strictObject({ title: z.string(), url: z.string().nullable(), at: z.string() }),
          ),
        }),
      ),
    }),
    addresses: ['/feeds/*/url', '/feeds/*/items/*/url'],
    quotes: ['/feeds'],
    roles: {
      '/windowHours': 'control',
      '/topics/*': 'content',
      '/perFeed': 'control',
      '/limit': 'control',
    },
    undo: 'none',
    maxResultBytes: limits.resultBytes,
  },
} as const

export const manifest = defineManifest({
  name: 'feeds',
  summary: 'follows RSS, Atom, RDF and JSON feeds',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'data',
  perUser: false,
  mounts: [{ from: { config: 'feeds.folder' }, at: feedsAt, mode: 'rw' }],
  egress: [
    {
      id: 'feeds',
      // Whoever follows a feed names its server once: an agent that may ask any server could tell any.
      host: { config: 'feeds.origins' },
      port: 443,
      protocol: 'https',
      allow: [{ methods: ['GET'], path: '/*', query: '*' }],
    },
  ],
  actions: {
    ...writes,
    ...reads,
    fetch_new: {
      ...common,
      effect: 'egress',
      audience: { host: 'feeds' },
      egress: ['feeds'],
      summary: 'asks the feeds that are due, and gives what is new',
      input: z.strictObject({
        /** Unset: the last 24 hours. */
        since: instant.optional(),
        /** Unset: all. */
        feeds: z.array(id).min(1).max(100).optional(),
        limit: z.number().int().min(1).max(100).default(20),
      }),
      output: z.strictObject({
        since: z.string(),
        checked: z.number().int(),
        unchanged: z.number().int(),
        /** Due, and left for the next call: time was up. */
        pending: z.number().int(),
        failed: z.array(feed.extend({ code: z.string() })),
        /** Their servers said that there will be no more; they are not asked again. */
        gone: z.array(feed),
        ...found,
      }),
      addresses: ['/failed/*/url', '/gone/*/url', '/items/*/url'],
      quotes: ['/failed', '/gone', '/items'],
      roles: { '/since': 'control', '/feeds/*': 'opaque', '/limit': 'control' },
      undo: 'none',
      maxResultBytes: limits.resultBytes,
    },
  },
})
