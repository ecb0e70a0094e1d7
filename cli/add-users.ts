// What may be typed after `bulkhead users`. The wiring that every command shares comes from main.ts.

import type { Command } from 'commander'
import type { Common, Wiring } from './wiring.ts'

export function addUsers(program: Command, { common, examples, perform }: Wiring): void {
  const users = program.command('users').description('the people of the household')
  examples(common(users.command('list')), 'users list', 'users list --json')
    .description('who there is, and what bulkhead.yaml lets them do for each other')
    .action((options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/users.ts')).usersListCommand(output, state),
      ),
    )
  examples(common(users.command('add <id>')), 'users add anna')
    .description('enrol a person: keys of their own, in a folder to give to them')
    .action((id: string, options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/users.ts')).usersAddCommand(output, state, id),
      ),
    )
  examples(common(users.command('remove <id>')), 'users remove anna')
    .description('end what a person may do, at once; what they asked stays in the record')
    .action((id: string, options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/users.ts')).usersRemoveCommand(output, state, id),
      ),
    )
}
