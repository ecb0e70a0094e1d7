// `people:` and `places:` as they stand in `bulkhead.yaml`, and as the programs of a deployment hand them
// on. A value here vouches for an address wherever it turns up, so it is plain text without anything
// that a person reading the file would not see.

import { z } from 'zod'
import type { KnownNames } from './principals.ts'

const value = z
  .string()
  .min(1)
  .max(200)
  .refine(
    (text) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text) && text.isWellFormed(),
    'holds characters that nobody would see',
  )
const lists = z.record(z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N} .'-]{0,59}$/u), z.array(value))

/** What stands under `owner` in `people` are the user's own addresses. */
export const peopleSchema = lists
export const placesSchema = lists

export const knownNamesSchema: z.ZodType<KnownNames> = z.strictObject({
  people: lists,
  places: lists,
})
