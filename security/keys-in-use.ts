// What the notary says of its own keys, in `keys.json` of its folder: written at each start and after
// each change, once the change is on disk. The supervisor, which draws the keys, waits for it. Public
// halves and thumbprints only.

import { z } from 'zod'
import { keyPeriodsSchema } from './audit/key-chain.ts'

export const keysInUseSchema = z.strictObject({
  /** Thumbprint of the key that signs tokens. */
  signing: z.string(),
  audit: keyPeriodsSchema,
})
export type KeysInUse = Readonly<z.infer<typeof keysInUseSchema>>
