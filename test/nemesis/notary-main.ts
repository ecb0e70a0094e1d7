// The notary with the test agent in its catalogue and a clock that the nemesis moves.

import { join } from 'node:path'
import { readNotaryConfig } from '../../notary/config.ts'
import { runNotaryEntry } from '../support/notary-entry.ts'
import { nemesisCatalogue } from './catalogue.ts'
import { followClock } from './clock.ts'

const config = readNotaryConfig(process.argv.slice(2))
followClock(join(config.folder, 'clock'))
await runNotaryEntry(config, { catalogue: nemesisCatalogue })
