// The card from its bytes, or not at all. Strict, because what a person reads is made of it: a member that
// is not known here would be signed without having been shown, and text with two meanings would be shown
// in one and signed in the other.

import { z } from 'zod'
import { canonicalJson, type JsonValue } from '../security/verify/canonical-json.ts'
import { parseStrictJson, StrictJsonError } from '../security/verify/strict-json.ts'
import type { Card } from './card.ts'
import type { Effect } from './effect.ts'
import { requestIdPattern, stepIdPattern } from './schema.ts'

export class CardError extends Error {
  override readonly name = 'CardError'
}

/** As much as fits a message of the bus. */
const maxBytes = 1024 * 1024
const maxDepth = 64

const step = z.string().regex(stepIdPattern)
const request = z.string().regex(requestIdPattern)
const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const count = z.int().min(0)
const json: z.ZodType<Card['asks'][number]['args']> = z.json()
const effects = ['read', 'write', 'egress', 'irreversible'] as const satisfies readonly Effect[]

const subject = z.discriminatedUnion('is', [
  z.strictObject({ is: z.literal('plan'), request }),
  z.strictObject({ is: z.literal('step'), request, step, iteration: count, rerun: count }),
  z.strictObject({ is: z.literal('list'), request, step, rerun: count }),
  z.strictObject({ is: z.literal('schedule'), schedule: step }),
])

const cardSchema: z.ZodType<Card> = z.strictObject({
  version: z.literal(1),
  deployment: z.string().max(160),
  user: z.string().regex(/^user:[a-z0-9][a-z0-9-]{0,39}$/),
  subject,
  plan: z.strictObject({
    digest,
    recipe: digest,
    name: z.string(),
    goal: z.string(),
    steps: z.array(
      z.strictObject({
        id: step,
        action: z.string().regex(/^[a-z][a-z0-9-]{0,39}\.[a-z][a-z0-9_-]{0,39}$/),
        effect: z.enum(effects),
        reversible: z.boolean(),
        needs: z.array(step),
        when: z.string().nullable(),
        repeats: count.nullable(),
      }),
    ),
  }),
  asks: z.array(
    z.strictObject({
      step,
      rules: z.array(z.string().regex(/^[A-Za-z0-9_.-]{1,80}$/)),
      args: json,
      audience: z.union([z.literal('PUBLIC'), z.array(z.string())]),
      decides: z.array(z.strictObject({ pointer: z.string(), from: z.string() })),
      conditions: z
        .array(
          z.strictObject({
            by: z.enum(['when', 'forEach', 'join']),
            cel: z.string().nullable(),
            from: z.array(z.string()),
            values: z.record(z.string(), json),
          }),
        )
        .optional(),
    }),
  ),
  changes: z.array(z.string()).nullable(),
  createdAt: count,
  expiresAt: count,
})

/** @throws CardError for anything but the RFC 8785 text of a card of this version */
export function readCard(bytes: string): Card {
  const value = parse(bytes)
  if (canonicalJson(value) !== bytes) throw new CardError('it is not spelled as it was signed')
  const card = cardSchema.safeParse(value)
  if (!card.success) throw new CardError('it is not a card of this version')
  return card.data
}

function parse(bytes: string): JsonValue {
  try {
    return parseStrictJson(bytes, { maxBytes, maxDepth })
  } catch (cause) {
    if (!(cause instanceof StrictJsonError)) throw cause
    throw new CardError(`it cannot be read: ${cause.code}`, { cause })
  }
}
