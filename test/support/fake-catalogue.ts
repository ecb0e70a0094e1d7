// Two small agents for tests of the orchestrating side: a calendar that lists, notes that append.

import { z } from 'zod'
import type { ActionManifest, AgentManifest, Catalogue } from '../../plan/manifest.ts'

const common = {
  audience: 'owner',
  idempotent: true,
  timeoutMs: 5_000,
  maxResultBytes: 64 * 1024,
} as const

const actions = {
  list: {
    ...common,
    effect: 'read',
    summary: 'events of a calendar',
    input: z.strictObject({ calendar: z.string() }),
    output: z.strictObject({
      count: z.number().int(),
      events: z.array(z.strictObject({ summary: z.string() })),
    }),
    roles: { '/calendar': 'control' },
    undo: 'none',
  },
} as const satisfies Record<string, ActionManifest>

const noteActions = {
  append: {
    ...common,
    effect: 'write',
    summary: 'adds an entry',
    input: z.strictObject({ text: z.string() }),
    output: z.strictObject({ entry: z.string() }),
    roles: { '/text': 'content' },
    undo: { action: 'retract', args: { idem: { $idem: true } } },
  },
  retract: {
    ...common,
    effect: 'write',
    summary: 'takes an entry back',
    input: z.strictObject({ idem: z.string() }),
    output: z.strictObject({ removed: z.boolean() }),
    roles: { '/idem': 'opaque' },
    undo: 'none',
  },
} as const satisfies Record<string, ActionManifest>

function agent(name: string, own: Record<string, ActionManifest>): AgentManifest {
  return {
    name,
    summary: name,
    replicas: 1,
    alwaysOn: false,
    idleMs: 60_000,
    storage: 'ledger',
    perUser: false,
    mounts: [],
    actions: own,
  }
}

export const fakeCatalogue: Catalogue = new Map([
  ['calendar', agent('calendar', actions)],
  ['notes', agent('notes', noteActions)],
])
