// What the notary asks about a run, laid over what the run knows of it: a run hears of a question from its
// worker, which may have been away, and of a decision not at all when nobody told it. Pure.

import type { RequestSummary } from '../notary/contract.ts'
import type { OpenApproval, RunState, StepSummary } from '../workflows/contract.ts'

type Open = NonNullable<RequestSummary['approvals']>

const over: readonly RunState['status'][] = ['completed', 'failed', 'cancelled', 'denied']

/** Only adds: a question that the run waits for and that is decided by now is asked again by itself. */
export function withOpenApprovals(state: RunState, open: Open = []): RunState {
  if (open.length === 0 || over.includes(state.status)) return state
  const ofPlan = open.filter(({ step }) => step === undefined)
  const approvals = together(state.approvals, ofPlan)
  const steps = state.steps.map((step): StepSummary => {
    const asked = together(
      step.approvals,
      open.filter((one) => one.step === step.id),
    )
    return asked === undefined ? step : { ...step, approvals: asked }
  })
  return { ...state, steps, ...(approvals === undefined ? {} : { approvals }) }
}

function together(known: readonly OpenApproval[] | undefined, open: Open) {
  const ids = new Set(known?.map(({ id }) => id))
  const added = open.filter(({ id }) => !ids.has(id))
  if (added.length === 0) return known
  return [...(known ?? []), ...added.map(({ id, expiresAt }) => ({ id, expiresAt }))]
}
