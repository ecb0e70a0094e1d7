// The policy that every deployment has, as it is built from the *.rego beside it: `npm run policy` builds
// it, and test/integration/policy-bundle.test.ts sees that sources and module are one.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const defaultEntrypoint = 'bulkhead/decision'
/** Beside the default rules: what is compiled with a household's. */
export const defaultIgnore = ['household']

export function readDefaultPolicy(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(join(import.meta.dirname, 'default.wasm')))
}
