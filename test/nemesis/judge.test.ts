// The judge of the nemesis must condemn each kind of harm, or its zeroes mean nothing.

import { expect, it } from 'vitest'
import type { RunResult, StepOutcome } from '../../workflows/contract.ts'
import { judge } from './judge.ts'
import type { Ending } from './workload.ts'

function ending(kind: 'append' | 'count', outcome: StepOutcome | undefined): Ending {
  const job = { requestId: 'r', title: 't', kind }
  if (outcome === undefined) return { job, result: undefined }
  const step = { id: 'act', type: 'a.b', effect: 'write', outcome, attempts: 1, durationMs: 1 }
  const result: RunResult = { status: 'completed', steps: [step], answerRef: null }
  return { job, result }
}

const world = (times: number, ledger?: string) => ({ times: () => times, ledger: () => ledger })

it.each<[string, Ending, ReturnType<typeof world>, object]>([
  ['done once', ending('append', 'settled'), world(1), { settled: 1, duplicates: 0, lost: 0 }],
  ['done twice', ending('append', 'settled'), world(2), { duplicates: 1 }],
  ['told as done and not done', ending('append', 'settled'), world(0), { settled: 0, lost: 1 }],
  ['told as failed and done', ending('append', 'failed'), world(1), { lost: 1 }],
  ['failed and not done', ending('append', 'failed'), world(0), { failed: 1, lost: 0 }],
  ['never told', ending('append', undefined), world(0), { lost: 1 }],
  [
    'unknown with an excuse',
    ending('count', 'unknown'),
    world(1, 'UNKNOWN'),
    { unknown: 1, inexcusable: [] },
  ],
  [
    'unknown, though it looks for itself',
    ending('append', 'unknown'),
    world(1, 'UNKNOWN'),
    { inexcusable: [expect.any(String)] },
  ],
  [
    'unknown, though the ledger knows',
    ending('count', 'unknown'),
    world(1, 'DONE'),
    { inexcusable: [expect.any(String)] },
  ],
])('judges %s', (_, one, seen, verdict) => {
  expect(judge([one], seen)).toMatchObject({ runs: 1, ...verdict })
})
