// Why the notary refuses: the closed union of request, provenance, policy and storage codes
// (contracts.md). Read by tests and documents; the worker treats them as data.

export const notaryCodes = [
  // shape and identity
  'MALFORMED',
  'EXPIRED_MESSAGE',
  'NOT_PERMITTED',
  // requests
  'UNKNOWN_REQUEST',
  'REQUEST_CONFLICT',
  'REQUEST_CANCELLED',
  'PLAN_INVALID',
  // admission
  'PLAN_MISMATCH',
  'ALREADY_ADMITTED',
  'NOT_ADMITTED',
  'ALREADY_PROPOSED',
  'PROPOSALS_USED_UP',
  'INFEASIBLE',
  // schedules
  'UNKNOWN_SCHEDULE',
  'SCHEDULE_CONFLICT',
  'SCHEDULE_PAUSED',
  'NOT_NOMINAL',
  'NOT_DUE',
  'FIRING_MISSED',
  // authorisation
  'UNKNOWN_STEP',
  'NO_ITERATION',
  'NOT_YET',
  'NEEDS_UNSETTLED',
  'GUARD_FALSE',
  'GUARD_TRUE',
  'ARGS_MISMATCH',
  'ARGS_INVALID',
  'SOURCE_MISMATCH',
  'SOURCE_MISSING',
  'UNKNOWN_HANDLE',
  'NO_RESULT',
  'RUN_ABORTING',
  'NOT_ABORTING',
  'NEVER_AUTHORISED',
  'ATTEMPTS_USED_UP',
  'NOT_DECIDED',
  'NOT_CANCELLED',
  'LIMIT',
  'REQUEST_LIMIT',
  'DEADLINE_PASSED',
  'FLOW',
  'POLICY',
  'QUARANTINED',
  // a person's decisions
  'UNKNOWN_APPROVAL',
  'APPROVAL_OPEN',
  'APPROVAL_UNSIGNED',
  'APPROVAL_ALTERED',
  'APPROVAL_MOVED',
  'APPROVAL_USED',
  'APPROVAL_DENIED',
  'APPROVAL_EXPIRED',
  'NOT_APPROVER',
  'UNKNOWN_GRANT',
  // settlement
  'RECEIPT_INVALID',
  'RECEIPT_CONFLICT',
  'TOKENS_ALIVE',
  // a person's decision on a step
  'NOT_HELD',
  'NOT_UNKNOWN',
  'UNRESOLVED',
  // the notary itself
  'AUDIT_UNAVAILABLE',
  'CLOCK_BACKWARDS',
  'CLOCK_MOVED',
] as const

export type NotaryCode = (typeof notaryCodes)[number]

/** Nothing was decided: the notary cannot record just now, or a clock is wrong. Ask again later. */
export function isOutage(code: string): boolean {
  return outages.some((one) => one === code)
}

const outages: readonly NotaryCode[] = [
  'AUDIT_UNAVAILABLE',
  'CLOCK_BACKWARDS',
  'CLOCK_MOVED',
  'EXPIRED_MESSAGE',
]
