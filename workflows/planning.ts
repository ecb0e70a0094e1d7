// The two activities that a run begins and ends with, each tried on the fast lane where the run may
// take it. Both only repeat what is recorded when a crash repeats them: the notary admits one plan for
// a request, and an answer is stored under what it says.

import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow'
import type { NamedActivities, RequestInput } from './contract.ts'
import { retryPolicy } from './dispatch.ts'
import type { FastLane } from './fast-lane.ts'
import { localOptions, tryLocally } from './locally.ts'

const regular: NamedActivities = proxyActivities<NamedActivities>({
  startToCloseTimeout: 60_000,
  scheduleToCloseTimeout: 300_000,
  // What a worker that dies at it costs the run. Compiling the largest plan silences the worker for
  // half a second.
  heartbeatTimeout: 10_000,
  retry: { ...retryPolicy, maximumAttempts: 8 },
})
const local: NamedActivities = proxyLocalActivities<NamedActivities>(localOptions)

export function createPlanning({ lane: wanted }: RequestInput, lane: FastLane): NamedActivities {
  const mayTry = () => wanted === 'fast' && lane.isOpen()
  return {
    async compilePlan(input) {
      const tried = mayTry() ? await tryLocally(lane, () => local.compilePlan(input)) : undefined
      return tried ?? (await lane.regular(() => regular.compilePlan(input)))
    },
    async composeAnswer(input) {
      const tried = mayTry() ? await tryLocally(lane, () => local.composeAnswer(input)) : undefined
      return tried ?? (await lane.regular(() => regular.composeAnswer(input)))
    },
  }
}
