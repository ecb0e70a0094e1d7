// What the memory agent's actions answer, as far as the command shows it. The agent's manifest is the
// agent's; a test holds these shapes to what it returns.

import { z } from 'zod'

const about = {
  id: z.string(),
  kind: z.string(),
  label: z.string(),
  source: z.string().nullable(),
  remembered: z.string(),
  expires: z.string().nullable(),
}
const entry = z.object({ ...about, text: z.string() })
const expired = z.number()

export const memoryResults = {
  remember: z.object({ after: z.object({ entry }), expired }),
  forget: z.object({ id: z.string(), after: z.object({ entries: z.number() }), expired }),
  recall: z.object({
    count: z.number(),
    words: z.enum(['all', 'any']),
    meaning: z.object({ count: z.number(), without: z.number() }).nullable(),
    matches: z.array(
      z.object({
        ...about,
        snippet: z.string(),
        by: z.enum(['words', 'meaning', 'both']),
        similarity: z.number().nullable(),
      }),
    ),
    expired,
  }),
  list: z.object({
    count: z.number(),
    entries: z.array(entry),
    next: z.string().nullable(),
    damaged: z.array(z.string()),
    expired,
  }),
  show: z.object({ entry, expired }),
} as const

export type MemoryAction = keyof typeof memoryResults
export type MemoryResult<Name extends MemoryAction> = z.output<(typeof memoryResults)[Name]>
