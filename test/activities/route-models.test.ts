// Which of the configured models a run in words goes to, and which are left out before anything is asked.

import { expect, it } from 'vitest'
import { routeModels } from '../../activities/route-models.ts'
import { catalogue } from '../../agents/catalogue.ts'
import type { PlannerModel } from '../../plan/planner-models.ts'

const asked = { requestId: 'r-1', requestRef: 'words' }
const deps = {
  ...{ catalogue, zone: 'Europe/Vienna' },
  now: () => Date.parse('2026-11-24T08:30:00Z'),
}
const model = (provider: string, name: string, maxMicroUsd: number): PlannerModel => ({
  ...{ provider, model: name, maxMicroUsd, maxOutputTokens: 1_000 },
})
const route = (planner: readonly PlannerModel[], more: object = {}) =>
  routeModels({ ...asked, ...more }, { words: 'Put milk into my notes.', planner, told: [] }, deps)

it('asks those that can be asked, in their order, and says why not the others', () => {
  const planner = [
    model('openai', 'gpt-6-luna', 1),
    model('anthropic', 'claude-haiku-5-5', 20_000),
    model('openai', 'gpt-7', 20_000),
    model('gemini', 'gemini-embedding-001', 20_000),
    model('local', 'x-cloud', 0),
    model('local', 'qwen3:8b', 0),
    model('stranger', 'x', 0),
  ]
  expect(route(planner)).toEqual({
    candidates: [
      { label: 'anthropic/claude-haiku-5-5', model: 1, requestId: 'r-1:propose-1-1' },
      { label: 'local/qwen3:8b', model: 5, requestId: 'r-1:propose-1-5' },
      // What no table knows is the agent's to refuse.
      { label: 'stranger/x', model: 6, requestId: 'r-1:propose-1-6' },
    ],
    leftOut: [
      ['openai/gpt-6-luna', 0, 'TOO_DEAR'],
      ['openai/gpt-7', 2, 'NO_PRICE'],
      ['gemini/gemini-embedding-001', 3, 'NO_CAPABILITY'],
      ['local/x-cloud', 4, 'NOT_OF_THE_HOUSE'],
    ].map(([label, number, code]) => {
      return { label, requestId: `r-1:propose-1-${number}`, status: 'left-out', code }
    }),
  })
})

it('asks them in the second round under ids of their own', () => {
  const issues = [{ code: 'INVALID_ARGUMENT', path: '/steps/0/args/day' }]
  const { candidates } = route([model('local', 'qwen3:8b', 0)], {
    previous: { proposalRef: 'a-plan', issues },
  })
  expect(candidates.map(({ requestId }) => requestId)).toEqual(['r-1:propose-2-0'])
})
