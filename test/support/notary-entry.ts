// A notary as notary/main.ts starts it, with what a test has otherwise. The test's own entry is a file of
// its own that calls this, started by a supervisor in place of the real one.

import { pino } from 'pino'
import type { NotaryConfig } from '../../notary/config.ts'
import { type NotaryProcess, runNotary } from '../../notary/run-notary.ts'
import { runEntry } from './party-entry.ts'

type Different = Pick<NotaryProcess, 'catalogue'> &
  Partial<Pick<NotaryProcess, 'onReload' | 'onPoint'>>

/** Leaves the process, as `runEntry` does. Without `onReload` it never reads its configuration again. */
export function runNotaryEntry(config: NotaryConfig, different: Different): Promise<never> {
  return runEntry((parts) =>
    runNotary(config, {
      ...parts,
      log: pino({ name: 'notary' }),
      onReload: () => undefined,
      ...different,
    }),
  )
}
