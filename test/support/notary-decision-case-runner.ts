// The cases of notary-guards-decisions.test.ts, which bundles this file from sources in which one check
// is missing.

import { runNotaryCases } from './notary-case.ts'
import { decisionCases } from './notary-decision-cases.ts'
import { poolCases } from './notary-pool-cases.ts'
import { standingCases } from './notary-standing-cases.ts'

/** All of them, or those that must come to `wanted`. */
export const runCases = (wanted?: string) =>
  runNotaryCases([...decisionCases, ...poolCases, ...standingCases], wanted)
