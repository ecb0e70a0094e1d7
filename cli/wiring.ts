// What every `add-*.ts` gets from main.ts to put its commands under `bulkhead`.

import type { Command } from 'commander'
import type { ExitCode } from './exit-codes.ts'
import type { Output } from './output.ts'

/** Options that every command takes. */
export interface Common {
  readonly state?: string
  readonly json?: boolean
}

export interface Wiring {
  readonly common: (command: Command) => Command
  readonly examples: (command: Command, ...lines: readonly string[]) => Command
  readonly perform: (
    options: Common,
    act: (output: Output, state: string) => Promise<ExitCode>,
  ) => Promise<void>
}
