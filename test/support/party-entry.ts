// What a test's own entry of a notary or worker shares with the real ones (notary/main.ts,
// temporal/main.ts): says on descriptor 3 that it is ready; leaves on SIGTERM and when its standard
// input ends, which means that the supervisor died.

import { writeSync } from 'node:fs'
import { inspect } from 'node:util'

export interface EntryParts {
  readonly stop: Promise<void>
  onReady(): void
}

/** Leaves the process with 0 when `run` is done, with 1 and a word on standard error when it fails. */
export async function runEntry(run: (parts: EntryParts) => Promise<void>): Promise<never> {
  const stop = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve())
    process.stdin.once('end', () => resolve())
    process.stdin.resume()
  })
  try {
    await run({ stop, onReady: () => void writeSync(3, '{"ready":true}\n') })
  } catch (error) {
    process.stderr.write(`${inspect(error)}\n`)
    process.exit(1)
  }
  process.exit(0)
}
