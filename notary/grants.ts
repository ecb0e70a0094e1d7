// "Always" as a fact: a grant covers an effect of the same recipe and step that does the very same thing
// to the same audience, so often in a period, until it ends or is revoked. Content may differ; whatever
// decides may not. Periods are the last 24 hours, 7 days or 30 days, so that no zone and no turn of a
// month lets twice as much through.

import type { PlanFlow, StepFlow } from '../plan/flow.ts'
import { audienceIn } from '../plan/flow-sinks.ts'
import { isObject, toPointer } from '../plan/pointer.ts'
import type { KnownNames } from '../plan/principals.ts'
import { digestOf } from '../security/verify/hash.ts'
import type { GrantRecord } from './approval-state.ts'
import { isDeciding } from './cards.ts'
import type { Writer } from './store.ts'

const day = 24 * 3_600_000
export const periods = { day, week: 7 * day, month: 30 * day } as const

/** Digest of what a step does with these arguments, and of who sees it. */
export function matterOf(
  flow: PlanFlow,
  step: StepFlow,
  { names, actual }: { readonly names: KnownNames; readonly actual: unknown },
): string {
  const audience = audienceIn(flow, step, { names, actual })
  return digestOf({ audience, decides: deciding(step, actual, []) })
}

/** Every leaf of the arguments that decides something, with its place. */
function deciding(
  step: StepFlow,
  value: unknown,
  tokens: readonly string[],
): readonly (readonly [string, unknown])[] {
  const members = Array.isArray(value)
    ? value.map((item, index) => [String(index), item] as const)
    : isObject(value)
      ? Object.entries(value)
      : []
  if (members.length > 0) {
    return members.flatMap(([name, member]) => deciding(step, member, [...tokens, name]))
  }
  return isDeciding(step, tokens) ? [[toPointer(tokens), value]] : []
}

/** The first grant that covers it, with room left in its period. */
export function findGrant(
  { state, now }: Pick<Writer, 'state' | 'now'>,
  asked: {
    readonly user: string
    readonly recipe: string
    readonly step: string
    readonly matter: () => string
  },
): GrantRecord | undefined {
  const grants = state.grantsFor(asked.user, asked.recipe, asked.step)
  return grants.find(
    (grant) =>
      now < grant.expires_at &&
      usedInPeriod({ state, now }, grant) < grant.count &&
      grant.matter === asked.matter(),
  )
}

/** How often it was used in the period that ends now. */
export function usedInPeriod(
  { state, now }: Pick<Writer, 'state' | 'now'>,
  { id, per }: Pick<GrantRecord, 'id' | 'per'>,
): number {
  return state.grantUses(id, now - periods[per])
}
