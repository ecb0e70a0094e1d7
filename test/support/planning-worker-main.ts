// The worker with a planner of the test's: it answers certain words as scripted-planner.ts says, and keeps
// what it is given in the worker's own folder.

import { appendFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { catalogue } from '../../agents/catalogue.ts'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { readWorkerConfig } from '../../temporal/config.ts'
import { runWorker } from '../../temporal/run-worker.ts'
import { runEntry } from './party-entry.ts'
import { givenFile, scriptedPlanner, thinkingFile } from './scripted-planner.ts'

const config = readWorkerConfig(process.argv.slice(2))
const given = join(config.folder, givenFile)
const thinking = join(config.folder, thinkingFile)
await runEntry((parts) =>
  runWorker(config, {
    ...parts,
    catalogue,
    propose: async (input) => {
      appendFileSync(given, `${canonicalJson(input)}\n`)
      while (existsSync(thinking)) await delay(50)
      return scriptedPlanner(input)
    },
  }),
)
