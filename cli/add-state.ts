// What may be typed after `bulkhead state`.

import type { Command } from 'commander'
import type { Common, Wiring } from './wiring.ts'

export function addState(program: Command, { common, examples, perform }: Wiring): void {
  const state = program
    .command('state')
    .description('copies of the audit database, and going back to one')
  examples(common(state.command('backups')), 'state backups', 'state backups --json')
    .description('copies made before a new release changed it, and those put aside; newest first')
    .action((options: Common) =>
      perform(options, async (output, folder) =>
        (await import('./commands/state.ts')).stateBackupsCommand(output, folder),
      ),
    )
  examples(
    common(state.command('restore <copy>')),
    'down && npx bulkhead state restore audit.db.v3-20270115T080000.010Z',
    'state restore audit.db.v3-20270115T080000.010Z --json',
  )
    .description('put a copy back while the platform is down; what it replaces is kept beside it')
    .action((copy: string, options: Common) =>
      perform(options, async (output, folder) =>
        (await import('./commands/state.ts')).stateRestoreCommand(output, folder, copy),
      ),
    )
}
