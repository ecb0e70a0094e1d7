// The notary, with the agents of an ordinary day.

import { readNotaryConfig } from '../../notary/config.ts'
import { catalogue } from './everyday-recipes.ts'
import { runNotaryEntry } from './notary-entry.ts'

await runNotaryEntry(readNotaryConfig(process.argv.slice(2)), { catalogue })
