// The worker, with notes as an agent of one's own.

import { readWorkerConfig } from '../../temporal/config.ts'
import { runWorker } from '../../temporal/run-worker.ts'
import { runEntry } from './party-entry.ts'
import { perUserCatalogue } from './per-user-catalogue.ts'

const config = readWorkerConfig(process.argv.slice(2))
await runEntry((parts) => runWorker(config, { ...parts, catalogue: perUserCatalogue }))
