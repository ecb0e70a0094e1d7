// The worker as temporal/main.ts starts it, which a test can stop at `<point> <step>`: the gate lies
// in the worker's own folder. Started by a test's supervisor in place of the real entry.

import { catalogue } from '../../agents/catalogue.ts'
import { readWorkerConfig } from '../../temporal/config.ts'
import { runWorker } from '../../temporal/run-worker.ts'
import { stopAt } from './crash-gate.ts'
import { runEntry } from './party-entry.ts'

const config = readWorkerConfig(process.argv.slice(2))
await runEntry((parts) =>
  runWorker(config, {
    ...parts,
    catalogue,
    onPoint: (point, { kind, step }) =>
      kind === 'do' ? stopAt(config.folder, `${point} ${step}`) : undefined,
  }),
)
