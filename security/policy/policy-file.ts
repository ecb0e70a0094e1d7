// What one deployment decides by, as one value: the household's settings, and its own rules where it has
// some. The supervisor writes it, notary, worker and command open it; all of them have the default rules
// from the installation.

import { z } from 'zod'
import { defaultEntrypoint, readDefaultPolicy } from './default-policy.ts'
import { openEngine, type PolicyEngine, PolicyError } from './engine.ts'

export const householdEntrypoint = 'bulkhead/household/answer'

/** A module of a megabyte is five times what the default is. */
const maxWasmCharacters = 4 * 1024 * 1024

export const policyFileSchema = z.strictObject({
  /** `data.settings` of the default rules. */
  settings: z.record(z.string(), z.unknown()),
  household: z
    .strictObject({
      /** base64 of a module with the entry point `bulkhead/household/answer`. */
      wasm: z.base64().max(maxWasmCharacters),
      data: z.record(z.string(), z.unknown()),
    })
    .optional(),
})
export type PolicyFile = Readonly<z.infer<typeof policyFileSchema>>

export interface PolicyEngines {
  readonly standard: PolicyEngine
  readonly household?: PolicyEngine
}

/** @throws PolicyError UNREADABLE */
export async function openPolicyFile({ settings, household }: PolicyFile): Promise<PolicyEngines> {
  const data = { settings }
  const standard = await openEngine(readDefaultPolicy(), { data, entrypoint: defaultEntrypoint })
  if (household === undefined) return { standard }
  const wasm = new Uint8Array(Buffer.from(household.wasm, 'base64'))
  const own = { data: { ...household.data, settings }, entrypoint: householdEntrypoint }
  return { standard, household: await openEngine(wasm, own) }
}

/** @throws PolicyError UNREADABLE */
export function parsePolicyFile(text: string): PolicyFile {
  try {
    return policyFileSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new PolicyError('UNREADABLE', 'the policy is not one that bulkhead wrote', { cause })
  }
}
