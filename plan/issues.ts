// The closed set of reasons for which a plan is refused before anything runs (workflows.md).
// Tests and documents refer to codes by name; messages may change, codes may not.

export const issueCodes = [
  'INVALID_SHAPE',
  'INVALID_NAME',
  'DUPLICATE_ID',
  'UNKNOWN_AGENT',
  'UNKNOWN_ACTION',
  'INVALID_ARGUMENT',
  'UNKNOWN_REFERENCE',
  // An earlier result that is none of this person's: which of the reasons it is, nobody is told.
  'UNKNOWN_HANDLE',
  'INVALID_EXPRESSION',
  'CYCLE',
  'LIMIT',
  // Flow rules, by their numbers in the design. R7 and R8 are about what a planner is told, and R10 about
  // what stores keep: no plan is refused by them.
  'FLOW_R1',
  'FLOW_R2',
  'FLOW_R3',
  'FLOW_R4',
  'FLOW_R5',
  'FLOW_R6',
  'FLOW_R9',
  'FLOW_R11',
  'POLICY',
  'INFEASIBLE',
] as const

export type IssueCode = (typeof issueCodes)[number]
export type FlowCode = Extract<IssueCode, `FLOW_${string}`>

/** A plan that is understood and not allowed, whoever says so; anything else about it is a mistake. */
export function isDenial(code: string | undefined): boolean {
  return code === 'POLICY' || code?.startsWith('FLOW') === true
}

export interface Issue {
  readonly code: IssueCode
  /** RFC 6901 pointer into the plan as it was written. */
  readonly path: string
  readonly message: string
  /** What caused it, when that is elsewhere than `path`. */
  readonly source?: string
  /** The smallest change that would be accepted, where one is known. */
  readonly fix?: string
}
