// Runs that were asked for in words, as kept-scenarios.ts keeps others: proposed once and twice, waiting for
// a person in between, answered with a question, and given up.

import type { KeptRun } from './kept-scenarios.ts'
import { asksPlan, scriptedStep, write } from './scripted-activities.ts'
import { askedBack, proposal, refusedFor } from './scripted-words.ts'

const steps = [scriptedStep('read'), scriptedStep('keep', { ...write, needs: ['read'] })]

/** Since a request may be in words. */
export const wordRuns: readonly KeptRun[] = [
  {
    name: 'request-7-words-proposed',
    steps,
    words: { proposed: [proposal('one')], compiled: ['plan'] },
  },
  {
    name: 'request-7-words-twice',
    steps,
    words: {
      proposed: [proposal('one'), proposal('two')],
      compiled: [refusedFor('UNKNOWN_ACTION'), asksPlan('aprwords'), 'plan'],
    },
    meanwhile: async ({ client, requestId, asked }) => {
      await asked('aprwords')
      await client.approve(requestId, { approvals: ['aprwords'] })
    },
  },
  {
    name: 'request-7-words-question',
    steps,
    words: { proposed: [proposal('one'), askedBack], compiled: [refusedFor('LIMIT')] },
  },
  {
    name: 'request-7-words-denied',
    steps,
    words: {
      proposed: [proposal('one'), proposal('two')],
      compiled: [refusedFor('LIMIT'), refusedFor('FLOW_R2')],
    },
  },
]
