// What may be typed after `bulkhead agent`, for those who write agents, and `bulkhead init`. None of it
// needs a platform.

import { type Command, InvalidArgumentError } from 'commander'
import type { Common, Wiring } from './wiring.ts'

/** @param most bounds what one check costs */
function toWhole(most: number): (text: string) => number {
  return (text) => {
    if (/^\d{1,9}$/.test(text) && Number(text) <= most) return Number(text)
    throw new InvalidArgumentError(`a whole number up to ${most} is wanted`)
  }
}

export function addAgent(program: Command, { common, examples, perform }: Wiring): void {
  const agent = program.command('agent').description('write an agent, and check one')
  examples(
    common(agent.command('check [names...]')),
    'agent check --all',
    'agent check calendar notes',
    'agent check ./agents/mine   (the folder of an agent that is not in the catalogue)',
  )
    .description('contract tests of agents: schemas, idempotency, dry runs, undo, egress, sandbox')
    .option('--all', 'every agent of the catalogue')
    .option('--seed <n>', 'draw other arguments', toWhole(999_999_999), 1)
    .option('--draws <n>', 'arguments drawn for each action', toWhole(10_000), 40)
    .action((names: string[], options: Common & { all?: boolean; seed: number; draws: number }) =>
      perform(options, async (output) =>
        (await import('./commands/agent-check.ts')).agentCheckCommand(output, names, {
          all: options.all === true,
          seed: options.seed,
          draws: options.draws,
        }),
      ),
    )
  examples(common(agent.command('new <name>')), 'agent new plants')
    .description('the files of a new agent that passes its check, to be changed')
    .action((name: string, options: Common) =>
      perform(options, async (output) =>
        (await import('./commands/agent-new.ts')).agentNewCommand(output, name),
      ),
    )
  examples(common(agent.command('docs')), 'agent docs', 'agent docs --check')
    .description('write docs/agents.md from the manifests')
    .option('--check', 'only say whether it is current')
    .action((options: Common & { check?: boolean }) =>
      perform(options, async (output) =>
        (await import('./commands/agent-docs.ts')).agentDocsCommand(output, options.check === true),
      ),
    )
  examples(common(program.command('init')), 'init', 'init --config ~/bulkhead.yaml')
    .description('write a first bulkhead.yaml for your own sources; replaces nothing')
    .option('--config <file>', 'the file to write', 'bulkhead.yaml')
    .action((options: Common & { config: string }) =>
      perform(options, async (output) => {
        const { personAt } = await import('./inline-questions.ts')
        const { initCommand } = await import('./commands/init.ts')
        return initCommand(output, { config: options.config, ask: personAt(output) })
      }),
    )
}
