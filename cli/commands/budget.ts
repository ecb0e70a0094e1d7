// `policy budget`: what a person's effects have come to in the last day and month, beside what they may.
// What was used the notary says, to each of themselves; the bounds are those that the platform was last
// given. Decides nothing.

import { settingsSchema } from '../../plan/policy-settings.ts'
import { budgetCells, toBudgetLines } from '../budget-view.ts'
import { CommandError, type ExitCode, exitCodes } from '../exit-codes.ts'
import { type Output, table } from '../output.ts'
import { readPolicyFile } from '../policy.ts'
import { withSession } from '../session.ts'

export async function policyBudgetCommand(output: Output, state: string): Promise<ExitCode> {
  const { data: settings } = settingsSchema.safeParse(readPolicyFile(state).settings)
  if (settings === undefined) {
    throw new CommandError('the policy that the platform left here is of another version', {
      exitCode: exitCodes.failed,
      next: 'npx bulkhead down, then start it again',
    })
  }
  const reply = await withSession(state, (session) => session.query({ what: 'budget' }))
  if (reply.status !== 'BUDGET') {
    throw new CommandError('the notary does not say what was used', {
      exitCode: exitCodes.failed,
      next: 'npx bulkhead status',
    })
  }
  const { budgets } = settings
  const lines = toBudgetLines(reply.spent, budgets)
  const { beyond } = budgets
  output.data({ beyond, lines }, () => [
    ...table(lines.map(budgetCells)),
    beyond === 'ask'
      ? 'beyond a number of effects nothing happens; beyond an amount you are asked'
      : 'beyond any of them nothing happens',
  ])
  return exitCodes.completed
}
