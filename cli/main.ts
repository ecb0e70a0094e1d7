// The `bulkhead` command: what may be typed, and nothing else. Each command's code is loaded when it
// is asked for, so that `--help` is quick. Exit codes are in exit-codes.ts.

import { Command, CommanderError } from 'commander'
import { addAgent } from './add-agent.ts'
import { addAgents } from './add-agents.ts'
import { addApprovals } from './add-approvals.ts'
import { addAsk } from './add-ask.ts'
import { addAuditReport } from './add-audit-report.ts'
import { addChat } from './add-chat.ts'
import { addDecisions } from './add-decisions.ts'
import { addFind } from './add-find.ts'
import { addKeys } from './add-keys.ts'
import { addMemory } from './add-memory.ts'
import { addPolicy } from './add-policy.ts'
import { addRecipes } from './add-recipes.ts'
import { addSchedules } from './add-schedules.ts'
import { addState } from './add-state.ts'
import { addUsers } from './add-users.ts'
import { chooseState, terminalOf } from './config.ts'
import { toCount } from './count-option.ts'
import { CommandError, type ExitCode, exitCodes } from './exit-codes.ts'
import { type LimitWords, withLimits } from './limit-options.ts'
import { createOutput, flushOutput, type Output, type OutputFormat } from './output.ts'
import { priorityOption, toPriority } from './priority-option.ts'
import type { Common as Shared } from './wiring.ts'

interface Common extends Shared {
  readonly jsonl?: boolean
}

const collect = (value: string, before: readonly string[]) => [...before, value]

/** Wires one action: common options in, exit code out. */
type Act = (output: Output, state: string) => Promise<ExitCode> | ExitCode

function formatOf({ json, jsonl }: Common): OutputFormat {
  if (jsonl === true) return 'jsonl'
  return json === true ? 'json' : 'text'
}

async function perform(options: Common, act: Act): Promise<void> {
  const output = createOutput(formatOf(options), terminalOf(process.stdout))
  try {
    process.exitCode = await act(output, chooseState(options.state))
  } catch (error) {
    // The client's own error class is not imported here: it would load the whole SDK for --help.
    if (error instanceof Error && error.name === 'RunClientError') {
      const isUnreachable = 'code' in error && error.code === 'UNREACHABLE'
      output.problem(error.message, `npx bulkhead ${isUnreachable ? 'status' : 'runs list'}`)
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

/** Commands to copy, below the options. */
function examples(command: Command, ...lines: readonly string[]): Command {
  const text = lines.map((line) => `\n  npx bulkhead ${line}`).join('')
  return command.addHelpText('after', `\nExamples:${text}`)
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
  examples(common(program.command('up')), 'up --config ~/bulkhead.yaml', 'up --state ~/trial')
    .description('bring the platform up and stay until Ctrl-C')
    .option('--config <file>', 'bulkhead.yaml', 'bulkhead.yaml')
    .action((options: Common & { config: string }) =>
      perform(options, async (output, state) =>
        (await import('./commands/up.ts')).upCommand(output, { state, config: options.config }),
      ),
    )
  examples(common(program.command('down')), 'down', 'down --state ~/trial')
    .description('stop the platform')
    .action((options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/platform.ts')).downCommand(output, state),
      ),
    )
  examples(common(program.command('status')), 'status', 'status --json')
    .description('what runs; exit code 1 when not everything does')
    .action((options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/platform.ts')).statusCommand(output, state),
      ),
    )
  examples(common(program.command('doctor')), 'doctor', 'doctor --config bulkhead.yaml')
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

interface RunWords extends LimitWords {
  readonly input: string[]
  readonly dryRun?: boolean
  readonly requestId?: string
  readonly priority: string
}

function addPlans(program: Command): void {
  examples(
    withLimits(common(program.command('run <recipe|plan.yaml>'))),
    'run morning-briefing --input day=2026-01-31',
    'run my-plan.yaml --dry-run',
    'run my-plan.yaml --deadline 15m --max-usd 0.05',
    'run morning-briefing --request-id today-1   (again with the same id: the same run)',
  )
    .description('run a recipe or a plan file and wait for its answer')
    .option('--input <name=value>', 'an input of the recipe, as often as needed', collect, [])
    .option('--dry-run', 'compile and show what would run')
    .addOption(priorityOption())
    .option('--request-id <id>', 'resend a request: the same id is the same run')
    .action((what: string, options: Common & RunWords) =>
      perform(options, async (output, state) => {
        const { openSession } = await import('./session.ts')
        const { readKnownNames } = await import('./names.ts')
        const { readPolicy } = await import('./policy.ts')
        const { zoneOf } = await import('./zone.ts')
        const { readLimits } = await import('./read-limits.ts')
        const { decide } = await readPolicy(state)
        const zone = zoneOf(state)
        return (await import('./commands/run.ts')).runCommand(
          () => openSession(state),
          output,
          what,
          {
            input: options.input,
            dryRun: options.dryRun === true,
            names: readKnownNames(state),
            decide,
            priority: toPriority(options.priority),
            zone,
            limits: readLimits(options, { now: Date.now(), zone }),
            ...(options.requestId === undefined ? {} : { requestId: options.requestId }),
          },
        )
      }),
    )
  const plan = program.command('plan').description('look at a plan without running it')
  for (const name of ['check', 'show'] as const) {
    examples(
      common(plan.command(`${name} <recipe|plan.yaml>`)),
      `plan ${name} morning-briefing`,
      `plan ${name} my-plan.yaml --json`,
    )
      .description(name === 'check' ? 'what would refuse it, and why' : 'its steps as compiled')
      .option('--input <name=value>', 'an input, as often as needed', collect, [])
      .action((what: string, options: Common & { input: string[] }) =>
        perform(options, async (output, state) => {
          const commands = await import('./commands/plan.ts')
          const { readInputs } = await import('./request-inputs.ts')
          const { readKnownNames } = await import('./names.ts')
          const { readPolicy } = await import('./policy.ts')
          const { decide } = await readPolicy(state)
          const command = name === 'check' ? commands.planCheckCommand : commands.planShowCommand
          const inputs = readInputs(options.input)
          const { zoneOf } = await import('./zone.ts')
          const zone = zoneOf(state)
          return command(output, what, { inputs, names: readKnownNames(state), decide, zone })
        }),
      )
  }
}

function addRuns(program: Command): void {
  const runs = program.command('runs').description('what ran and what runs')
  examples(common(runs.command('list')), 'runs list', 'runs list --json')
    .description('the newest fifty, the latest first; works with the platform down')
    .action((options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/runs.ts')).runsListCommand(output, state),
      ),
    )
  for (const name of ['show', 'watch'] as const) {
    examples(common(runs.command(`${name} [request]`)), `runs ${name}`, `runs ${name} <request id>`)
      .description(
        name === 'show'
          ? 'steps, answer and proof of a run (default: the newest)'
          : 'follow a run to its end (default: the newest); Ctrl-C leaves it going',
      )
      .action((request: string | undefined, options: Common) =>
        perform(options, async (output, state) => {
          const commands = await import('./commands/runs.ts')
          const command = name === 'show' ? commands.runsShowCommand : commands.runsWatchCommand
          return command(output, state, request)
        }),
      )
  }
  examples(common(runs.command('cancel <request>')), 'runs cancel <request id>')
    .description('stop a run; what it did is undone')
    .action((request: string, options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/runs.ts')).runsCancelCommand(output, state, request),
      ),
    )
}

interface VerifyOptions {
  readonly incremental?: boolean
  readonly file?: string
  readonly key?: string
}

interface RowOptions {
  readonly run?: string
  readonly kind?: string
  readonly agent?: string
  readonly since?: string
  readonly limit: number
}

function addAudit(program: Command): void {
  const audit = program.command('audit').description('the record of what was decided and done')
  examples(
    common(audit.command('verify')),
    'audit verify --json',
    'audit verify --file audit.jsonl --key audit-key.json   (an export, anywhere)',
  )
    .description('recompute every hash and check every signature; works with the platform down')
    .option('--full', 'every row, the default')
    .option('--incremental', 'only the rows since the last verification')
    .option('--file <export>', 'an export instead of the state folder')
    .option('--key <file>', "with --file: the audit's public key")
    .action((options: Common & VerifyOptions) =>
      perform(options, async (output, state) => {
        const commands = await import('./commands/audit.ts')
        return commands.auditVerifyCommand(output, state, options)
      }),
    )
  for (const name of ['tail', 'query'] as const) {
    examples(
      common(audit.command(name)),
      `audit ${name} --run <request id>`,
      `audit ${name} --kind intent --agent notes --since 2h`,
      `audit ${name} --limit 5 --jsonl`,
    )
      .description(name === 'tail' ? 'the newest rows' : 'the first rows that fit')
      .option('--run <request>', 'rows of one run')
      .option('--kind <kind>', 'rows of one kind')
      .option('--agent <name>', 'rows of one agent, or of one replica of it')
      .option('--since <time>', 'rows from a date on, or of the last 90s, 15m, 2h, 7d')
      .option('--limit <count>', 'at most so many', toCount(1_000_000), 20)
      .option('--jsonl', 'one JSON document a line')
      .action((options: Common & RowOptions) =>
        perform(options, async (output, state) => {
          const commands = await import('./commands/audit.ts')
          const command = name === 'tail' ? commands.auditTailCommand : commands.auditQueryCommand
          return command(output, state, options)
        }),
      )
  }
  addAuditReport(audit, { common, examples, perform })
  examples(common(audit.command('export')), 'audit export > audit.jsonl')
    .description('every row and checkpoint, one JSON document a line')
    .action((options: Common) =>
      perform({ ...options, jsonl: true }, async (output, state) =>
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
      '\nExamples:\n  npx bulkhead ask "what is on tomorrow"\n  npx bulkhead run morning-briefing\n  npx bulkhead runs show\n  npx bulkhead audit verify\n  npx bulkhead help run\n\nExit codes: 0 completed, 1 failed, 2 usage, 3 denied, 4 approval needed, 5 outcome unknown, 130 interrupted',
    )
  addPlatform(program)
  addAsk(program, { common, examples, perform })
  addChat(program, { common, examples, perform })
  addRecipes(program, { common, examples, perform })
  addPlans(program)
  addRuns(program)
  addSchedules(program, { common, examples, perform })
  addDecisions(program, { common, examples, perform })
  addApprovals(program, { common, examples, perform })
  addAgents(program, { common, examples, perform })
  addAgent(program, { common, examples, perform })
  addMemory(program, { common, examples, perform })
  addFind(program, { common, examples, perform })
  addAudit(program)
  addKeys(program, { common, examples, perform })
  addPolicy(program, { common, examples, perform })
  addState(program, { common, examples, perform })
  addUsers(program, { common, examples, perform })
  return program
}

// The reader has seen enough (`| head`), or the terminal is gone: neither is an error of ours.
process.stdout.on('error', () => process.exit())
process.stderr.on('error', () => undefined)

try {
  await createProgram().parseAsync()
} catch (error) {
  if (!(error instanceof CommanderError)) throw error
  // Commander has said what is wrong; asking for help is not a mistake.
  process.exitCode = error.exitCode === 0 ? exitCodes.completed : exitCodes.usage
}
await flushOutput()
// Nothing that still waits for a platform that was stopped keeps the command from ending.
process.exit()
