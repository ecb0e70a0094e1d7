// The default policy as every deployment has it, for tests that only need some policy to be in force.

import { type Policy, toPolicy } from '../../plan/policy.ts'
import { defaultSettings, type PolicySettings } from '../../plan/policy-settings.ts'
import { openPolicyFile } from '../../security/policy/policy-file.ts'

/** @param change settings that are other than the default's */
export async function openPolicy(change: Partial<PolicySettings> = {}): Promise<Policy> {
  const { standard, household } = await openPolicyFile({
    settings: { ...defaultSettings, ...change },
  })
  return toPolicy(standard, household)
}

export const policy = await openPolicy()
export const { decide } = policy
