// The runs whose histories are kept, each played once on the workflow of its day by
// test/support/keep-history.ts. A change of the workflow's commands gets a scenario of its own; those
// that are here are never played again.

import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import type { SkeletonStep } from '../../plan/schema.ts'
import type { RunClient } from '../../temporal/client.ts'
import type { CompileOutcome, StepResult } from '../../workflows/contract.ts'
import {
  failing,
  retryable,
  type ScriptedCall,
  scriptedStep,
  unknown,
  write,
} from './scripted-activities.ts'
import type { ScriptedWords } from './scripted-words.ts'

export interface KeptRun {
  readonly name: string
  readonly steps: readonly SkeletonStep[]
  readonly script?: (call: ScriptedCall) => Promise<Partial<StepResult>>
  /** What a person does while it runs. */
  readonly meanwhile?: (person: Person) => Promise<void>
  /** Kept while the run still waits for a person. */
  readonly open?: true
  /** How many items the list of each loop has. */
  readonly lists?: Readonly<Record<string, number>>
  /** What the plan comes to before it is admitted; undefined: it is. */
  readonly plan?: () => CompileOutcome | undefined
  /** It is asked for in words; of a plan that compiles, `plan` says what it comes to. */
  readonly words?: ScriptedWords
  /** Not the run's own history, but that of this chunk of one of its loops. */
  readonly chunk?: string
  /** Not the run's own history, but that of the run with this id, which it began. */
  readonly child?: string
}

export interface Person {
  readonly client: RunClient
  readonly requestId: string
  /** Waits until the script was asked for this. */
  called(name: string): Promise<void>
  held(): Promise<void>
  /** Waits until the run waits for this approval. */
  asked(approval: string): Promise<void>
}

const heldSteps = [
  scriptedStep('look'),
  scriptedStep('first', { ...write, needs: ['look'], onError: 'hold' }),
  scriptedStep('second', { ...write, needs: ['first'] }),
]
const rerun = (rerun: number) => ({ step: 'first', reruns: [{ step: 'first', rerun }] })

/** Before commands were followed to their end by a second activity (`follow-what-is-out`). */
const first: readonly KeptRun[] = [
  {
    name: 'request-1-completed',
    steps: [
      scriptedStep('work'),
      scriptedStep('family'),
      scriptedStep('notes', { type: 'notes.read', hasWhen: true }),
      scriptedStep('write', { ...write, needs: ['work', 'family', 'notes'] }),
    ],
    script: async ({ name, attempt }) => {
      if (name === 'work' && attempt === 1) throw retryable('NO_REPLY')
      return name === 'notes' ? { outcome: 'skipped', resultRef: null } : {}
    },
  },
  {
    name: 'request-1-aborted',
    steps: [
      scriptedStep('first', write),
      scriptedStep('second', { ...write, needs: ['first'] }),
      scriptedStep('third', { ...write, needs: ['second'] }),
    ],
    script: async ({ name }) => {
      if (name === 'third') return unknown
      return name === 'second~undo' ? { outcome: 'failed', code: 'CONFLICT', resultRef: null } : {}
    },
  },
  {
    name: 'request-1-cancelled',
    steps: [scriptedStep('first', write), scriptedStep('second', { ...write, needs: ['first'] })],
    script: async ({ name }) => {
      if (name === 'first') await delay(1_000)
      return {}
    },
    async meanwhile({ client, requestId, called }) {
      await called('first')
      await client.cancel(requestId)
    },
  },
]

/** Since then. */
const second: readonly KeptRun[] = [
  {
    name: 'request-2-compensated',
    steps: [
      scriptedStep('left', write),
      scriptedStep('right', write),
      scriptedStep('soft', { ...write, hasUndo: false, onError: 'continue' }),
      scriptedStep('last', { ...write, needs: ['left', 'right', 'soft'] }),
    ],
    script: async ({ name, attempt }) => {
      if (name === 'soft') return failing
      if (name === 'right' && attempt === 1) throw retryable('NOT_DELIVERED')
      return name === 'last' ? failing : {}
    },
  },
  {
    // The activity is cut off on the way, and another finds out what became of its command.
    name: 'request-2-followed',
    steps: [scriptedStep('slow', write), scriptedStep('next', { ...write, needs: ['slow'] })],
    async script({ name }) {
      if (name === 'slow') {
        const beat = setInterval(() => Context.current().heartbeat(), 200)
        await Context.current().cancelled.finally(() => clearInterval(beat))
      }
      return {}
    },
    async meanwhile({ client, requestId, called }) {
      await called('slow')
      await client.cancel(requestId)
    },
  },
  {
    name: 'request-2-held-retried',
    steps: heldSteps,
    script: async ({ name }) => (name === 'first' ? failing : {}),
    async meanwhile({ client, requestId, held }) {
      await held()
      await client.retry(requestId, rerun(1))
    },
  },
  {
    name: 'request-2-held-resolved',
    steps: heldSteps,
    script: async ({ name }) => (name === 'first' ? unknown : {}),
    async meanwhile({ client, requestId, held }) {
      await held()
      // Refused, which must leave no trace that a replay could trip over.
      await client.giveUp('no-such-run').catch(() => undefined)
      await client.retry(requestId, rerun(1)).catch(() => undefined)
      await client.resolve(requestId, { step: 'first', happened: true })
    },
  },
  {
    name: 'request-2-held-given-up',
    steps: heldSteps,
    script: async ({ name }) => (name.startsWith('first') && !name.endsWith('undo') ? failing : {}),
    async meanwhile({ client, requestId, called, held }) {
      await held()
      await client.retry(requestId, rerun(1))
      await called('first~1')
      await held()
      await client.giveUp(requestId)
    },
  },
  {
    name: 'request-2-held-open',
    steps: heldSteps,
    script: async ({ name }) => (name === 'first' ? failing : {}),
    meanwhile: ({ held }) => held(),
    open: true,
  },
]

const loopSteps = (more: Partial<SkeletonStep> = {}) => [
  scriptedStep('before', write),
  scriptedStep('each', { ...write, needs: ['before'], forEachMax: 200, ...more }),
  scriptedStep('after', { needs: ['each'] }),
]
const aborted = {
  steps: loopSteps(),
  lists: { each: 120 },
  script: async ({ name }: ScriptedCall) => {
    await delay(5)
    return name === 'each:70' ? failing : {}
  },
}
const cancelled: Pick<KeptRun, 'steps' | 'lists' | 'script' | 'meanwhile'> = {
  steps: loopSteps(),
  lists: { each: 120 },
  script: async ({ name }) => {
    if (/^each:\d+$/.test(name)) await delay(50)
    return {}
  },
  async meanwhile({ client, requestId, called }) {
    await called('each:60')
    await client.cancel(requestId)
  },
}

/** Since loops run in chunks, and steps wait for a time or for any of their needs. */
const third: readonly KeptRun[] = [
  { name: 'request-3-loop-aborted', ...aborted },
  { name: 'chunk-1-aborted', ...aborted, chunk: 'each~2' },
  { name: 'chunk-1-undone', ...aborted, chunk: 'each~undo0' },
  { name: 'request-3-loop-cancelled', ...cancelled },
  { name: 'chunk-1-cancelled', ...cancelled, chunk: 'each~2' },
  {
    name: 'request-3-loop-retried',
    steps: loopSteps({ onError: 'hold' }),
    lists: { each: 3 },
    script: async ({ name }) => (name === 'each:1' ? failing : {}),
    async meanwhile({ client, requestId, held }) {
      await held()
      await client.retry(requestId, {
        step: 'each',
        reruns: [{ step: 'each', iteration: 1, rerun: 1 }],
      })
    },
  },
  {
    name: 'request-3-loop-resolved',
    steps: loopSteps({ onError: 'hold' }),
    lists: { each: 3 },
    script: async ({ name }) => (name === 'each:1' ? unknown : {}),
    async meanwhile({ client, requestId, held }) {
      await held()
      await client.resolve(requestId, { step: 'each', iteration: 1, happened: true })
    },
  },
  {
    name: 'request-3-scheduled',
    // When it is played, not when this file is read.
    get steps() {
      return [
        scriptedStep('now'),
        scriptedStep('later', { needs: ['now'], at: Date.now() + 8_000 }),
        scriptedStep('either', { join: 'any', needs: ['later', 'now'] }),
      ]
    },
  },
]

export const keptRuns = [...first, ...second, ...third]
