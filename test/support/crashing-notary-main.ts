// The notary as notary/main.ts starts it, which a test can stop at `<point> <step or ->`: the gate lies
// in the notary's own folder. Started by a test's supervisor in place of the real entry.

import { catalogue } from '../../agents/catalogue.ts'
import { readNotaryConfig } from '../../notary/config.ts'
import { stopAt } from './crash-gate.ts'
import { runNotaryEntry } from './notary-entry.ts'

const config = readNotaryConfig(process.argv.slice(2))
await runNotaryEntry(config, {
  catalogue,
  onPoint: (point, call) => stopAt(config.folder, `${point} ${stepOf(call)}`),
})

function stepOf(call: unknown): string {
  if (typeof call !== 'object' || call === null || !('step' in call)) return '-'
  return String(call.step)
}
