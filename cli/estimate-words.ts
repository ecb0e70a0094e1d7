// What a plan takes, for whoever is about to say yes to it; and why it cannot be carried out within what they
// allow, before anything is registered. The notary asks again, by the same function.

import { catalogue } from '../agents/catalogue.ts'
import {
  durationWords,
  estimatePlan,
  infeasible,
  type PlanEstimate,
  startsFrom,
  usdWords,
} from '../plan/estimate.ts'
import type { Issue } from '../plan/issues.ts'
import { deadlineOf, type RequestLimits } from '../plan/request-limits.ts'
import type { CompiledPlan } from '../plan/schema.ts'
import type { Output } from './output.ts'
import { issueLines } from './request-refusal.ts'

/** @param zone IANA name, of times that the plan gives without one */
export function estimateOf(plan: CompiledPlan, { now, zone }: { now: number; zone: string }) {
  return estimatePlan(plan, { catalogue, now, startOf: startsFrom(now, zone) })
}

export function estimateLine({ leastMs, mostMs, microUsd, effects }: PlanEstimate): string {
  const waits = leastMs === 0 ? '' : `${durationWords(leastMs)} at the least, `
  const changes =
    effects === 0 ? 'no effects' : `at most ${effects} effect${effects === 1 ? '' : 's'}`
  const most =
    microUsd.most === null
      ? '; what it spends is known while it runs'
      : `; reserves at most ${usdWords(microUsd.most)}`
  const spends = microUsd.most === 0 ? '' : most
  return `takes ${waits}at most ${durationWords(mostMs)} if every attempt takes all of its time; ${changes}${spends}`
}

/** Why the plan cannot be carried out within the limits; none: nothing says that it cannot. */
export function unfitIssues(
  estimate: PlanEstimate,
  limits: RequestLimits | undefined,
  now: number,
): readonly Issue[] {
  if (limits === undefined) return []
  const deadline = deadlineOf(limits, now)
  return infeasible(estimate, { deadline, maxMicroUsd: limits.maxMicroUsd }, now)
}

/** Tells why, with the figures; true where something was told. */
export function tellUnfit(
  output: Output,
  estimate: PlanEstimate,
  issues: readonly Issue[],
): boolean {
  if (issues.length === 0) return false
  output.data({ ok: false, issues, estimate }, () => [])
  for (const line of issueLines(issues)) output.talk(line)
  return true
}
