// The cases of notary-guards-authorise.test.ts, which bundles this file from sources in which one check
// is missing.

import { authoriseCases } from './notary-authorise-cases.ts'
import { runNotaryCases } from './notary-case.ts'
import { requestCases } from './notary-request-cases.ts'

/** All of them, or those that must come to `wanted`. */
export const runCases = (wanted?: string) =>
  runNotaryCases([...requestCases, ...authoriseCases], wanted)
