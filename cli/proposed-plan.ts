// The plan that a model proposed, as the person is asked about it: what `--yes` says yes to beforehand, and
// what it does not.

import type { Card } from '../plan/card.ts'

/** As notary/ask-proposed.ts calls it. */
const proposedRule = 'ask.proposed'

/**
 * True where the question is only whether the proposed plan may run. What a rule of the policy asks about it,
 * and what the model made up (R9), stays a question whatever was said beforehand.
 */
export function isProposalAlone({ subject, asks }: Pick<Card, 'subject' | 'asks'>): boolean {
  return subject.is === 'plan' && asks.every(({ rules }) => rules.join() === proposedRule)
}
