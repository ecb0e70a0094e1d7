// The policy that the deployment decides by, as the supervisor left it at the last start: what compiles a
// plan on this side must ask the same rules as the notary.

import { join } from 'node:path'
import { type Policy, toPolicy } from '../plan/policy.ts'
import { defaultSettings } from '../plan/policy-settings.ts'
import { openPolicyFile, type PolicyFile, parsePolicyFile } from '../security/policy/policy-file.ts'
import { readIfThere } from '../security/read-if-there.ts'

/** Before the first start it is the default. @throws PolicyError UNREADABLE */
export async function readPolicy(state: string): Promise<Policy> {
  const { standard, household } = await openPolicyFile(readPolicyFile(state))
  return toPolicy(standard, household)
}

/** Settings and household rules of the deployment. @throws PolicyError UNREADABLE */
export function readPolicyFile(state: string): PolicyFile {
  const text = readIfThere(join(state, 'cli', 'policy.json'))
  return text === undefined ? { settings: { ...defaultSettings } } : parsePolicyFile(text)
}
