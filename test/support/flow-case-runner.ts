// The cases of flow-guards.test.ts, which bundles this file from sources in which one check is missing.

import { judgeCase } from './flow-case.ts'
import { flowCases } from './flow-cases.ts'
import type { CaseResult } from './guard-table.ts'

/** All of them, or those that must come to `wanted`. */
export async function runCases(wanted?: string): Promise<readonly CaseResult[]> {
  return flowCases
    .filter((one) => wanted === undefined || one.wanted === wanted)
    .map((one) => {
      const { issues, questions } = judgeCase(one)
      return { ...one, got: [...issues, ...questions][0]?.code ?? 'ACCEPTED' }
    })
}
