// Runs test suites by name and ends with one line a program can read. With
// BULKHEAD_TEST_SUMMARY=<file> the counts are added to that file as well, for `.ci/run`.

import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { root } from './cache.mjs'
import { findNode } from './node.mjs'

const node = findNode()
if (node === undefined) {
  process.stderr.write('set-up has not run yet on this machine\nnext: npm run setup\n')
  process.exit(1)
}
const suites = process.argv.slice(2).filter((argument) => /^[a-z]+$/.test(argument))
const rest = process.argv.slice(2).filter((argument) => !suites.includes(argument))
const folder = mkdtempSync(join(tmpdir(), 'bulkhead-test-'))
const report = join(folder, 'report.json')
const child = spawn(
  node,
  [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    ...suites.flatMap((suite) => ['--project', suite]),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...rest,
  ],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` },
  },
)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code) => {
  let counts
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = JSON.parse(
      readFileSync(report, 'utf8'),
    )
    counts = [numPassedTests, numFailedTests, numPendingTests + numTodoTests]
  } catch {
    counts = [0, 1, 0]
  }
  rmSync(folder, { recursive: true, force: true })
  const summary = process.env.BULKHEAD_TEST_SUMMARY
  if (summary !== undefined) appendFileSync(summary, `${counts.join(' ')}\n`)
  process.stdout.write(`${counts[0]} passed, ${counts[1]} failed, ${counts[2]} skipped\n`)
  // A suite in which nothing passed has shown nothing.
  process.exit(code !== 0 || counts[0] === 0 ? 1 : 0)
})
