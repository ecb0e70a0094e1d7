// The activities by which a run that was asked for in words gets its plan. Never on the fast lane: a
// planner takes as long as it takes.

import { proxyActivities } from '@temporalio/workflow'
import type { ConsultedModel } from './consult-contract.ts'
import { createConsulting } from './consulting.ts'
import type { RequestInput } from './contract.ts'
import { retryPolicy } from './dispatch.ts'
import type { FastLane } from './fast-lane.ts'
import { createProposing } from './propose.ts'
import type { ProposeActivities } from './propose-contract.ts'
import { runConsultation } from './run-consultation.ts'

const planner = proxyActivities<Pick<ProposeActivities, 'proposePlan'>>({
  startToCloseTimeout: 300_000,
  scheduleToCloseTimeout: 900_000,
  heartbeatTimeout: 10_000,
  // Each time may cost: what a planner cannot do three times it cannot do.
  retry: { ...retryPolicy, maximumAttempts: 3 },
})
const compiler = proxyActivities<Pick<ProposeActivities, 'compileProposal'>>({
  startToCloseTimeout: 60_000,
  scheduleToCloseTimeout: 300_000,
  heartbeatTimeout: 10_000,
  retry: { ...retryPolicy, maximumAttempts: 8 },
})

export function planWords(
  input: RequestInput,
  lane: FastLane,
  onConsulted: (consulted: readonly ConsultedModel[]) => void,
) {
  const { requestRef } = input
  return createProposing(input, {
    proposePlan: createConsulting({
      proposePlan: (asked) => lane.regular(() => planner.proposePlan(asked)),
      consult: (requestId, consult) =>
        lane.regular(() => runConsultation(requestId, { requestRef, consult })),
      now: () => Date.now(),
      onConsulted,
    }),
    compileProposal: (asked) => lane.regular(() => compiler.compileProposal(asked)),
  })
}
