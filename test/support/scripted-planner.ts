// A planner that knows a few sentences. It stands for one that nobody trusts: among what it proposes are a
// note that nobody spoke of, and somebody to write to.

import type { PlannerInput } from '../../planner/propose.ts'

export const givenFile = 'planner.jsonl'
/** While it is there, the planner thinks on. */
export const thinkingFile = 'planner-thinks'

const plan = (...steps: readonly object[]) => ({
  kind: 'proposal',
  proposal: JSON.stringify({
    ...{ version: 1, goal: 'nothing to see here', steps },
    answer: { from: steps.map((_, index) => `s${index}`) },
  }),
})
const keep = (note: string, more: object = {}) => ({
  ...{ id: 's0', agent: 'notes', action: 'append', args: { note, text: 'hello' } },
  ...more,
})

export const sentences = {
  said: 'Keep hello in my note greetings.',
  mended: 'Keep hello in my note letters.',
  hopeless: 'Keep hello wherever you like.',
  madeUp: 'Keep hello somewhere.',
  unclear: 'Keep it.',
  impossible: 'Fly me to the moon.',
  slow: 'Keep hello in my note slowly.',
  mumbled: 'Hm.',
} as const

export function scriptedPlanner({ words, previous }: PlannerInput): unknown {
  switch (words) {
    case sentences.said:
      return plan(keep('greetings'))
    case sentences.slow:
      return plan(keep('slowly'))
    case sentences.mended:
      return plan(keep('letters', previous === undefined ? { action: 'apend' } : {}))
    case sentences.hopeless:
      return plan(keep('wherever', { action: 'apend' }))
    case sentences.madeUp:
      return plan(keep('planners-own'))
    case sentences.unclear:
      return { kind: 'question', text: 'Keep what?', options: ['Keep hello in my note greetings.'] }
    case sentences.impossible:
      return { kind: 'refusal', reason: 'NO_ACTION', text: 'No agent here flies.' }
    default:
      return 'I am sorry'
  }
}
