// What a person may type to decide on a run that cannot go on by itself, besides `runs cancel`.

import { type Command, Option } from 'commander'
import { CommandError, exitCodes } from './exit-codes.ts'
import type { Common, Wiring } from './wiring.ts'

interface ResolveOptions {
  readonly happened?: boolean
  readonly didNot?: boolean
  readonly undo?: boolean
}

export function addDecisions(program: Command, { common, examples, perform }: Wiring): void {
  const runs = program.commands.find((command) => command.name() === 'runs') ?? program
  examples(
    common(runs.command('retry <request> [step]')),
    'runs retry <request id>',
    'runs retry <request id> <step>   (and what was built on it)',
  )
    .description('run a failed step of a held run again (default: all of them)')
    .action((requestId: string, step: string | undefined, options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/decide.ts')).runsRetryCommand(output, state, { requestId, step }),
      ),
    )
  examples(
    common(runs.command('resolve <request> <step>')),
    'runs resolve <request id> <step> --happened',
    'runs resolve <request id> <step> --did-not',
    'runs resolve <request id> <step>:<iteration> --happened   (of a loop)',
  )
    .description('say whether a step of unknown outcome happened, after you looked')
    .addOption(new Option('--happened', 'it did; nobody has its result').conflicts('didNot'))
    .option('--did-not', 'it did not')
    .option('--undo', 'the undo of the step is meant')
    .action((requestId: string, step: string, options: Common & ResolveOptions) =>
      perform(options, async (output, state) => {
        const { happened = false, didNot = false, undo = false } = options
        if (happened === didNot) {
          throw new CommandError('say which: --happened or --did-not', {
            exitCode: exitCodes.usage,
            next: `npx bulkhead runs resolve ${requestId} ${step} --happened`,
          })
        }
        const commands = await import('./commands/decide.ts')
        return commands.runsResolveCommand(output, state, { requestId, step, happened, undo })
      }),
    )
  examples(common(runs.command('give-up <request>')), 'runs give-up <request id>')
    .description('end a held run; what it did is undone')
    .action((requestId: string, options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/decide.ts')).runsGiveUpCommand(output, state, requestId),
      ),
    )
}
