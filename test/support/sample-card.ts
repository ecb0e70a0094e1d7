// A card for tests: one step that cannot be taken back, with values of every kind.

import type { Card } from '../../plan/card.ts'

const digest = 'A'.repeat(43)
export const sampleCard: Card = {
  version: 1,
  deployment: 'notary:abcd1234',
  user: 'user:owner',
  subject: { is: 'step', request: 'weekly-1', step: 'send', iteration: 0, rerun: 0 },
  plan: {
    digest,
    recipe: digest,
    name: 'weekly',
    goal: 'mail me the numbers',
    steps: [
      {
        ...{ id: 'numbers', action: 'sheet.read', effect: 'read', reversible: true },
        ...{ needs: [], when: null, repeats: null },
      },
      {
        ...{ id: 'send', action: 'mail.send', effect: 'irreversible', reversible: false },
        ...{ needs: ['numbers'], when: 'n > 0', repeats: null },
      },
    ],
  },
  asks: [
    {
      step: 'send',
      rules: ['ask.irreversible'],
      args: { to: ['bob@example.org'], subject: 'Numbers', body: 'up', amount: 250 },
      audience: ['addr:bob@example.org'],
      decides: [
        { pointer: '/to/0', from: 'written' },
        { pointer: '/amount', from: 'numbers#/total' },
      ],
    },
  ],
  changes: null,
  createdAt: 1_800_000_000_000,
  expiresAt: 1_800_604_800_000,
}
