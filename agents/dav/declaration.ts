// What an agent declares of its CalDAV server: once for looking and once for writing, so that a token that
// is good for one is not for the other (docs/adr/0037); and what its actions have in common. Data and zod
// only.

import { z } from 'zod'
import type { EgressDeclaration } from '../../plan/manifest.ts'

export const caldav = 'caldav'
export const caldavWrite = 'caldav-write'

/** Settings `<agent>.url`, and `<agent>.credential`, which is `<name>:<password>`. */
export function davEgress(agent: string): readonly EgressDeclaration[] {
  const server = {
    host: { config: `${agent}.url` },
    port: 443,
    protocol: 'https',
    credential: { secret: { config: `${agent}.credential` }, as: 'basic' },
  } as const
  return [
    { ...server, id: caldav, allow: [{ methods: ['GET', 'PROPFIND', 'REPORT'], path: '/*' }] },
    { ...server, id: caldavWrite, allow: [{ methods: ['GET', 'PUT', 'DELETE'], path: '/*' }] },
  ]
}

/** A few questions, one after the other. */
const timeoutMs = 15_000

/** Of a write. A server keeps what it is given for its owner, and is no audience (contracts.md, audience). */
export const davWrite = { timeoutMs, egress: [caldavWrite] } as const

/** Of `sync`, but for the words of its summary and its output. */
export const davSync = {
  audience: 'owner',
  idempotent: true,
  timeoutMs,
  effect: 'egress',
  egress: [caldav],
  input: z.strictObject({}),
  roles: {},
  undo: 'none',
  maxResultBytes: 64 * 1024,
} as const

/** Which collections the server has, by the names that a sync gives them. Nothing of it is kept. */
export const davCollections = {
  ...davSync,
  output: z.strictObject({ collections: z.array(z.strictObject({ name: z.string() })) }),
  quotes: ['/collections'],
} as const

export const counted = z.number().int()
/** What a sync did with the objects of one collection. */
export const syncCounts = {
  changed: counted,
  removed: counted,
  /** Left out, because they cannot be read. */
  unreadable: counted,
  /** Still to be fetched: time was up, and the next sync goes on. */
  pending: counted,
}
