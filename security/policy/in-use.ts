// Which policy the notary decides by, and the worker compiles by, as each says so itself in
// `policy-in-use.json` in its folder: the supervisor cannot know, because a policy that does not load is
// not taken up.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { sha256 } from '../verify/hash.ts'

export const policyInUseSchema = z.strictObject({
  /** Of the policy in force: what rows and tokens carry. */
  digest: z.string(),
  /** SHA-256 of the file that was last looked at, base64url; null where there was none. */
  seen: z.string().nullable(),
  /** Why what was last looked at is not in force; null when it is. */
  refused: z.string().nullable(),
})
export type PolicyInUse = Readonly<z.infer<typeof policyInUseSchema>>

export const policyFileName = 'policy.json'
export const policyInUseName = 'policy-in-use.json'

/** Undefined in a folder that no supervisor has written a policy to: then it is the default. */
export function readPolicyText(folder: string): string | undefined {
  const file = join(folder, policyFileName)
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/** What `seen` says of a text. */
export const seenOf = (text: string | undefined) => (text === undefined ? null : sha256(text))

/** Whole or not at all. @throws the system's error */
export function sayInUse(folder: string, inUse: PolicyInUse): void {
  const file = join(folder, policyInUseName)
  writeFileSync(`${file}.new`, `${JSON.stringify(inUse)}\n`, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}
