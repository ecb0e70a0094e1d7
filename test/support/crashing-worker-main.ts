// The worker as temporal/main.ts starts it, which a test can stop at `<point> <step>`: the gate lies
// in the worker's own folder. Started by a test's supervisor in place of the real entry.

import { writeSync } from 'node:fs'
import { catalogue } from '../../agents/catalogue.ts'
import { readWorkerConfig } from '../../temporal/config.ts'
import { runWorker } from '../../temporal/run-worker.ts'
import { stopAt } from './crash-gate.ts'

const stop = new Promise<void>((resolve) => {
  process.once('SIGTERM', () => resolve())
  process.stdin.once('end', () => resolve())
  process.stdin.resume()
})
const config = readWorkerConfig(process.argv.slice(2))

await runWorker(config, {
  catalogue,
  stop,
  onReady: () => writeSync(3, '{"ready":true}\n'),
  onPoint: (point, { kind, step }) =>
    kind === 'do' ? stopAt(config.folder, `${point} ${step}`) : undefined,
})
process.exit(0)
