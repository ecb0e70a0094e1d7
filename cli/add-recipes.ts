// What may be typed after `bulkhead recipes`. Alone it is `recipes list`.

import type { Command } from 'commander'
import type { Common, Wiring } from './wiring.ts'

export function addRecipes(program: Command, { common, examples, perform }: Wiring): void {
  const recipes = examples(
    program.command('recipes').description('what can be run by name'),
    'recipes',
    'recipes --json',
    'recipes show morning-briefing',
  )
  examples(common(recipes.command('list', { isDefault: true })), 'recipes', 'recipes list --json')
    .description('what can be run by name, and whether what it needs is set up (the default)')
    .action((options: Common) =>
      perform(options, async (output, state) =>
        (await import('./commands/recipes.ts')).recipesListCommand(output, state),
      ),
    )
  examples(
    common(recipes.command('show <name>')),
    'recipes show screen-time-limits',
    'recipes show morning-briefing --json',
  )
    .description('one of them: its phrases, inputs and steps, and what a person is asked about')
    .action((name: string, options: Common) =>
      perform(options, async (output, state) => {
        const { readKnownNames } = await import('./names.ts')
        const { readPolicy } = await import('./policy.ts')
        const { recipesShowCommand } = await import('./commands/recipes.ts')
        const { decide } = await readPolicy(state)
        return recipesShowCommand(output, state, { name, names: readKnownNames(state), decide })
      }),
    )
}
