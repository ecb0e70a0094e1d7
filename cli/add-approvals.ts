// What may be typed about questions that a person is asked: `approvals`, `approve`, `deny`, `grants`.

import type { Command } from 'commander'
import type { AlwaysWords } from './approval-words.ts'
import { toCount } from './count-option.ts'
import type { Common, Wiring } from './wiring.ts'

export function addApprovals(program: Command, wiring: Wiring): void {
  addReading(program, wiring)
  addDeciding(program, wiring)
  addGrants(program, wiring)
}

function addReading(program: Command, { common, examples, perform }: Wiring): void {
  const approvals = examples(
    common(program.command('approvals')),
    'approvals',
    'approvals show <id>',
    'approvals verify approval.json --key approver.jwk.json',
  )
    .description('what you are asked before it is done')
    .option('--all', 'also what is decided, expired or used')
    .action((options: Common & { all?: boolean }) =>
      perform(options, async (output, state) => {
        const commands = await import('./commands/approvals.ts')
        return commands.approvalsListCommand(output, state, options.all === true)
      }),
    )
  examples(
    common(approvals.command('show <id>')),
    'approvals show akq5x',
    'approvals show akq5x --json > approval.json',
  )
    .description('the card: what would be done, to whom, with what, and where that comes from')
    .option('--full', 'every value to its end')
    .action((id: string, _: unknown, command: Command) => {
      const options: Common & { full?: boolean } = command.optsWithGlobals()
      return perform(options, async (output, state) => {
        const commands = await import('./commands/approvals.ts')
        return commands.approvalsShowCommand(output, state, { id, full: options.full === true })
      })
    })
  examples(
    common(approvals.command('verify <file>')),
    'approvals verify approval.json',
    'approvals verify approval.json --key approver.jwk.json   (anywhere)',
  )
    .description('check a kept approval without the platform: who decided what')
    .option('--key <file>', "the approver's public key (default: this deployment's)")
    .action((file: string, _: unknown, command: Command) => {
      const options: Common & { key?: string } = command.optsWithGlobals()
      return perform(options, async (output, state) => {
        const commands = await import('./commands/approvals.ts')
        return commands.approvalsVerifyCommand(output, state, { file, key: options.key })
      })
    })
  examples(common(approvals.command('count')), 'approvals count --weeks 12')
    .description('how often you were asked each week, and which grants saved no question')
    .option('--weeks <count>', 'so many of the last weeks', toCount(52), 4)
    .action((_: unknown, command: Command) => {
      const options: Common & { weeks: number } = command.optsWithGlobals()
      return perform(options, async (output, state) => {
        const commands = await import('./commands/approvals.ts')
        return commands.approvalsCountCommand(output, state, options.weeks)
      })
    })
}

function addDeciding(program: Command, { common, examples, perform }: Wiring): void {
  examples(
    common(program.command('approve <id>')),
    'approve akq5x',
    'approve akq5x --always --per week --count 5 --until 90d',
  )
    .description('let it be done as its card says; signed with your key')
    .option('--always', 'also the same thing later, as often as is said here')
    .option('--per <period>', 'with --always: day, week or month')
    .option('--count <times>', 'with --always: so often in each', toCount(1_000))
    .option('--until <time>', 'with --always: a date, or a span as 90d')
    .action((id: string, options: Common & AlwaysWords) =>
      perform(options, async (output, state) => {
        const commands = await import('./commands/approvals.ts')
        const given = { id, decision: 'approve', always: options } as const
        return commands.approveCommand(output, state, given)
      }),
    )
  examples(common(program.command('deny <id>')), 'deny akq5x')
    .description('it is not done')
    .action((id: string, options: Common) =>
      perform(options, async (output, state) => {
        const commands = await import('./commands/approvals.ts')
        return commands.approveCommand(output, state, { id, decision: 'deny', always: {} })
      }),
    )
}

function addGrants(program: Command, { common, examples, perform }: Wiring): void {
  const grants = examples(common(program.command('grants')), 'grants', 'grants revoke <id>')
    .description('what you said "always" to, how often it was used, and until when it holds')
    .action((options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/approvals.ts')).grantsCommand(output, state),
      ),
    )
  examples(common(grants.command('revoke <id>')), 'grants revoke gk3ub')
    .description('be asked again from now on')
    .action((id: string, _: unknown, command: Command) => {
      const options: Common = command.optsWithGlobals()
      return perform(options, async (output, state) =>
        (await import('./commands/approvals.ts')).grantsRevokeCommand(output, state, id),
      )
    })
}
