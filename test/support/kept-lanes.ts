// The runs of kept-scenarios.ts on the fast lane: in waves that come to nothing or to everything,
// beside regular steps, and with a failure that stops what others would have begun.

import { setTimeout as delay } from 'node:timers/promises'
import type { SkeletonStep } from '../../plan/schema.ts'
import type { KeptRun } from './kept-scenarios.ts'
import { failing, retryable, scriptedStep, write } from './scripted-activities.ts'

const fast = (id: string, needs: readonly string[] = [], more: Partial<SkeletonStep> = {}) =>
  scriptedStep(id, { lane: 'fast', needs, ...more })
const middles = ['a', 'b', 'c', 'd']

/** Since short steps run inside their run's workflow task. */
export const laneRuns: readonly KeptRun[] = [
  {
    name: 'request-4-fast-completed',
    steps: [fast('first'), ...middles.map((id) => fast(id, ['first'])), fast('last', middles)],
  },
  {
    name: 'request-4-fast-left',
    steps: [fast('first'), ...middles.map((id) => fast(id, ['first'])), fast('last', middles)],
    async script({ name }) {
      if (name === 'b' || name === 'first') throw retryable('UNFINISHED')
      return {}
    },
  },
  {
    name: 'request-4-fast-aborted',
    steps: [
      fast('write', [], write),
      scriptedStep('slow', { needs: ['write'] }),
      fast('failing', ['write']),
      fast('beside', ['write'], write),
      scriptedStep('after', { needs: ['slow'] }),
      fast('never', ['beside', 'after']),
    ],
    async script({ name }) {
      if (name === 'slow') await delay(200)
      return name === 'failing' ? failing : {}
    },
  },
]
