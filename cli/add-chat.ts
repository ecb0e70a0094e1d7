// What may be typed after `bulkhead chat`.

import type { Command } from 'commander'
import { type PlannerChoice, plannerOption } from './planner-option.ts'
import { priorityOption, toPriority } from './priority-option.ts'
import type { Common, Wiring } from './wiring.ts'

interface ChatWords {
  readonly yes?: boolean
  readonly new?: boolean
  readonly planner?: PlannerChoice
  readonly priority: string
}

export function addChat(program: Command, { common, examples, perform }: Wiring): void {
  const chat = examples(
    common(program.command('chat')),
    'chat',
    'chat --new',
    'chat --json < words.txt',
    'chat show',
  )
    .description(
      'a conversation: what you say goes on from what you said before, and outlives crashes',
    )
    .option('--yes', 'run without showing it; what a step is asked about is asked all the same')
    .option('--new', 'refer to nothing that was said before')
    .addOption(plannerOption())
    .addOption(priorityOption())
    .action((options: Common & ChatWords) =>
      perform(options, async (output, state) => {
        const { findDeployment, openSession } = await import('./session.ts')
        const { readKnownNames } = await import('./names.ts')
        const { readPolicy } = await import('./policy.ts')
        const { zoneOf } = await import('./zone.ts')
        const { personAt } = await import('./inline-questions.ts')
        const { pipedLines, terminalLines } = await import('./chat/input.ts')
        const { chatCommand } = await import('./commands/chat.ts')
        const { decide } = await readPolicy(state)
        const person = personAt(output)
        return chatCommand(() => openSession(state), output, {
          yes: options.yes === true,
          anew: options.new === true,
          priority: toPriority(options.priority),
          names: readKnownNames(state),
          decide,
          zone: zoneOf(state),
          planner: options.planner,
          models: findDeployment(state)?.planner ?? [],
          lines: person === undefined ? pipedLines(process.stdin) : terminalLines(person),
        })
      }),
    )
  examples(common(chat.command('show')), 'chat show', 'chat show --json')
    .description('what was said, what it was taken for, and what became of it')
    .action((_: Common, command: Command) =>
      perform(command.optsWithGlobals<Common>(), async (output, state) => {
        const { withSession } = await import('./session.ts')
        const { chatShowCommand } = await import('./commands/chat.ts')
        return withSession(state, (session) => chatShowCommand(session, output))
      }),
    )
}
