// Runs test suites by name and ends with one line a program can read. With
// BULKHEAD_TEST_SUMMARY=<file> the counts are added to that file as well, and with
// BULKHEAD_TEST_FAILURES=<file> what failed is added to that one, for `.ci/run`.

import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { root } from './cache.mjs'
import { failedTests } from './failed-tests.mjs'
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

function readReport() {
  try {
    return JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return undefined
  }
}

/** Passed, failed, skipped; a run that was broken off has no report, and counts as one failed test. */
function countsOf(results) {
  if (results === undefined) return [0, 1, 0]
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = results
  return [numPassedTests, numFailedTests, numPendingTests + numTodoTests]
}

const child = spawn(
  node,
  [
    join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    // A suite's files that run alone are a project beside it: `integration-alone`.
    ...suites.flatMap((suite) => ['--project', `${suite}*`]),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...rest,
  ],
  {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}`,
      // Hundreds of processes begin with the same sources; keyed by their content, gone with the run.
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
    },
  },
)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code) => {
  const results = readReport()
  const counts = countsOf(results)
  rmSync(folder, { recursive: true, force: true })
  const { BULKHEAD_TEST_SUMMARY: summary, BULKHEAD_TEST_FAILURES: failures } = process.env
  if (summary !== undefined) appendFileSync(summary, `${counts.join(' ')}\n`)
  if (failures !== undefined && results !== undefined) {
    appendFileSync(failures, failedTests(results, { phase: suites.join(' '), root }).join(''))
  }
  process.stdout.write(`${counts[0]} passed, ${counts[1]} failed, ${counts[2]} skipped\n`)
  // A suite in which nothing passed has shown nothing.
  process.exit(code !== 0 || counts[0] === 0 ? 1 : 0)
})
