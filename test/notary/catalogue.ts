// Agents for the notary's tests: one with every kind of action, one with two replicas, one whose
// effect must not be repeated and can be asked about.

import { z } from 'zod'
import {
  type ActionManifest,
  type Catalogue,
  createCatalogue,
  defineManifest,
} from '../../plan/manifest.ts'
import { probeOutput } from '../../plan/probe.ts'
import { mail } from '../support/mail-manifest.ts'
import { plainAction, plainAgent } from '../support/manifest-defaults.ts'

const common = { ...plainAction, maxResultBytes: 512 * 1024 } as const
const dryRun = z.boolean()
const gone = z.strictObject({ gone: z.boolean() })

/** Takes back whatever the effect of that id did. */
const takesBack = {
  ...common,
  effect: 'write',
  input: z.strictObject({ entry: z.string(), dryRun }),
  output: gone,
  roles: { '/entry': 'opaque', '/dryRun': 'control' },
} as const satisfies ActionManifest

const desk = defineManifest({
  ...plainAgent,
  name: 'desk',
  actions: {
    list: {
      ...common,
      effect: 'read',
      input: z.strictObject({ day: z.string() }),
      output: z.strictObject({
        first: z.string(),
        items: z.array(z.strictObject({ title: z.string() })),
      }),
      roles: { '/day': 'control' },
    },
    append: {
      ...common,
      effect: 'write',
      input: z.strictObject({ note: z.string().max(40), text: z.string(), dryRun }),
      output: z.strictObject({ entry: z.string() }),
      // Content, so that a test may take it from a result: what decides may come from the user alone.
      roles: { '/note': 'content', '/text': 'content', '/dryRun': 'control' },
      undo: {
        action: 'retract',
        args: { note: { $args: '/note' }, entry: { $idem: true }, dryRun: false },
      },
    },
    retract: {
      ...common,
      effect: 'write',
      input: z.strictObject({ note: z.string(), entry: z.string(), dryRun }),
      output: gone,
      roles: { '/note': 'content', '/entry': 'opaque', '/dryRun': 'control' },
    },
    book: {
      ...common,
      effect: 'write',
      input: z.strictObject({ room: z.string(), dryRun }),
      output: z.strictObject({ booking: z.string() }),
      roles: { '/room': 'control', '/dryRun': 'control' },
      undo: { action: 'unbook', args: { booking: { $result: '/booking' }, dryRun: false } },
    },
    unbook: {
      ...common,
      effect: 'write',
      input: z.strictObject({ booking: z.string(), dryRun }),
      output: gone,
      roles: { '/booking': 'opaque', '/dryRun': 'control' },
    },
    erase: {
      ...common,
      effect: 'irreversible',
      input: z.strictObject({
        note: z.string(),
        reason: z.string().optional(),
        dryRun,
      }),
      output: gone,
      roles: { '/note': 'control', '/reason': 'content', '/dryRun': 'control' },
    },
    spend: {
      ...common,
      effect: 'irreversible',
      touches: ['money'],
      input: z.strictObject({ note: z.string(), dryRun }),
      output: gone,
      roles: { '/note': 'control', '/dryRun': 'control' },
    },
  },
})

const pool = defineManifest({
  ...plainAgent,
  name: 'pool',
  replicas: 2,
  actions: {
    look: {
      ...common,
      effect: 'read',
      input: z.strictObject({ at: z.string() }),
      output: z.strictObject({ seen: z.string() }),
      roles: { '/at': 'control' },
    },
    drop: {
      ...common,
      effect: 'write',
      input: z.strictObject({ at: z.string(), dryRun }),
      output: z.strictObject({ dropped: z.string() }),
      roles: { '/at': 'control', '/dryRun': 'control' },
      undo: { action: 'lift', args: { entry: { $idem: true }, dryRun: false } },
    },
    lift: takesBack,
  },
})

const bell = defineManifest({
  ...plainAgent,
  name: 'bell',
  actions: {
    ring: {
      ...common,
      effect: 'write',
      idempotent: false,
      input: z.strictObject({ at: z.string(), dryRun }),
      output: z.strictObject({ rung: z.boolean() }),
      roles: { '/at': 'control', '/dryRun': 'control' },
      undo: { action: 'hush', args: { entry: { $idem: true }, dryRun: false } },
      probe: { action: 'heard', args: { entry: { $idem: true }, at: { $args: '/at' } } },
    },
    hush: takesBack,
    heard: {
      ...common,
      effect: 'read',
      input: z.strictObject({ entry: z.string(), at: z.string() }),
      output: probeOutput,
      roles: { '/entry': 'opaque', '/at': 'control' },
    },
  },
})

export const catalogue: Catalogue = createCatalogue([desk, pool, bell, mail])
