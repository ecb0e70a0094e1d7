// The worker with the test agent in its catalogue and a clock that the nemesis moves.

import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { readWorkerConfig } from '../../temporal/config.ts'
import { runWorker } from '../../temporal/run-worker.ts'
import { nemesisCatalogue } from './catalogue.ts'
import { followClock } from './clock.ts'

const config = readWorkerConfig(process.argv.slice(2))
followClock(join(config.folder, 'clock'))
const stop = new Promise<void>((resolve) => {
  process.once('SIGTERM', () => resolve())
  process.stdin.once('end', () => resolve())
  process.stdin.resume()
})
const onReady = () => void writeSync(3, '{"ready":true}\n')
try {
  await runWorker(config, { catalogue: nemesisCatalogue, stop, onReady })
  process.exit(0)
} catch (error) {
  process.stderr.write(`${String(error)}\n`)
  process.exit(1)
}
