// What the memory agent declares: things a person wants kept in mind, one person's each (`perUser`). Data
// and zod only. Invariant: what is read back is untrusted and the owner's alone, as every result without a
// label is (R10); `label` and `source` of an entry are what was said of it when it was written, shown beside
// it, and no rule ever reads them.

import { z } from 'zod'
import { defineManifest } from '../../plan/manifest.ts'

/** The folder of `memory.db` and `keys.db`, and of the file `timezone`. */
export const memoryAt = '/data/memory'

/** fact: what is so; preference: how a person likes it; episode: what happened. */
export const kinds = ['fact', 'preference', 'episode'] as const
/** What may be said of a text, from best to worst: the words of plan/labels.ts for what a plan can hold. */
export const labels = ['USER', 'ENDORSED', 'UNTRUSTED'] as const
/** Characters of an entry: a paragraph. What is longer is a note. */
export const maxTextCharacters = 4_096

/** Of a vector: as many as `model.embed` gives at most. */
export const maxDimensions = 4_096
const maxVectorCharacters = 22_000

/** Sixteen hexadecimal digits: short enough to type, and never taken for an option. */
const id = z.string().regex(/^[0-9a-f]{16}$/)
const kind = z.enum(kinds)
const someKinds = z.array(kind).min(1).max(kinds.length)
const dryRun = z.boolean().default(false)
const count = z.number().int().min(0)

/** Instants are RFC 3339, UTC. */
const about = {
  id,
  kind,
  /** What the plan that wrote it said of its text. Nothing is trusted for it. */
  label: z.enum(labels),
  source: z.string().nullable(),
  remembered: z.string(),
  /** Not known any more from this instant on. */
  expires: z.string().nullable(),
}
const entry = z.strictObject({ ...about, text: z.string() })
/** What `model.embed` made of a text. Whether it is a vector is looked at where it is taken in. */
const embedding = z.strictObject({
  /** Only what the same model made can be compared. */
  model: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}$/),
  /** 32-bit floats, little-endian, in base64; null: the model was asked and gave none. */
  vector: z.string().max(maxVectorCharacters).nullable(),
})
const embeddingRoles = { '/embedding/model': 'control', '/embedding/vector': 'content' } as const
const asked = {
  /** Entries that the call found expired, and destroyed before it answered. */
  expired: count,
}

const common = { audience: 'owner', idempotent: true, timeoutMs: 30_000, undo: 'none' } as const
/** What there was before and is after a change; `entry`: the one that it is about. */
const change = z.strictObject({ there: z.boolean(), entries: count })
const forgotten = { id, before: change, after: change, ...asked }

const writes = {
  remember: {
    ...common,
    effect: 'write',
    summary: 'a fact, a preference or an episode to keep in mind, until it expires or is forgotten',
    input: z.strictObject({
      kind: kind.default('fact'),
      text: z.string().min(1).max(maxTextCharacters),
      /** Where it is from, in words. */
      source: z.string().min(1).max(200).optional(),
      /** What whoever writes the plan knows of the text; kept and shown, never believed. */
      label: z.enum(labels).default('UNTRUSTED'),
      /** A date, to its end where the person lives, or an instant with its offset. */
      expires: z
        .string()
        .max(40)
        .regex(/^\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2}))?$/)
        .optional(),
      /** To be found by what it means as well. */
      embedding: embedding.optional(),
      dryRun,
    }),
    output: z.strictObject({
      id,
      before: z.strictObject({ entry: z.null(), entries: count }),
      after: z.strictObject({ entry, entries: count }),
      ...asked,
    }),
    quotes: ['/after/entry'],
    roles: {
      '/kind': 'control',
      '/text': 'content',
      '/source': 'content',
      '/label': 'control',
      '/expires': 'control',
      ...embeddingRoles,
      '/dryRun': 'control',
    },
    undo: { action: 'retract', args: { entry: { $idem: true } } },
    maxResultBytes: 32 * 1024,
  },
  retract: {
    ...common,
    effect: 'write',
    summary: 'the undo of remember: that entry is forgotten, key and all',
    input: z.strictObject({
      /** The `idem` of the step that is taken back. */
      entry: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
      dryRun,
    }),
    output: z.strictObject({ ...forgotten, outcome: z.enum(['retracted', 'not-there']) }),
    roles: { '/entry': 'opaque', '/dryRun': 'control' },
    maxResultBytes: 4 * 1024,
  },
  forget: {
    ...common,
    effect: 'irreversible',
    touches: ['deletion'],
    summary: 'an entry forgotten for good: its key is destroyed, also for copies of the data',
    input: z.strictObject({ id, dryRun }),
    // The text is not among it: a result is kept elsewhere.
    output: z.strictObject(forgotten),
    roles: { '/id': 'opaque', '/dryRun': 'control' },
    maxResultBytes: 4 * 1024,
  },
} as const

const reads = {
  recall: {
    ...common,
    effect: 'read',
    summary: 'what is remembered about some words, or means the same, the best match first',
    input: z.strictObject({
      /** Words; the last letters of each may be missing. Nothing in it is an operator. */
      query: z.string().min(1).max(500),
      kinds: someKinds.optional(),
      limit: z.number().int().min(1).max(50).default(10),
      /** Of the query; absent: found by words alone. */
      embedding: embedding.optional(),
    }),
    output: z.strictObject({
      /** All that have the words; `matches` holds the best `limit` of what was found in both ways. */
      count,
      /** `any`: nothing has all of the words. */
      words: z.enum(['all', 'any']),
      /** Null: there was no vector to compare with. */
      meaning: z
        .strictObject({
          /** All that are near enough. */
          count,
          /** Entries without a vector of this model and length: they are found by words alone. */
          without: count,
        })
        .nullable(),
      /**
       * `snippet`: of the text around what matched, at most 400 characters. `similarity`: the cosine of the
       * two vectors, where it was near enough to be found by it.
       */
      matches: z.array(
        z.strictObject({
          ...about,
          snippet: z.string(),
          by: z.enum(['words', 'meaning', 'both']),
          similarity: z.number().min(-1).max(1).nullable(),
        }),
      ),
      ...asked,
    }),
    quotes: ['/matches'],
    roles: {
      '/query': 'content',
      '/kinds/*': 'control',
      '/limit': 'control',
      ...embeddingRoles,
    },
    maxResultBytes: 256 * 1024,
  },
  list: {
    ...common,
    effect: 'read',
    summary: 'what is remembered, the newest first, page by page',
    input: z.strictObject({
      kinds: someKinds.optional(),
      limit: z.number().int().min(1).max(100).default(50),
      /** `next` of the page before. */
      after: z
        .string()
        .regex(/^[1-9]\d{0,14}$/)
        .optional(),
    }),
    output: z.strictObject({
      /** Of all pages. */
      count,
      /** The beginning of each text, at most 400 characters. */
      entries: z.array(entry),
      /** Null: there is no page after this one. */
      next: z.string().nullable(),
      /** Entries that cannot be read, at most twenty: `show` fails for each, `forget` does not. */
      damaged: z.array(id),
      ...asked,
    }),
    quotes: ['/entries'],
    roles: { '/kinds/*': 'control', '/limit': 'control', '/after': 'opaque' },
    maxResultBytes: 256 * 1024,
  },
  show: {
    ...common,
    effect: 'read',
    summary: 'one entry, whole',
    input: z.strictObject({ id }),
    output: z.strictObject({ entry, ...asked }),
    quotes: ['/entry'],
    roles: { '/id': 'opaque' },
    maxResultBytes: 32 * 1024,
  },
} as const

export const manifest = defineManifest({
  name: 'memory',
  summary: 'keeps facts, preferences and episodes in mind, and forgets them for good',
  replicas: 1,
  alwaysOn: false,
  // Everything is decrypted and indexed anew at each start.
  idleMs: 600_000,
  storage: 'data',
  perUser: true,
  mounts: [{ from: { config: 'memory.folder' }, at: memoryAt, mode: 'rw' }],
  actions: { ...writes, ...reads },
})
