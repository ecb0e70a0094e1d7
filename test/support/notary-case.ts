// One case of what the notary refuses: asked of a notary of its own, over rules that it may change.

import type { Slots } from '../../plan/replicas.ts'
import type { HouseholdUser } from '../../security/people.ts'
import { catalogue } from '../notary/catalogue.ts'
import { createHarness, type Harness, household } from '../notary/harness.ts'
import type { CaseResult } from './guard-table.ts'
import { decide } from './policy.ts'

/** What the policy says from now on. */
export interface Law {
  forbidden: boolean
  /** The person's own addresses; a test may take one away. */
  readonly own: string[]
  /** The household; a test may send somebody away. */
  readonly users: HouseholdUser[]
}

export interface NotaryCase {
  /** The code, or the status of an answer that is no refusal. */
  readonly wanted: string
  readonly name: string
  readonly attempt: (harness: Harness, law: Law) => Promise<string>
  /** Every rule allows everything. */
  readonly lawless?: boolean
  /** The household; absent: the owner alone. */
  readonly users?: readonly HouseholdUser[]
  /** Whose replicas are which: `desk` is an agent of one's own then. */
  readonly slots?: Slots
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
): Promise<readonly CaseResult[]> {
  const results: CaseResult[] = []
  for (const one of cases) {
    if (wanted !== undefined && one.wanted !== wanted) continue
    results.push({ name: one.name, wanted: one.wanted, got: await attemptOf(one) })
  }
  return results
}

const withOwnDesk: typeof catalogue = new Map(
  [...catalogue].map(([name, manifest]) => [name, { ...manifest, perUser: name === 'desk' }]),
)

async function attemptOf({ attempt, lawless = false, users, slots }: NotaryCase): Promise<string> {
  const law: Law = { forbidden: false, own: ['me@home.example'], users: [...(users ?? household)] }
  const harness = await createHarness({
    names: { people: { owner: law.own }, places: {} },
    users: law.users,
    ...(slots === undefined ? {} : { slots, catalogue: withOwnDesk }),
    decide: (question) => {
      if (law.forbidden) return { verdict: 'deny', rules: ['test-rule'], missing: 'a grant' }
      return lawless ? { verdict: 'allow', rules: ['anything'] } : decide(question)
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
