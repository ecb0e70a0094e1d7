// The cases of notary-guards-approvals.test.ts, which bundles this file from sources in which one check
// is missing.

import { approvalCases } from './notary-approval-cases.ts'
import { runNotaryCases } from './notary-case.ts'
import { coverCases } from './notary-cover-cases.ts'
import { flowApprovalCases } from './notary-flow-approval-cases.ts'
import { standingCoverCases } from './notary-standing-cover-cases.ts'

/** All of them, or those that must come to `wanted`. */
export const runCases = (wanted?: string) =>
  runNotaryCases(
    [...approvalCases, ...coverCases, ...standingCoverCases, ...flowApprovalCases],
    wanted,
  )
