// What may be typed after `bulkhead agents`. In a file of its own because main.ts is full; the wiring
// that every command shares comes from there.

import { type Command, InvalidArgumentError } from 'commander'
import type { Common, Wiring } from './wiring.ts'

function toReplica(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('the number of a replica is wanted')
}

export function addAgents(program: Command, { common, examples, perform }: Wiring): void {
  const agents = program.command('agents').description('the agents and what holds them')
  examples(common(agents.command('list')), 'agents list')
    .description('names and states; an agent is started when a step needs it')
    .action((options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/agents.ts')).agentsListCommand(output, state),
      ),
    )
  examples(common(agents.command('show <name>')), 'agents show calendar --json')
    .description('its sandbox, what it can reach, its actions, its use of the machine')
    .action((name: string, options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/agents.ts')).agentsShowCommand(output, state, name),
      ),
    )
  examples(common(agents.command('accept-reach')), 'agents accept-reach')
    .description('accept what agents can reach now, where that is more than was accepted before')
    .action((options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/agents.ts')).agentsAcceptReachCommand(output, state),
      ),
    )
  examples(
    common(agents.command('connect <name>')),
    'agents connect calendar',
    'agents connect notes --set folder=notes',
  )
    .description('the settings of an agent, whether it can work with them, and the lines to add')
    .option('--config <file>', 'bulkhead.yaml', 'bulkhead.yaml')
    .option(
      '--set <setting=value>',
      'in place of what the file says, as often as needed',
      (value: string, before: readonly string[]) => [...before, value],
      [],
    )
    .action((agent: string, options: Common & { config: string; set: string[] }) =>
      perform(options, async (output, state) =>
        (await import('./commands/agents-connect.ts')).agentsConnectCommand(output, agent, {
          ...options,
          state,
        }),
      ),
    )
  for (const name of ['quarantine', 'restore'] as const) {
    examples(
      common(agents.command(`${name} <name>`)),
      ...(name === 'quarantine'
        ? [
            'agents quarantine notes --reason "wrote at night"',
            'agents quarantine notes --replica 0',
          ]
        : ['agents restore notes', 'agents restore notes --reason "keys rotated"']),
    )
      .description(
        name === 'quarantine'
          ? 'stop it at once, shut it out of the bus, and authorise nothing for it until it is restored'
          : 'let it run again, and say what to look at first',
      )
      .option('--replica <n>', 'one replica (default: all of them)', toReplica)
      .option('--reason <text>', 'why; one line, kept in the audit for good', '')
      .action((agent: string, options: Common & { replica?: number; reason: string }) =>
        perform(options, async (output, state) => {
          const commands = await import('./commands/agents.ts')
          const command =
            name === 'quarantine' ? commands.agentsQuarantineCommand : commands.agentsRestoreCommand
          return command(output, state, agent, { replica: options.replica, reason: options.reason })
        }),
      )
  }
}
