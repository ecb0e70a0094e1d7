// What the screentime agent declares: reading what a person's computers recorded of their use, from an
// ActivityWatch server or a copy of macOS's own database. Data and zod only. It changes nothing, and it
// may only GET: a server of ActivityWatch asks nobody for a password and would delete for anyone.
// Ranges are end-exclusive; times without an offset are wall-clock time in the zone that applies.

import { z } from 'zod'
import { defineManifest } from '../../plan/manifest.ts'

/** `timezone`, `categories.yaml` and `knowledgeC.db`, each of which may be missing. */
export const folderAt = '/data/screentime'

export const maxLimits = 20
export const maxSpans = 500

/** A date (`today` is one), a wall-clock time, or a time with an offset. */
const moment = z
  .string()
  .regex(/^(?:today|\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?)$/)
const date = z.string().regex(/^(?:today|\d{4}-\d{2}-\d{2})$/)
const timeZone = z.string().regex(/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/)
const by = z.enum(['app', 'domain', 'category'])
export type By = z.infer<typeof by>
const source = z.enum(['activitywatch', 'macos'])
export type Source = z.infer<typeof source>

/** Of every question: where it is asked, and in which zone a day begins. */
const asked = {
  /** `macos`: the file knowledgeC.db of the folder, which knows apps only. */
  source: source.default('activitywatch'),
  /** Unset: what the folder's file `timezone` says, else UTC. */
  timeZone: timeZone.optional(),
}
const range = {
  from: moment,
  /** Exclusive; unset: the end of the day that `from` is in. At most 31 days after `from`. */
  to: moment.optional(),
}

/** Of every answer: how far it can be relied upon. */
const about = {
  timeZone: z.string(),
  /** Whether time without a key or a mouse was left out: `unknown` where nothing recorded it. */
  idle: z.enum(['subtracted', 'unknown']),
  /** How many computers had something recorded. */
  devices: z.number().int(),
  /** Records that could not be meant: negative or endless durations, no time, no app. */
  ignored: z.number().int(),
}
/** With one decimal. */
const minutes = z.number().min(0)

const period = z.strictObject({ from: z.string(), to: z.string(), activeMinutes: minutes })

const span = z.strictObject({
  /** RFC 3339 with the zone's offset. */
  from: z.string(),
  to: z.string(),
  /** `HH:MM` in the zone. */
  fromLocal: z.string(),
  toLocal: z.string(),
  minutes,
  app: z.string(),
  category: z.string(),
  /** Of the window; null unless titles were asked for. */
  title: z.string().nullable(),
})
export type TimelineSpan = z.infer<typeof span>

const check = z.strictObject({
  by,
  key: z.string(),
  limitMinutes: z.number(),
  usedMinutes: minutes,
  over: z.boolean(),
  overMinutes: minutes,
  /** A line of block characters: all of it is the limit. */
  bar: z.string(),
})

const common = {
  // It changes nothing, but a server is asked.
  effect: 'egress',
  audience: { host: 'activitywatch' },
  egress: ['activitywatch'],
  undo: 'none',
  idempotent: true,
  timeoutMs: 30_000,
} as const
const askedRoles = { '/source': 'control', '/timeZone': 'control' } as const
const rangeRoles = { '/from': 'control', '/to': 'control' } as const

export const manifest = defineManifest({
  name: 'screentime',
  summary: 'says how long which apps and sites were in use',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'ledger',
  perUser: false,
  mounts: [{ from: { config: 'screentime.folder' }, at: folderAt, mode: 'ro' }],
  egress: [
    {
      id: 'activitywatch',
      host: { config: 'screentime.url' },
      port: 5_600,
      protocol: 'https',
      // The buckets, and events of one: ids are the server's, so no argument can bind them.
      allow: [{ methods: ['GET'], path: '/api/0/buckets/*', query: ['start', 'end', 'limit'] }],
    },
  ],
  actions: {
    top: {
      ...common,
      summary: 'what was used longest: apps, sites or categories',
      input: z.strictObject({
        ...asked,
        ...range,
        by: by.default('app'),
        limit: z.number().int().min(1).max(100).default(10),
      }),
      output: z.strictObject({
        ...about,
        ...period.shape,
        by,
        /** All that were used; `items` holds the first `limit` of them, the longest first. */
        count: z.number().int(),
        items: z.array(
          z.strictObject({
            key: z.string(),
            minutes,
            /** Of `activeMinutes`, 0 to 1. */
            share: z.number(),
            /** A line of block characters: the longest fills it. */
            bar: z.string(),
          }),
        ),
      }),
      addresses: ['/items/*/key'],
      quotes: ['/items'],
      roles: { ...askedRoles, ...rangeRoles, '/by': 'control', '/limit': 'control' },
      maxResultBytes: 64 * 1024,
    },
    focus: {
      ...common,
      summary: 'how long somebody was there, how long at one thing, and how often they changed',
      input: z.strictObject({ ...asked, ...range }),
      output: z.strictObject({
        ...about,
        ...period.shape,
        /** A window was open and nobody there; null where that is not known. */
        afkMinutes: minutes.nullable(),
        /** The longest time in one app with no pause of a minute. */
        longestStreak: z
          .strictObject({ from: z.string(), to: z.string(), minutes, app: z.string() })
          .nullable(),
        /** From one app to another. */
        switches: z.number().int(),
        switchesPerHour: z.number(),
      }),
      quotes: ['/longestStreak'],
      roles: { ...askedRoles, ...rangeRoles },
      maxResultBytes: 8 * 1024,
    },
    compare: {
      ...common,
      summary: 'two periods side by side',
      input: z.strictObject({
        ...asked,
        a: z.strictObject(range),
        b: z.strictObject(range),
        by: by.default('app'),
        limit: z.number().int().min(1).max(100).default(10),
      }),
      output: z.strictObject({
        ...about,
        a: period,
        b: period,
        /** From `a` to `b`. */
        changeMinutes: z.number(),
        by,
        count: z.number().int(),
        /** Those that changed most first. */
        items: z.array(
          z.strictObject({
            key: z.string(),
            aMinutes: minutes,
            bMinutes: minutes,
            changeMinutes: z.number(),
          }),
        ),
      }),
      addresses: ['/items/*/key'],
      quotes: ['/items'],
      roles: {
        ...askedRoles,
        '/a/from': 'control',
        '/a/to': 'control',
        '/b/from': 'control',
        '/b/to': 'control',
        '/by': 'control',
        '/limit': 'control',
      },
      maxResultBytes: 64 * 1024,
    },
    timeline: {
      ...common,
      summary: 'one day in the order of its hours',
      input: z.strictObject({
        ...asked,
        date,
        /** What is shorter is counted in `shorter` only. */
        leastMinutes: z.number().int().min(0).max(120).default(2),
        /** Titles of windows name documents, people and messages. */
        titles: z.boolean().default(false),
        limit: z.number().int().min(1).max(maxSpans).default(100),
      }),
      output: z.strictObject({
        ...about,
        date,
        activeMinutes: minutes,
        /** One character an hour of the day, the higher the longer. */
        hours: z.string(),
        /** All that are long enough; `spans` holds the first `limit` of them. */
        count: z.number().int(),
        shorter: z.number().int(),
        spans: z.array(span),
      }),
      quotes: ['/spans'],
      roles: {
        ...askedRoles,
        '/date': 'control',
        '/leastMinutes': 'control',
        '/titles': 'control',
        '/limit': 'control',
      },
      maxResultBytes: 384 * 1024,
    },
    rules_check: {
      ...common,
      summary: 'what was used longer on a day than the person wants',
      input: z.strictObject({
        ...asked,
        date,
        limits: z
          .array(
            z.strictObject({
              by: by.default('category'),
              /** An app, a site (with all below it) or a category; upper and lower case are alike. */
              key: z.string().min(1).max(100),
              minutes: z.number().int().min(0).max(1_440),
            }),
          )
          .min(1)
          .max(maxLimits),
      }),
      output: z.strictObject({
        ...about,
        date,
        activeMinutes: minutes,
        overCount: z.number().int(),
        /** In the order of the limits. */
        checks: z.array(check),
        /** Those of them that are over. */
        over: z.array(check),
      }),
      quotes: ['/checks', '/over'],
      roles: {
        ...askedRoles,
        '/date': 'control',
        '/limits/*/by': 'control',
        '/limits/*/key': 'control',
        '/limits/*/minutes': 'control',
      },
      maxResultBytes: 32 * 1024,
    },
  },
})
