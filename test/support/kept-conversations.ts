// Conversations whose histories are kept, as kept-scenarios.ts keeps runs: a person's assistant from its
// first word on, and runs for which models were asked.

import type { RunClient } from '../../temporal/client.ts'
import { assistantWorkflowId } from '../../workflows/assistant-contract.ts'
import type { KeptRun } from './kept-scenarios.ts'
import { scriptedStep } from './scripted-activities.ts'
import { proposal, refusedFor } from './scripted-words.ts'

const ask = (requestId: string, round: 1 | 2) => {
  const candidates = [0, 1].map((model) => ({
    ...{ model, label: `local/kept-${model}`, requestId: `${requestId}:propose-${round}-${model}` },
  }))
  return { status: 'CONSULT', candidates } as const
}

/** The first model is refused, the second one's first plan as well; each asking is a run of its own. */
const consulted = (name: string): KeptRun => {
  let compiled = 0
  return {
    name,
    steps: [scriptedStep('propose')],
    words: {
      proposed: [ask(name, 1), proposal('one'), ask(name, 2), proposal('two')],
      compiled: [refusedFor('UNKNOWN_ACTION'), 'plan'],
    },
    plan: () => {
      compiled += 1
      return compiled === 1 ? { status: 'DENIED', code: 'POLICY' } : undefined
    },
  }
}

/** Since models may be asked for a plan. */
export const consultedRuns: readonly KeptRun[] = [
  consulted('request-8-consulted'),
  { ...consulted('request-8-consultation'), child: 'request-8-consultation:propose-1-1' },
]

const account = 'cli-kept'
export const keptAssistantId = assistantWorkflowId(account)

/** Agreed to, begun twice, dropped, asked back, and begun anew; it never ends. */
export async function converse(client: RunClient): Promise<void> {
  const assistant = client.assistant(account)
  const ref = (of: string) => Buffer.from(of).toString('hex').padEnd(64, '0').slice(0, 64)
  const say = (turnId: string) => assistant.say({ turnId, saidRef: ref(turnId) })
  const answer = (turnId: string, status: 'asked' | 'planned') =>
    assistant.answer({ turnId, status, answerRef: ref(`${turnId} answered`) })
  await say('kept-turn-1')
  await answer('kept-turn-1', 'planned')
  await assistant.accept({ turnId: 'kept-turn-1' })
  const request = { requestId: 'kept-turn-1', requestRef: ref('request') }
  const begin = { request, priority: 'HIGH', recipe: 'one-day' } as const
  for (const _ of ['first', 'again']) await assistant.begin(begin)
  await client.result('kept-turn-1')
  await say('kept-turn-2')
  await answer('kept-turn-2', 'planned')
  await assistant.answer({ turnId: 'kept-turn-2', status: 'dropped' })
  await say('kept-turn-3')
  await answer('kept-turn-3', 'asked')
  await assistant.say({ turnId: 'kept-turn-4', saidRef: ref('kept-turn-4'), anew: true })
}
