// The `bulkhead` command: what may be typed, and nothing else. Each command's code is loaded when it
// is asked for, so that `--help` is quick. Exit codes are in exit-codes.ts.

import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { chooseState } from './config.ts'
import { CommandError, type ExitCode, exitCodes } from './exit-codes.ts'
import { createOutput, type Output } from './output.ts'

interface Common {
  readonly state?: string
  readonly json?: boolean
}

function toCount(text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1 || count > 1_000_000) {
    throw new InvalidArgumentError('a whole number from 1 to 1000000 is wanted')
  }
  return count
}

const collect = (value: string, before: readonly string[]) => [...before, value]

/** Wires one action: common options in, exit code out. */
type Act = (output: Output, state: string) => Promise<ExitCode> | ExitCode

async function perform(options: Common, act: Act): Promise<void> {
  const output = createOutput(options.json === true)
  try {
    process.exitCode = await act(output, chooseState(options.state))
  } catch (error) {
    // The client's own error class is not imported here: it would load the whole SDK for --help.
    if (error instanceof Error && error.name === 'RunClientError') {
      output.problem(error.message, 'npx bulkhead runs list')
      process.exitCode = exitCodes.failed
      return
    }
    if (!(error instanceof CommandError)) throw error
    output.problem(error.message, error.next)
    process.exitCode = error.exitCode
  }
}

function common(command: Command): Command {
  return command
    .option('--state <folder>', 'the deployment to use (default: the XDG state folder)')
    .option('--json', 'one JSON document on standard output')
}

function addPlatform(program: Command): void {
  common(program.command('start', { hidden: true }))
    .option('--config <file>', 'bulkhead.yaml (default: the sample home)')
    .option('--once', 'leave after the run')
    .option('--recipe <name>', 'the recipe to run', 'morning-briefing')
    .action((options: Common & { config?: string; once?: boolean; recipe: string }) =>
      perform(options, async (output) =>
        (await import('./commands/up.ts')).startCommand(output, {
          state: options.state,
          config: options.config,
          once: options.once === true,
          recipe: options.recipe,
        }),
      ),
    )
  common(program.command('up'))
    .description('bring the platform up and stay until Ctrl-C')
    .option('--config <file>', 'bulkhead.yaml', 'bulkhead.yaml')
    .action((options: Common & { config: string }) =>
      perform(options, async (output, state) =>
        (await import('./commands/up.ts')).upCommand(output, { state, config: options.config }),
      ),
    )
  common(program.command('down'))
    .description('stop the platform')
    .action((options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/platform.ts')).downCommand(output, state),
      ),
    )
  common(program.command('status'))
    .description('what runs')
    .action((options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/platform.ts')).statusCommand(output, state),
      ),
    )
  common(program.command('doctor'))
    .description('check what the platform needs, and say how to mend it')
    .option('--config <file>', 'bulkhead.yaml to check too')
    .action((options: Common & { config?: string }) =>
      perform(options, async (output, state) =>
        (await import('./commands/platform.ts')).doctorCommand(output, {
          state,
          config: options.config,
        }),
      ),
    )
}

function addPlans(program: Command): void {
  common(program.command('recipes'))
    .description('what can be run by name')
    .action((options: Common) =>
      perform(options, async (output) =>
        (await import('./commands/plan.ts')).recipesCommand(output),
      ),
    )
  common(program.command('run <recipe|plan.yaml>'))
    .description('run a recipe or a plan file and wait for its answer')
    .option('--input <name=value>', 'an input of the recipe, as often as needed', collect, [])
    .option('--dry-run', 'compile and show what would run')
    .option('--request-id <id>', 'resend a request: the same id is the same run')
    .addHelpText('after', '\nExample:\n  bulkhead run morning-briefing --input day=2026-01-31')
    .action(
      (what: string, options: Common & { input: string[]; dryRun?: boolean; requestId?: string }) =>
        perform(options, async (output, state) => {
          const { openSession } = await import('./session.ts')
          return (await import('./commands/run.ts')).runCommand(
            () => openSession(state),
            output,
            what,
            {
              input: options.input,
              dryRun: options.dryRun === true,
              ...(options.requestId === undefined ? {} : { requestId: options.requestId }),
            },
          )
        }),
    )
  const plan = program.command('plan').description('look at a plan without running it')
  for (const name of ['check', 'show'] as const) {
    common(plan.command(`${name} <recipe|plan.yaml>`))
      .description(name === 'check' ? 'what would refuse it, and why' : 'its steps as compiled')
      .option('--input <name=value>', 'an input, as often as needed', collect, [])
      .action((what: string, options: Common & { input: string[] }) =>
        perform(options, async (output) => {
          const commands = await import('./commands/plan.ts')
          const { readInputs } = await import('./request-inputs.ts')
          const command = name === 'check' ? commands.planCheckCommand : commands.planShowCommand
          return command(output, what, readInputs(options.input))
        }),
      )
  }
}

function addRuns(program: Command): void {
  const runs = program.command('runs').description('what ran and what runs')
  common(runs.command('list')).action((options: Common) =>
    perform(options, async (output, state) =>
      (await import('./commands/runs.ts')).runsListCommand(output, state),
    ),
  )
  for (const name of ['show', 'watch'] as const) {
    common(runs.command(`${name} [request]`))
      .description(`${name} a run (default: the newest)`)
      .action((request: string | undefined, options: Common) =>
        perform(options, async (output, state) => {
          const commands = await import('./commands/runs.ts')
          const command = name === 'show' ? commands.runsShowCommand : commands.runsWatchCommand
          return command(output, state, request)
        }),
      )
  }
  common(runs.command('cancel <request>'))
    .description('stop a run; what it did is undone')
    .action((request: string, options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/runs.ts')).runsCancelCommand(output, state, request),
      ),
    )
}

function addAgents(program: Command): void {
  const agents = program.command('agents').description('the agents and what holds them')
  common(agents.command('list')).action((options: Common) =>
    perform(options, async (output, state) =>
      (await import('./commands/platform.ts')).agentsListCommand(output, state),
    ),
  )
  common(agents.command('show <name>')).action((name: string, options: Common) =>
    perform(options, async (output, state) =>
      (await import('./commands/platform.ts')).agentsShowCommand(output, state, name),
    ),
  )
}

function addAudit(program: Command): void {
  const audit = program.command('audit').description('the record of what was decided and done')
  common(audit.command('verify'))
    .description('recompute every hash and check every signature; works with the platform down')
    .action((options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/audit.ts')).auditVerifyCommand(output, state),
      ),
    )
  for (const name of ['tail', 'query'] as const) {
    common(audit.command(name))
      .description(name === 'tail' ? 'the newest rows' : 'the first rows that fit')
      .option('--run <request>', 'rows of one run')
      .option('--kind <kind>', 'rows of one kind')
      .option('--limit <count>', 'at most so many', toCount, 20)
      .action((options: Common & { run?: string; kind?: string; limit: number }) =>
        perform(options, async (output, state) => {
          const commands = await import('./commands/audit.ts')
          const command = name === 'tail' ? commands.auditTailCommand : commands.auditQueryCommand
          return command(output, state, options)
        }),
      )
  }
  common(audit.command('export'))
    .description('every row and checkpoint, one JSON document a line')
    .action((options: Common) =>
      perform({ ...options, json: true }, async (output, state) =>
        (await import('./commands/audit.ts')).auditExportCommand(output, state),
      ),
    )
}

function createProgram(): Command {
  const program = new Command('bulkhead')
    .description('a personal assistant whose parts are not trusted more than they must be')
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      '\nExamples:\n  bulkhead run morning-briefing\n  bulkhead runs show\n  bulkhead audit verify\n\nExit codes: 0 completed, 1 failed, 2 usage, 3 denied, 4 approval needed, 5 outcome unknown, 130 interrupted',
    )
  addPlatform(program)
  addPlans(program)
  addRuns(program)
  addAgents(program)
  addAudit(program)
  return program
}

try {
  await createProgram().parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // Commander has said what is wrong; asking for help is not a mistake.
  process.exitCode = error.exitCode === 0 ? exitCodes.completed : exitCodes.usage
}
