// What `--yes` says yes to before a plan is proposed: to the plan, and to nothing that is asked about it.

import { expect, it } from 'vitest'
import { isProposalAlone } from '../../cli/proposed-plan.ts'
import { proposedRule } from '../../notary/ask-proposed.ts'
import type { Card } from '../../plan/card.ts'

const plan: Card['subject'] = { is: 'plan', request: 'r-1' }
const step: Card['subject'] = { is: 'step', request: 'r-1', step: 's', iteration: 0, rerun: 0 }

it.each<[boolean, string, Card['subject'], readonly (readonly string[])[]]>([
  [true, 'a plan', plan, [[proposedRule], [proposedRule]]],
  [false, 'a plan of which the policy asks', plan, [[proposedRule], [proposedRule, 'ask.x']]],
  [false, 'a plan with what the model made up', plan, [[proposedRule, 'FLOW_R9']]],
  [false, 'a plan that a rule asks about alone', plan, [['ask.irreversible']]],
  [false, 'a step', step, [[proposedRule]]],
])('%s for %s', (wanted, _, subject, rules) => {
  const asks = rules.map((one) => ({
    ...{ step: 's', rules: one, args: {}, audience: 'PUBLIC' as const, decides: [] },
  }))
  expect(isProposalAlone({ subject, asks })).toBe(wanted)
})
