// What may be typed after `bulkhead policy`.

import type { Command } from 'commander'
import type { Common, Wiring } from './wiring.ts'

export function addPolicy(program: Command, { common, examples, perform }: Wiring): void {
  const policy = program.command('policy').description('the rules: what they said, and new ones')
  examples(common(policy.command('check <folder>')), 'policy check rules')
    .description("whether a household's rules can be put in force")
    .action((folder: string, options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/policy.ts')).policyCheckCommand(output, state, folder),
      ),
    )
  examples(common(policy.command('test [folder]')), 'policy test', 'policy test rules --json')
    .description("the tests of the default rules, and of a household's")
    .action((folder: string | undefined, options: Common) =>
      perform(options, async (output) =>
        (await import('./commands/policy.ts')).policyTestCommand(output, folder),
      ),
    )
  examples(common(policy.command('explain <request> <step>')), 'policy explain <request id> <step>')
    .description('why a step of a run was allowed, asked about or refused')
    .action((run: string, step: string, options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/policy.ts')).policyExplainCommand(output, state, { run, step }),
      ),
    )
  examples(
    common(policy.command('simulate <folder>')),
    'policy simulate rules --since 7d',
    'policy simulate rules --since 2026-01-31 --json',
  )
    .description('what would have been decided otherwise with these rules in force')
    .option('--since <time>', 'from a date on, or of the last 15m, 2h, 7d', '7d')
    .action((folder: string, options: Common & { readonly since: string }) =>
      perform(options, async (output, state) =>
        (await import('./commands/policy.ts')).policySimulateCommand(output, state, {
          folder,
          since: options.since,
        }),
      ),
    )
  examples(common(policy.command('budget')), 'policy budget', 'policy budget --json')
    .description('what your effects have come to in a day and a month, and what they may')
    .action((options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/budget.ts')).policyBudgetCommand(output, state),
      ),
    )
  examples(common(policy.command('reload')), 'policy reload')
    .description('have the running platform read policy: of its configuration again')
    .action((options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/policy.ts')).policyReloadCommand(output, state),
      ),
    )
}
