// The sample home as `npm start` brings it up, for the tests of one file: there before the first, and gone
// after the last, with all that it had begun.

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { type CliProcess, runCli, startCli } from './cli.ts'

export function sampleHomeForTests(name: string) {
  const base = mkdtempSync(join(tmpdir(), `bulkhead-${name}-`))
  const state = join(base, 'state')
  const notes = join(state, 'agents', 'notes', 'data')
  let platform: CliProcess | undefined
  beforeAll(async () => {
    platform = startCli(['start', '--state', state])
    await platform.says('Ctrl-C stops the platform')
  })
  afterAll(async () => {
    if (platform?.child.exitCode === null) platform.child.kill('SIGTERM')
    await platform?.ended
    rmSync(base, { recursive: true, force: true })
  })
  return {
    base,
    state,
    /** The folder of the notes' agent. */
    notes,
    cli: (...args: readonly string[]) => runCli([...args, '--state', state]),
    /** Empty where there is no such note. */
    noteOf(note: string): string {
      const file = join(notes, `${note}.md`)
      return existsSync(file) ? readFileSync(file, 'utf8') : ''
    },
  }
}
