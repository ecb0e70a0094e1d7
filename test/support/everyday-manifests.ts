// Agents shaped like those to come, for the plans of an ordinary day. Only what flow rules read of them.

import { z } from 'zod'
import { type ActionManifest, defineManifest } from '../../plan/manifest.ts'
import { plainAction, plainAgent } from './manifest-defaults.ts'

const dryRun = z.boolean().default(false)
const entry = z.strictObject({ entry: z.string() })

/** Takes back whatever the effect of that id did. */
const revert = {
  ...plainAction,
  effect: 'write',
  input: z.strictObject({ change: z.string() }),
  output: z.strictObject({}),
  roles: { '/change': 'opaque' },
} as const satisfies ActionManifest
const undo = { action: 'revert', args: { change: { $idem: true } } } as const

export const lights = defineManifest({
  ...plainAgent,
  name: 'lights',
  actions: {
    set: {
      ...plainAction,
      effect: 'write',
      input: z.strictObject({ room: z.string(), percent: z.number(), dryRun }),
      output: entry,
      roles: { '/room': 'control', '/percent': 'amount', '/dryRun': 'control' },
      undo,
    },
    revert,
  },
})

export const diary = defineManifest({
  ...plainAgent,
  name: 'diary',
  actions: {
    find: {
      ...plainAction,
      effect: 'read',
      input: z.strictObject({ query: z.string(), day: z.string() }),
      output: z.strictObject({ uid: z.string(), etag: z.string(), summary: z.string() }),
      roles: { '/query': 'content', '/day': 'control' },
      // Drawn at random: it tells a guest nothing.
      labels: { '/uid': { readers: 'PUBLIC' } },
    },
    list: {
      ...plainAction,
      effect: 'read',
      input: z.strictObject({ day: z.string() }),
      output: z.strictObject({
        events: z.array(z.strictObject({ uid: z.string(), etag: z.string() })),
      }),
      roles: { '/day': 'control' },
    },
    /** An event without guests. */
    move: {
      ...plainAction,
      effect: 'write',
      input: z.strictObject({ uid: z.string(), etag: z.string(), start: z.string(), dryRun }),
      output: entry,
      roles: { '/uid': 'opaque', '/etag': 'opaque', '/start': 'control', '/dryRun': 'control' },
      undo,
    },
    /** The guests are told. */
    reschedule: {
      ...plainAction,
      effect: 'irreversible',
      audience: { arg: '/guests/*' },
      input: z.strictObject({
        uid: z.string(),
        start: z.string(),
        guests: z.array(z.string()),
        dryRun,
      }),
      output: entry,
      roles: {
        ...{ '/uid': 'opaque', '/start': 'control', '/guests/*': 'control', '/dryRun': 'control' },
      },
    },
    revert,
  },
})

const figures = { ...plainAction, effect: 'read', input: z.strictObject({}), roles: {} } as const

export const ledger = defineManifest({
  ...plainAgent,
  name: 'ledger',
  actions: {
    week: { ...figures, output: z.strictObject({ text: z.string(), total: z.number() }) },
    due: { ...figures, output: z.strictObject({ bills: z.array(z.string()), text: z.string() }) },
  },
})

/** What anybody can see by looking out of the window. */
export const sky = defineManifest({
  ...plainAgent,
  name: 'sky',
  actions: {
    look: {
      ...figures,
      output: z.strictObject({ rain: z.boolean() }),
      labels: { '': { readers: 'PUBLIC' } },
    },
  },
})

export const pulse = defineManifest({
  ...plainAgent,
  name: 'pulse',
  actions: {
    look: { ...figures, output: z.strictObject({ unusual: z.boolean(), text: z.string() }) },
  },
})

/** To the user's own phone, whatever server carries it. */
export const phone = defineManifest({
  ...plainAgent,
  name: 'phone',
  actions: {
    push: {
      ...plainAction,
      effect: 'egress',
      input: z.strictObject({ text: z.string() }),
      output: entry,
      roles: { '/text': 'content' },
    },
  },
})

const letter = z.strictObject({
  to: z.array(z.string()).min(1),
  subject: z.string(),
  body: z.string(),
  dryRun,
})

/** What is sent cannot be taken back; the servers on the way carry it and are no audience. */
export const post = defineManifest({
  ...plainAgent,
  name: 'mail',
  actions: {
    send: {
      ...plainAction,
      effect: 'irreversible',
      audience: { arg: '/to/*' },
      touches: ['mail'],
      input: letter,
      output: entry,
      roles: {
        ...{ '/to/*': 'control', '/subject': 'content', '/body': 'content', '/dryRun': 'control' },
      },
    },
  },
})
