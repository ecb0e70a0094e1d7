// What a run in words says of the models that it asks: of one that is asked now also what a person is asked
// first, which is known to that run alone.

import type { WorkflowHandle } from '@temporalio/client'
import { defaultDataConverter } from '@temporalio/common/lib/converter/data-converter.js'
import { expect, it } from 'vitest'
import { openApprovals } from '../../cli/inline-questions.ts'
import { stateOf } from '../../temporal/run-state.ts'
import type { RunState } from '../../workflows/contract.ts'

const approval = { id: 'a1b2c3', expiresAt: 1 }
const propose = { id: 'propose', type: 'model.propose', effect: 'egress' }
const asking: RunState = {
  status: 'waiting-approval',
  steps: [{ ...propose, outcome: 'waiting', attempts: 0, durationMs: 0, approvals: [approval] }],
}
const words = (status: 'running' | 'answered'): RunState => ({
  status: 'running',
  steps: [],
  consulted: [{ requestId: 'r-1:propose-1-0', label: 'local/x', status }],
})

const stateWith = (answers: Readonly<Record<string, RunState>>) =>
  stateOf(
    'r-1',
    (id) => {
      const query = async () => answers[id] ?? Promise.reject(new Error('nobody answers'))
      return { query } as unknown as WorkflowHandle
    },
    defaultDataConverter,
  )

it('tells what a person is asked before a model is', async () => {
  const state = await stateWith({ 'r-1': words('running'), 'r-1:propose-1-0': asking })
  expect(openApprovals(state)).toEqual([approval])
})

it.each([
  ['that answered', words('answered'), { 'r-1:propose-1-0': asking }],
  ['that has not begun', words('running'), {}],
])('tells nothing more of one %s', async (_, told, others) => {
  expect(await stateWith({ 'r-1': told, ...others })).toEqual(told)
})
