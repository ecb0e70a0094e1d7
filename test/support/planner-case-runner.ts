// The cases of planner-guards.test.ts, which bundles this file from sources in which one check is missing.

import type { CaseResult } from './guard-table.ts'
import { injected, plannerCases } from './planner-cases.ts'

/** All of them, or those of one rule. A rule that holds is what a case comes to. */
export async function runCases(wanted?: string): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = []
  for (const one of plannerCases) {
    if (wanted !== undefined && one.wanted !== wanted) continue
    const told = JSON.stringify(await one.told())
    const got = told.includes(injected) ? 'told' : one.wanted
    results.push({ name: one.name, wanted: one.wanted, got })
  }
  return results
}
