// Runs the cases of the notary's decisions, schedules and audit, each on a notary of its own. Bundled
// by notary-guards-decisions.test.ts from sources in which one check is missing.

import { createHarness } from '../notary/harness.ts'
import { decisionCases } from './notary-decision-cases.ts'
import { standingCases } from './notary-standing-cases.ts'

export interface NotaryCaseResult {
  readonly name: string
  readonly wanted: string
  /** The refusal's code, the status, or the code or message of an error that was thrown. */
  readonly got: string
}

/** All of them, or those that must come to `wanted`. */
export async function runNotaryCases(wanted?: string): Promise<readonly NotaryCaseResult[]> {
  const results: NotaryCaseResult[] = []
  for (const { name, wanted: code, attempt } of [...decisionCases, ...standingCases]) {
    if (wanted !== undefined && code !== wanted) continue
    const home = await createHarness()
    try {
      results.push({ name, wanted: code, got: await attempt(home).catch(thrown) })
    } finally {
      await home.close()
    }
  }
  return results
}

function thrown(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error ? String(error.code) : error.message
}
