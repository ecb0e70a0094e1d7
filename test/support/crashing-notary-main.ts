// The notary as notary/main.ts starts it, which a test can stop at `<point> <step or ->`: the gate lies
// in the notary's own folder. Started by a test's supervisor in place of the real entry.

import { writeSync } from 'node:fs'
import { pino } from 'pino'
import { catalogue } from '../../agents/catalogue.ts'
import { readNotaryConfig } from '../../notary/config.ts'
import { runNotary } from '../../notary/run-notary.ts'
import { stopAt } from './crash-gate.ts'

const stop = new Promise<void>((resolve) => {
  process.once('SIGTERM', () => resolve())
  process.stdin.once('end', () => resolve())
  process.stdin.resume()
})
const config = readNotaryConfig(process.argv.slice(2))

await runNotary(config, {
  catalogue,
  log: pino({ name: 'notary' }),
  stop,
  onReady: () => void writeSync(3, '{"ready":true}\n'),
  onReload: () => undefined,
  onPoint: (point, call) => stopAt(config.folder, `${point} ${stepOf(call)}`),
})
process.exit(0)

function stepOf(call: unknown): string {
  if (typeof call !== 'object' || call === null || !('step' in call)) return '-'
  return String(call.step)
}
