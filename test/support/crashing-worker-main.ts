// The worker with a death of its own: as temporal/main.ts, but kills itself with SIGKILL the first
// time that a step reaches a point. `--once <file>` remembers across restarts that it has happened.
//
//   node test/support/crashing-worker-main.ts --config <file> --point after-reply --step note --once <file>

import { existsSync, writeFileSync, writeSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { catalogue } from '../../agents/catalogue.ts'
import { readWorkerConfig } from '../../temporal/config.ts'
import { runWorker } from '../../temporal/run-worker.ts'

const { values } = parseArgs({
  options: {
    config: { type: 'string' },
    point: { type: 'string' },
    step: { type: 'string' },
    once: { type: 'string' },
  },
})
const { config = '', point, step, once = '' } = values

const stop = new Promise<void>((resolve) => {
  process.once('SIGTERM', () => resolve())
  process.stdin.once('end', () => resolve())
  process.stdin.resume()
})

await runWorker(readWorkerConfig(['--config', config]), {
  catalogue,
  stop,
  onReady: () => writeSync(3, '{"ready":true}\n'),
  onPoint: async (reached, at) => {
    if (reached !== point || at.step !== step || at.kind !== 'do' || existsSync(once)) return
    writeFileSync(once, '')
    // What was just sent must have left this process, or the point would be an earlier one.
    await new Promise((resolve) => setTimeout(resolve, 200))
    process.kill(process.pid, 'SIGKILL')
    await new Promise(() => undefined)
  },
})
process.exit(0)
