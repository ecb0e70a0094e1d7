// What a person allows one request: how much it may spend, and until when its steps may begin. Dollars are
// whole millionths, because that is what models are counted in. What is counted in another currency is
// bounded by the budgets of a day and a month, and not here: nobody knows a rate. Pure.

import { z } from 'zod'
import type { Amount } from './amounts.ts'
import { limits } from './limits.ts'

/** More than any household would let one request spend, and far below what a sum of numbers holds. */
export const mostMicroUsd = 1_000_000 * 1_000_000

export const requestLimitsSchema = z
  .strictObject({
    maxMicroUsd: z.number().int().min(0).max(mostMicroUsd).optional(),
    /**
     * `withinMs` is counted from the registration, so that the same request sent again stays the same.
     * `at`: milliseconds since the epoch.
     */
    deadline: z
      .union([
        z.strictObject({ at: z.number().int().min(0).max(8_640_000_000_000_000) }),
        z.strictObject({ withinMs: z.number().int().min(1).max(limits.runMs) }),
      ])
      .optional(),
  })
  .refine((given) => given.maxMicroUsd !== undefined || given.deadline !== undefined)
export type RequestLimits = z.infer<typeof requestLimitsSchema>

/** When no step may begin any more, milliseconds since the epoch; undefined: it has no deadline. */
export function deadlineOf({ deadline }: RequestLimits, registeredAt: number): number | undefined {
  if (deadline === undefined) return undefined
  return 'at' in deadline ? deadline.at : registeredAt + deadline.withinMs
}

const microUsdPerCent = 10_000

/** Of an amount in dollars, by any agent; 0 of any other. */
export function microUsdOf({ unit, amount }: Pick<Amount, 'unit' | 'amount'>): number {
  if (unit === 'USD') return amount * microUsdPerCent
  return unit.endsWith('.micro_usd') ? amount : 0
}
