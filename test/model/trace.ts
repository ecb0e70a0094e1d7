// Reads one trace of the model (Informal Trace Format) into what the replay compares with. Parsed
// once: whatever the model renames fails here.

import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** Integers, sets and maps are written as objects with one key each. */
function decode(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decode)
  if (typeof value !== 'object' || value === null) return value
  if ('#bigint' in value) return Number(value['#bigint'])
  if ('#set' in value) return decode(value['#set'])
  if ('#map' in value) return decode(value['#map'])
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, decode(entry)]))
}

const address = z.object({
  request: z.number(),
  kind: z.enum(['do', 'undo', '']),
  rerun: z.literal(0),
})
export type Address = z.infer<typeof address>
const pairs = <Key extends z.ZodType, Value extends z.ZodType>(key: Key, value: Value) =>
  z.array(z.tuple([key, value]))

const deeds = [
  ...['init', 'begin', 'authorize', 'askInVain', 'mint', 'publish', 'deliver', 'execute', 'act'],
  ...['actAndThrow', 'throwUnacted', 'failAbsent', 'record', 'settleReceipt', 'settleFailure'],
  ...['report', 'end', 'tick', 'boot', 'noticeStop', 'crashAgent', 'crashNotary', 'crashWorker'],
  ...['lose', 'loseReply', 'reset', 'cancel', 'look'],
] as const
/** Every action that a replayed trace may have. */
export const deedNames: readonly string[] = deeds

const world = z.object({
  repeatable: z.boolean(),
  requests: z.array(z.number()),
  effects: pairs(
    address,
    z.object({ attempts: z.number(), outcome: z.string(), retry: z.string() }),
  ),
  rows: pairs(z.number(), z.object({ address, epoch: z.number() })),
  answered: z.array(z.number()),
  absences: z.array(z.number()),
  turned: z.array(z.number()),
  notaryEpoch: z.number(),
  ledger: pairs(address, z.string()),
  acts: pairs(address, z.number()),
  did: z.object({ name: z.enum(deeds), address, jti: z.number(), answer: z.string() }),
})
/** What the model says is so after one action. */
export type ModelWorld = z.infer<typeof world>

const trace = z.object({ states: z.array(z.object({ world })).min(2) })

/** States in order; the first is the beginning. */
export function readTrace(file: string): readonly ModelWorld[] {
  const parsed = trace.parse(decode(JSON.parse(readFileSync(file, 'utf8'))))
  return parsed.states.map((state) => state.world)
}
