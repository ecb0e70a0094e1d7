// `npm run check`: lint, types, workflow types, unit tests. The same in CI, and stops at the first
// that fails.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './cache.mjs'
import { findNode } from './node.mjs'

const node = findNode()
if (node === undefined) {
  process.stderr.write('set-up has not run yet on this machine\nnext: npm run setup\n')
  process.exit(1)
}
const program = (path) => join(root, 'node_modules', ...path.split('/'))
const steps = [
  ['lint and format', [program('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.']],
  ['types', [program('typescript/bin/tsc'), '--noEmit', '-p', root]],
  ['workflow types (no Node)', [program('typescript/bin/tsc'), '-p', join(root, 'workflows')]],
  ...(process.argv.includes('--static')
    ? []
    : [['unit tests', [join(root, 'setup', 'test.mjs'), 'unit']]]),
]
for (const [name, command] of steps) {
  process.stderr.write(`check: ${name}\n`)
  const { status } = spawnSync(node, command, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
