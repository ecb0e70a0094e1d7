// The person's lists of people and places, as the supervisor left them at the last start: what compiles a
// plan on this side must know the same addresses as the notary.

import { join } from 'node:path'
import { knownNamesSchema } from '../plan/known-names.ts'
import { type KnownNames, nobody } from '../plan/principals.ts'
import { readIfThere } from '../security/read-if-there.ts'

/** Before the first start nobody is known: a plan is then refused rather than let through. */
export function readKnownNames(state: string): KnownNames {
  const text = readIfThere(join(state, 'cli', 'names.json'))
  return text === undefined ? nobody : knownNamesSchema.parse(JSON.parse(text))
}
