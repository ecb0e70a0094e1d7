// Runs a script of the project with the right Node: `node setup/with-node.mjs <script> [args]`.
// Signals go to the child, its exit code comes back.

import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { delimiter, dirname } from 'node:path'
import { findNode } from './node.mjs'

const node = findNode()
if (node === undefined) {
  process.stderr.write('set-up has not run yet on this machine\nnext: npm run setup\n')
  process.exit(1)
}
const child = spawn(node, process.argv.slice(2), {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` },
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.exit(signal === null ? (code ?? 1) : 128 + (constants.signals[signal] ?? 0))
})
