// The cases of notary-guards-handles.test.ts, which bundles this file from sources in which one check is
// missing.

import { runNotaryCases } from './notary-case.ts'
import { handleCases } from './notary-handle-cases.ts'
import { toldCases } from './notary-told-cases.ts'

/** All of them, or those that must come to `wanted`. */
export const runCases = (wanted?: string) => runNotaryCases([...handleCases, ...toldCases], wanted)
