// Agents for the notary's tests: one with every kind of action, one with two replicas, one whose
// effect must not be repeated and can be asked about.

import { z } from 'zod'
import { type Catalogue, createCatalogue, defineManifest } from '../../plan/manifest.ts'
import { probeOutput } from '../../plan/probe.ts'

const common = {
  audience: 'owner',
  idempotent: true,
  timeoutMs: 5_000,
  maxResultBytes: 512 * 1024,
  summary: 'for tests',
} as const

const manifest = {
  summary: 'for tests',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'ledger',
  perUser: false,
  mounts: [],
} as const

const desk = defineManifest({
  ...manifest,
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
      undo: 'none',
    },
    append: {
      ...common,
      effect: 'write',
      input: z.strictObject({ note: z.string().max(40), text: z.string(), dryRun: z.boolean() }),
      output: z.strictObject({ entry: z.string() }),
      roles: { '/note': 'control', '/text': 'content', '/dryRun': 'control' },
      undo: {
        action: 'retract',
        args: { note: { $args: '/note' }, entry: { $idem: true }, dryRun: false },
      },
    },
    retract: {
      ...common,
      effect: 'write',
      input: z.strictObject({ note: z.string(), entry: z.string(), dryRun: z.boolean() }),
      output: z.strictObject({ gone: z.boolean() }),
      roles: { '/note': 'control', '/entry': 'opaque', '/dryRun': 'control' },
      undo: 'none',
    },
    book: {
      ...common,
      effect: 'write',
      input: z.strictObject({ room: z.string(), dryRun: z.boolean() }),
      output: z.strictObject({ booking: z.string() }),
      roles: { '/room': 'control', '/dryRun': 'control' },
      undo: { action: 'unbook', args: { booking: { $result: '/booking' }, dryRun: false } },
    },
    unbook: {
      ...common,
      effect: 'write',
      input: z.strictObject({ booking: z.string(), dryRun: z.boolean() }),
      output: z.strictObject({ gone: z.boolean() }),
      roles: { '/booking': 'opaque', '/dryRun': 'control' },
      undo: 'none',
    },
    erase: {
      ...common,
      effect: 'irreversible',
      input: z.strictObject({ note: z.string(), dryRun: z.boolean() }),
      output: z.strictObject({ gone: z.boolean() }),
      roles: { '/note': 'control', '/dryRun': 'control' },
      undo: 'none',
    },
  },
})

const pool = defineManifest({
  ...manifest,
  name: 'pool',
  replicas: 2,
  actions: {
    look: {
      ...common,
      effect: 'read',
      input: z.strictObject({ at: z.string() }),
      output: z.strictObject({ seen: z.string() }),
      roles: { '/at': 'control' },
      undo: 'none',
    },
  },
})

const bell = defineManifest({
  ...manifest,
  name: 'bell',
  actions: {
    ring: {
      ...common,
      effect: 'write',
      idempotent: false,
      input: z.strictObject({ at: z.string(), dryRun: z.boolean() }),
      output: z.strictObject({ rung: z.boolean() }),
      roles: { '/at': 'control', '/dryRun': 'control' },
      undo: { action: 'hush', args: { entry: { $idem: true }, dryRun: false } },
      probe: { action: 'heard', args: { entry: { $idem: true }, at: { $args: '/at' } } },
    },
    hush: {
      ...common,
      effect: 'write',
      input: z.strictObject({ entry: z.string(), dryRun: z.boolean() }),
      output: z.strictObject({ gone: z.boolean() }),
      roles: { '/entry': 'opaque', '/dryRun': 'control' },
      undo: 'none',
    },
    heard: {
      ...common,
      effect: 'read',
      input: z.strictObject({ entry: z.string(), at: z.string() }),
      output: probeOutput,
      roles: { '/entry': 'opaque', '/at': 'control' },
      undo: 'none',
    },
  },
})

export const catalogue: Catalogue = createCatalogue([desk, pool, bell])
