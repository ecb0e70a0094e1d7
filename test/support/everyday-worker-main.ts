// The worker, with the agents of an ordinary day.

import { readWorkerConfig } from '../../temporal/config.ts'
import { runWorker } from '../../temporal/run-worker.ts'
import { catalogue } from './everyday-recipes.ts'
import { runEntry } from './party-entry.ts'

const config = readWorkerConfig(process.argv.slice(2))
await runEntry((parts) => runWorker(config, { ...parts, catalogue }))
