// Asks the policy again for one effect of an admitted plan, as it stands today. The rules are plan's;
// this file only puts the question, and refuses what no rule may allow before approvals exist.

import type { NotaryContext, Refusal } from './context.ts'
import type { Located } from './locate.ts'

/** Name of the rule set, as tokens and audit rows carry it. */
export const policyName = 'builtin-1'

/** Why the effect is forbidden, or undefined when a rule allows it. */
export function decidePolicy(
  { decide }: Pick<NotaryContext, 'decide'>,
  { step, actionName, action, address }: Located,
): Refusal | undefined {
  const { effect, audience, egress = [] } = action
  // A probe is asked of the policy as the read that it is.
  const kind: 'do' | 'undo' = address.kind === 'undo' ? 'undo' : 'do'
  const hasUndo = address.kind === 'do' && step.undo !== null
  const question = {
    agent: step.agent,
    action: actionName,
    effect,
    audience,
    egress,
    hasUndo,
    kind,
  }
  const decision = decide(question)
  const message = 'no rule allows this action'
  if (!decision.allow) {
    return { code: 'POLICY', message, rules: decision.rules, missing: decision.missing }
  }
  // The minter would refuse to sign it: a token for what cannot be undone names an approval.
  if (effect === 'irreversible') {
    return { code: 'POLICY', message, rules: decision.rules, missing: 'an approval by a person' }
  }
  return undefined
}
