// What may be typed after `bulkhead schedule`. Times are read in commands/schedule.ts.

import { type Command, Option } from 'commander'
import type { AddOptions } from './commands/schedule-add.ts'
import { toCount } from './count-option.ts'
import { priorityOption } from './priority-option.ts'
import type { Common, Wiring } from './wiring.ts'

const collect = (value: string, before: readonly string[]) => [...before, value]

export function addSchedules(program: Command, wiring: Wiring): void {
  const schedule = program
    .command('schedule')
    .description('run a recipe or a plan at certain times, and see what became of each')
  addAdding(schedule, wiring)
  addReading(schedule, wiring)
  addChanging(schedule, wiring)
  addAsking(schedule, wiring)
}

function addAdding(schedule: Command, { common, examples, perform }: Wiring): void {
  const overlaps = ['skip', 'buffer-one', 'allow']
  examples(
    common(schedule.command('add <recipe|plan.yaml>')),
    'schedule add evening-review',
    'schedule add morning-briefing --id briefing --at 07:00 --days mon-fri --zone Europe/Vienna',
    'schedule add my-plan.yaml --id tidy --cron "30 2 * * sun" --overlap buffer-one --catch-up 6h',
    'schedule add my-plan.yaml --id poll --every 15m --catch-up 1m --jitter 30s',
  )
    .description('enable it: from now on it runs when it is due; unset: when the recipe suggests')
    .option('--id <name>', 'what the schedule is called; unset: as the recipe or the plan')
    .option('--at <time>', 'a time of day, as 07:00')
    .option('--days <days>', 'with --at: only on these, as mon-fri or sat,sun')
    .option('--cron <line>', 'five fields: minute, hour, day of month, month, day of week')
    .option('--every <time>', 'an interval, as 90s, 15m, 2h or 1d, counted from 1970 in UTC')
    .option('--zone <name>', 'of the times and of "today"; unset: the timezone of bulkhead.yaml')
    .addOption(
      new Option('--overlap <policy>', 'when the one before still runs')
        .choices(overlaps)
        .default('skip'),
    )
    .option('--catch-up <time>', 'how late it may begin, where the machine slept', '1h')
    .option('--jitter <time>', 'begin up to so much later, not all at once', '0s')
    .addOption(priorityOption())
    .option('--note <text>', 'one line for whoever reads the list', '')
    .option('--input <name=value>', 'an input of the recipe, as often as needed', collect, [])
    .action((what: string, options: Common & AddOptions) =>
      perform(options, async (output, state) => {
        const { state: _, json: __, ...adding } = options
        const commands = await import('./commands/schedule-add.ts')
        return commands.scheduleAddCommand(output, state, what, adding)
      }),
    )
}

function addReading(schedule: Command, { common, examples, perform }: Wiring): void {
  examples(common(schedule.command('list')), 'schedule list', 'schedule list --json')
    .description('what is enabled, when it runs next, and the last outcomes')
    .action((options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/schedule.ts')).scheduleListCommand(output, state),
      ),
    )
  examples(common(schedule.command('show <id>')), 'schedule show briefing --limit 50')
    .description('each of the last times it was due: ran, late, skipped, missed, paused, failed')
    .option('--limit <count>', 'at most so many', toCount(200), 20)
    .action((id: string, options: Common & { limit: number }) =>
      perform(options, async (output, state) => {
        const { limit } = options
        const commands = await import('./commands/schedule.ts')
        return commands.scheduleShowCommand(output, state, { id, limit })
      }),
    )
}

function addChanging(schedule: Command, { common, examples, perform }: Wiring): void {
  for (const op of ['pause', 'resume'] as const) {
    examples(common(schedule.command(`${op} <id>`)), `schedule ${op} briefing --note "on holiday"`)
      .description(op === 'pause' ? 'fire it no more until it is resumed' : 'fire it again')
      .option('--note <text>', 'why', '')
      .action((id: string, options: Common & { note: string }) =>
        perform(options, async (output, state) => {
          const { note } = options
          const commands = await import('./commands/schedule.ts')
          return commands.schedulePauseCommand(output, state, { op, id, note })
        }),
      )
  }
  examples(common(schedule.command('remove <id>')), 'schedule remove briefing')
    .description('disable it for good; what ran stays in the record')
    .action((id: string, options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/schedule.ts')).scheduleRemoveCommand(output, state, id),
      ),
    )
}

function addAsking(schedule: Command, { common, examples, perform }: Wiring): void {
  examples(common(schedule.command('trigger <id>')), 'schedule trigger briefing')
    .description('run it now, besides its times')
    .action((id: string, options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/schedule.ts')).scheduleTriggerCommand(output, state, id),
      ),
    )
  examples(
    common(schedule.command('backfill <id>')),
    'schedule backfill briefing --from 2026-03-28 --to 2026-03-30',
    'schedule backfill briefing --from 2026-03-28T05:00:00Z --to 2026-03-28T09:00:00Z',
  )
    .description('run it for each time of the past at which it was due')
    .requiredOption('--from <date|instant>', 'the earlier end')
    .requiredOption('--to <date|instant>', 'the later end')
    .action((id: string, options: Common & { from: string; to: string }) =>
      perform(options, async (output, state) => {
        const { from, to } = options
        const commands = await import('./commands/schedule.ts')
        return commands.scheduleBackfillCommand(output, state, { id, from, to })
      }),
    )
}
