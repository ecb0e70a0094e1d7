// `bulkhead ask` where no recipe fits and a model is set up as planner: the words are registered as they are,
// the run asks the model, and what it proposes waits for a yes before anything of it begins. `--yes` gives
// that one yes; what a rule asks about, or the model made up, is asked all the same.

import type { Planned } from '../../planner/rules/contract.ts'
import { fitsNoRecipe } from '../../planner/rules/fits-no-recipe.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import type { Output } from '../output.ts'
import type { PlannerChoice } from '../planner-option.ts'
import { runLines } from '../run-view.ts'
import type { Session } from '../session.ts'
import { shellWord } from '../shell-word.ts'
import type { AskOptions } from './ask.ts'
import { detachable, drawRequestId, performRun } from './run.ts'

export interface ModelOptions {
  /** Who makes the plan; undefined: the rules, and models where these do not understand. */
  readonly planner: PlannerChoice | undefined
  /** `provider/model`, as set up; empty: none. */
  readonly models: readonly string[]
}

/** Whether a model is asked, given what the rules make of the words. @throws CommandError */
export function goesToModel(planned: Planned, { planner, models }: ModelOptions): boolean {
  if (planner === 'model' && models.length === 0) {
    throw new CommandError('no model is set up as planner', {
      exitCode: exitCodes.usage,
      next: 'name one under planner: in bulkhead.yaml, then npx bulkhead up',
    })
  }
  if (planner === 'model') return true
  return planner !== 'rules' && models.length > 0 && fitsNoRecipe(planned)
}

/** Who is asked; and why, where it is not only because somebody wants a model. */
export function askedLine(planned: Planned, models: ModelOptions['models']): string {
  const why = fitsNoRecipe(planned) ? 'no recipe fits: ' : ''
  return `${why}${models.join(', then ')} is asked for a plan`
}

/** @throws CommandError */
export async function askModel(
  open: () => Promise<Session>,
  output: Output,
  { words, planned }: { readonly words: string; readonly planned: Planned },
  { models, dryRun, yes, person, priority, limits }: Omit<AskOptions, 'names' | 'decide' | 'zone'>,
): Promise<ExitCode> {
  if (dryRun) {
    throw new CommandError('what a model proposes is not known before it is asked', {
      exitCode: exitCodes.usage,
      next: `npx bulkhead ask ${shellWord(words)}   shows the plan before it runs`,
    })
  }
  output.talk(askedLine(planned, models))
  const session = await open()
  try {
    const requestId = drawRequestId('ask', new Date())
    const run = { kind: 'text', name: 'ask', source: words } as const
    // Nobody is there to say yes: the question stays, and says which command answers it.
    const leaves = !yes && person === undefined
    const { document, exitCode } = await detachable(requestId, output, () =>
      performRun(session, run, output, {
        ...{ inputs: {}, requestId, priority, limits, yes, leaves },
      }),
    )
    output.data(document, () => runLines(document))
    return exitCode
  } finally {
    await session.close()
  }
}
