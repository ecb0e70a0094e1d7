// One case of what the notary refuses: asked of a notary of its own, over rules that it may change.

import { decide } from '../../plan/policy.ts'
import { createHarness, type Harness } from '../notary/harness.ts'

/** What the policy says from now on. */
export interface Law {
  forbidden: boolean
}

export interface NotaryCase {
  /** The code, or the status of an answer that is no refusal. */
  readonly wanted: string
  readonly name: string
  readonly attempt: (harness: Harness, law: Law) => Promise<string>
  /** Every rule allows everything. */
  readonly lawless?: boolean
}

export interface NotaryCaseResult {
  readonly name: string
  readonly wanted: string
  readonly got: string
}

export function notaryCase(
  wanted: string,
  name: string,
  attempt: NotaryCase['attempt'],
): NotaryCase {
  return { wanted, name, attempt }
}

export interface Reply {
  readonly status: string
  readonly code?: string | undefined
}

/** The code of a refusal, the status of any other reply. */
export function outcomeOf({ status, code }: Reply): string {
  return (status === 'DENIED' || status === 'REFUSED') && code !== undefined ? code : status
}

/** A case that comes to what the reply says. */
export function answered(
  wanted: string,
  name: string,
  attempt: (harness: Harness) => Promise<Reply>,
): NotaryCase {
  return notaryCase(wanted, name, async (harness) => outcomeOf(await attempt(harness)))
}

/** All of `cases`, or those that must come to `wanted`. */
export async function runNotaryCases(
  cases: readonly NotaryCase[],
  wanted?: string,
): Promise<readonly NotaryCaseResult[]> {
  const results: NotaryCaseResult[] = []
  for (const one of cases) {
    if (wanted !== undefined && one.wanted !== wanted) continue
    results.push({ name: one.name, wanted: one.wanted, got: await attemptOf(one) })
  }
  return results
}

async function attemptOf({ attempt, lawless = false }: NotaryCase): Promise<string> {
  const law: Law = { forbidden: false }
  const harness = await createHarness({
    decide: (question) => {
      if (law.forbidden) return { allow: false, rules: ['test-rule'], missing: 'a grant' }
      return lawless ? { allow: true, rules: ['anything'] } : decide(question)
    },
  })
  try {
    return await attempt(harness, law)
  } catch (error) {
    // A check that is gone may end in what a type would have ruled out.
    if (!(error instanceof Error)) return String(error)
    return 'code' in error ? String(error.code) : error.name
  } finally {
    await harness.close()
  }
}

/** Asks the same file again after its owner edited it behind the notary's back. */
export async function afterTampering(
  harness: Harness,
  sql: string,
  ask: (again: Harness) => Promise<string>,
): Promise<string> {
  await harness.tamper(sql)
  const again = await harness.restart()
  try {
    return await ask(again)
  } finally {
    await again.store.close()
  }
}
