// Which audit key signs heads of which size. The first key is trusted; each later one is named by a row
// of the log itself, and the head over exactly that row is still signed by the key before: a chain of
// trust that whoever holds an early key can follow to the end. A published list pins what it knows of
// that chain, because a key that was retired and stolen could otherwise sign a change of its own.

import { z } from 'zod'
import type { JsonObject } from '../verify/canonical-json.ts'
import { type PublicJwk, publicJwkSchema, toPublicJwk } from '../verify/keys.ts'
import type { AuditEntry, AuditRow } from './format.ts'

export interface KeyPeriod {
  readonly key: PublicJwk
  /** It signs heads of larger trees than this: the number of the row that names it; 0 for the first. */
  readonly from: number
}

export const keyPeriodsSchema = z
  .array(z.strictObject({ key: publicJwkSchema, from: z.number().int().min(0) }))
  .min(1)
  // Each change is a person's decision, and every verification looks at all of them.
  .max(10_000)
  .refine((periods) => periods[0]?.from === 0, 'the first key is not from the beginning')
  .refine(
    (periods) => periods.every(({ from }, at) => at === 0 || from > (periods[at - 1]?.from ?? 0)),
    'the periods are not in order',
  )

const publishedSchema = z.strictObject({ keys: keyPeriodsSchema })

/**
 * Reads `public/audit-key.json`: one public JWK, as before the first rotation, or all periods.
 * @throws z.ZodError when it is neither
 */
export function parseTrustedKeys(value: unknown): readonly KeyPeriod[] {
  const published = publishedSchema.safeParse(value)
  return published.success ? published.data.keys : [{ key: publicJwkSchema.parse(value), from: 0 }]
}

/** What `parseTrustedKeys` reads; the plain key while there is only one. */
export function toPublished(periods: readonly KeyPeriod[]): JsonObject {
  const [first, ...others] = periods.map(({ key, from }) => ({
    key: { ...toPublicJwk(key) },
    from,
  }))
  if (first === undefined) throw new Error('no audit key to publish')
  return others.length === 0 ? first.key : { keys: [first, ...others] }
}

const place = { kind: 'life-cycle', actor: 'notary', subject: 'audit-key' } as const
const changeSchema = z.strictObject({ event: z.literal('audit-key'), key: publicJwkSchema })

/** The row after which `key` signs. Only the notary writes rows whose actor is the notary. */
export function toKeyChange(key: PublicJwk): Omit<AuditEntry, 'at'> {
  const body = { event: 'audit-key', key: { ...toPublicJwk(key) } }
  return { ...place, correlation: '', trace: '', body }
}

/** The key that a row names; undefined for any other row. Believes nothing: its columns may be anything. */
export function keyChangeOf({ kind, actor, subject, body }: AuditRow): PublicJwk | undefined {
  if (kind !== place.kind || actor !== place.actor || subject !== place.subject) return undefined
  try {
    return changeSchema.safeParse(JSON.parse(body)).data?.key
  } catch {
    return undefined
  }
}

/** The key for a head of this size. `periods` is in order and not empty. */
export function keyFor(periods: readonly KeyPeriod[], size: number): PublicJwk {
  const period = periods.findLast(({ from }) => from < size) ?? periods[0]
  if (period === undefined) throw new Error('no audit key is trusted')
  return period.key
}
