// Runs that wait for a person's approval, as kept-scenarios.ts keeps others: of the plan, of steps on
// either lane, of iterations of a loop; approved, denied, cancelled, and still waiting.

import type { KeptRun } from './kept-scenarios.ts'
import {
  asksPlan,
  asksStep,
  failing,
  type ScriptedCall,
  scriptedStep,
  write,
} from './scripted-activities.ts'

/** Each of these is asked about once, under its name, and does what `then` says afterwards. */
function asking(names: readonly string[], then: KeptRun['script'] = async () => ({})) {
  const asked = new Set<string>()
  return async (call: ScriptedCall) => {
    const { name } = call
    if (!names.includes(name) || asked.has(name)) return await then(call)
    asked.add(name)
    return asksStep(approvalOf(name))
  }
}

const approvalOf = (name: string) => `apr${name.replaceAll(/[^a-z0-9]/g, '')}`
const approve =
  (...names: readonly string[]): NonNullable<KeptRun['meanwhile']> =>
  async ({ client, requestId, asked }) => {
    for (const name of names) {
      await asked(approvalOf(name))
      await client.approve(requestId, { approvals: [approvalOf(name)] })
    }
  }
const denied = { outcome: 'denied', code: 'APPROVAL_DENIED', resultRef: null } as const

function askOnce(id: string): NonNullable<KeptRun['plan']> {
  let asked = false
  return () => {
    if (asked) return undefined
    asked = true
    return asksPlan(id)
  }
}

/** Since a person may be asked. */
export const approvalRuns: readonly KeptRun[] = [
  {
    name: 'request-5-approved',
    steps: [
      scriptedStep('before', write),
      scriptedStep('send', { ...write, needs: ['before'] }),
      scriptedStep('beside'),
      scriptedStep('after', { needs: ['send', 'beside'] }),
    ],
    plan: askOnce('aprplan'),
    script: asking(['send']),
    meanwhile: approve('plan', 'send'),
  },
  {
    name: 'request-5-denied',
    steps: [scriptedStep('before', write), scriptedStep('send', { ...write, needs: ['before'] })],
    script: asking(['send'], async ({ name }) => (name === 'send' ? denied : {})),
    meanwhile: approve('send'),
  },
  {
    name: 'request-5-fast',
    steps: ['one', 'two', 'three'].map((id) => scriptedStep(id, { ...write, lane: 'fast' })),
    script: asking(['two']),
    meanwhile: approve('two'),
  },
  {
    name: 'request-5-loop',
    steps: [
      scriptedStep('each', { ...write, forEachMax: 10 }),
      scriptedStep('last', { ...write, needs: ['each'] }),
    ],
    lists: { each: 3 },
    script: asking(['each:1'], async ({ name }) => (name === 'last' ? failing : {})),
    meanwhile: approve('each:1'),
  },
  {
    name: 'request-5-cancelled',
    steps: [scriptedStep('before', write), scriptedStep('send', { ...write, needs: ['before'] })],
    script: asking(['send']),
    async meanwhile({ client, requestId, asked }) {
      await asked(approvalOf('send'))
      await client.cancel(requestId)
    },
  },
  {
    name: 'request-5-open',
    steps: [scriptedStep('before', write), scriptedStep('send', { ...write, needs: ['before'] })],
    script: asking(['send']),
    meanwhile: ({ asked }) => asked(approvalOf('send')),
    open: true,
  },
]
