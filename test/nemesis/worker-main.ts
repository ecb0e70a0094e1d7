// The worker with the test agent in its catalogue and a clock that the nemesis moves.

import { join } from 'node:path'
import { readWorkerConfig } from '../../temporal/config.ts'
import { runWorker } from '../../temporal/run-worker.ts'
import { runEntry } from '../support/party-entry.ts'
import { nemesisCatalogue } from './catalogue.ts'
import { followClock } from './clock.ts'

const config = readWorkerConfig(process.argv.slice(2))
followClock(join(config.folder, 'clock'))
await runEntry((parts) => runWorker(config, { ...parts, catalogue: nemesisCatalogue }))
