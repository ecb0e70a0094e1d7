// The cases of notary-guards-limits.test.ts, which bundles this file from sources in which one check is missing.

import { runNotaryCases } from './notary-case.ts'
import { limitCases } from './notary-limit-cases.ts'

/** All of them, or those that must come to `wanted`. */
export const runCases = (wanted?: string) => runNotaryCases(limitCases, wanted)
