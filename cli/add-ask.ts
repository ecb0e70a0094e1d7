// What may be typed after `bulkhead ask`.

import type { Command } from 'commander'
import { type LimitWords, withLimits } from './limit-options.ts'
import { type PlannerChoice, plannerOption } from './planner-option.ts'
import { priorityOption, toPriority } from './priority-option.ts'
import type { Common, Wiring } from './wiring.ts'

interface AskWords extends LimitWords {
  readonly yes?: boolean
  readonly dryRun?: boolean
  readonly planner?: PlannerChoice
  readonly priority: string
}

export function addAsk(program: Command, { common, examples, perform }: Wiring): void {
  examples(
    withLimits(common(program.command('ask <words...>'))),
    'ask "what is on tomorrow"',
    'ask "what does tomorrow look like, and put it in my notes"',
    'ask "remind me to call Grandma on friday at 17:00" --yes',
    'ask "sum up my week" --planner model --max-usd 0.05 --deadline 10m',
    'ask "how did I sleep and which bills are due" --dry-run',
    'ask "put what my dentist wrote last into a note" --planner model',
  )
    .description('say it in words: the plan is shown, run when you say yes, and answered')
    .option('--yes', 'run it without showing it; what a step is asked about is asked all the same')
    .option('--dry-run', 'show what would run')
    .addOption(plannerOption())
    .addOption(priorityOption())
    .action((words: readonly string[], options: Common & AskWords) =>
      perform(options, async (output, state) => {
        const { findDeployment, openSession } = await import('./session.ts')
        const { readKnownNames } = await import('./names.ts')
        const { readPolicy } = await import('./policy.ts')
        const { zoneOf } = await import('./zone.ts')
        const { personAt } = await import('./inline-questions.ts')
        const { askCommand } = await import('./commands/ask.ts')
        const { readLimits } = await import('./read-limits.ts')
        const { decide } = await readPolicy(state)
        const zone = zoneOf(state)
        return askCommand(() => openSession(state), output, words.join(' '), {
          yes: options.yes === true,
          dryRun: options.dryRun === true,
          priority: toPriority(options.priority),
          names: readKnownNames(state),
          decide,
          limits: readLimits(options, { now: Date.now(), zone }),
          zone,
          person: personAt(output),
          planner: options.planner,
          models: findDeployment(state)?.planner ?? [],
        })
      }),
    )
}
