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
  'INVALID_EXPRESSION',
  'CYCLE',
  'LIMIT',
  'POLICY',
  'INFEASIBLE',
] as const

export type IssueCode = (typeof issueCodes)[number]

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
