// What the template agent declares: short texts that it keeps in a folder of its own. Data and zod only.
// `bulkhead agent new <name>` begins with this agent: replace what it does, and keep that it declares it.

import { z } from 'zod'
import { defineManifest } from '../../plan/manifest.ts'

/** Where the agent's own folder is mounted in the sandbox. */
export const dataAt = '/data/template'

const id = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const dryRun = z.boolean().default(false)
const counts = { itemsBefore: z.number().int(), itemsAfter: z.number().int() }
const common = { audience: 'owner', idempotent: true, timeoutMs: 5_000 } as const

export const manifest = defineManifest({
  name: 'template',
  summary: 'keeps short texts in a folder of its own',
  replicas: 1,
  alwaysOn: false,
  idleMs: 60_000,
  storage: 'data',
  perUser: false,
  mounts: [{ from: { config: 'template.folder' }, at: dataAt, mode: 'rw' }],
  actions: {
    add: {
      ...common,
      effect: 'write',
      summary: 'a text more',
      input: z.strictObject({ text: z.string().min(1).max(500), dryRun }),
      output: z.strictObject({ id, ...counts }),
      roles: { '/text': 'content', '/dryRun': 'control' },
      undo: { action: 'remove', args: { id: { $idem: true } } },
      maxResultBytes: 1_024,
    },
    remove: {
      ...common,
      effect: 'write',
      summary: 'the undo of add: removes that text and nothing else',
      input: z.strictObject({ id, dryRun }),
      output: z.strictObject({ outcome: z.enum(['removed', 'not-there']), ...counts }),
      roles: { '/id': 'opaque', '/dryRun': 'control' },
      undo: 'none',
      maxResultBytes: 1_024,
    },
    list: {
      ...common,
      effect: 'read',
      summary: 'what is kept, the latest first',
      input: z.strictObject({ limit: z.number().int().min(1).max(100).default(20) }),
      output: z.strictObject({
        /** All that is kept; `items` holds the first `limit` of them. */
        count: z.number().int(),
        items: z.array(z.strictObject({ id, text: z.string() })),
      }),
      quotes: ['/items'],
      roles: { '/limit': 'control' },
      undo: 'none',
      maxResultBytes: 256 * 1024,
    },
  },
})
