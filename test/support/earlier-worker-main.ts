// The worker with the test agent in its catalogue, on the workflows of the latest kept release. Its
// activities are those of today.

import { readWorkerConfig } from '../../temporal/config.ts'
import { runWorker } from '../../temporal/run-worker.ts'
import { nemesisCatalogue } from '../nemesis/catalogue.ts'
import { keptReleases, unpackRelease } from './kept-releases.ts'
import { runEntry } from './party-entry.ts'

const config = readWorkerConfig(process.argv.slice(2))
const release = keptReleases.at(-1) ?? ''
const earlier = {
  ...config,
  build: release,
  workflowBundle: unpackRelease(release, config.folder),
}
await runEntry((parts) => runWorker(earlier, { ...parts, catalogue: nemesisCatalogue }))
