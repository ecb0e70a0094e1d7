// What failed in a run of the tests, short enough to stand at the end of a log of which only the end is
// kept: the phase, the file, the test's name, and the first lines of what it said, plain text.

import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

/** An assertion says itself in its first lines; behind them come frames and long differences. */
const maxLines = 15
const maxColumns = 300

const firstLines = (text) =>
  stripVTControlCharacters(text)
    .split('\n')
    .map((line) => line.trimEnd().slice(0, maxColumns))
    .filter((line) => line !== '')
    .slice(0, maxLines)

/**
 * One text for each failed test of a report of Vitest's JSON reporter, and for each file that failed
 * without one (it could not be loaded, or a hook threw): a line that begins with `FAILED`, and indented lines.
 */
export function failedTests(report, { phase, root }) {
  return report.testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name)
    const failed = assertionResults.filter((test) => test.status === 'failed')
    const said = failed.map(({ ancestorTitles, title, failureMessages }) => ({
      where: [file, ...ancestorTitles, title].join(' > '),
      text: failureMessages.join('\n'),
    }))
    if (status === 'failed' && said.length === 0) said.push({ where: file, text: message })
    return said.map(({ where, text }) =>
      [
        `FAILED ${phase}: ${firstLines(where).join(' ')}`,
        ...firstLines(text).map((line) => `    ${line}`),
      ]
        .map((line) => `${line}\n`)
        .join(''),
    )
  })
}
