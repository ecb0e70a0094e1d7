// What a person sees of the models that were asked for a plan, and of those that were not.

import { expect, it } from 'vitest'
import { consultedLine } from '../../cli/consulted-view.ts'
import { leftOutReasons } from '../../planner/router.ts'

const one = { label: 'openai/gpt-7', requestId: 'r-1:propose-1-0' }

it('says what became of one that was asked, and in which run', () => {
  const progress = { done: 1_204, total: null, unit: 'characters' } as const
  expect(consultedLine({ ...one, status: 'running', progress })).toContain(
    'running, 1,204 characters so far  run ',
  )
  expect(consultedLine({ ...one, status: 'failed', code: 'OVERLOADED' })).toBe(
    'x asked openai/gpt-7  failed (OVERLOADED)  run r-1:propose-1-0',
  )
})

it('says in words why one was left out, and names no run, for there is none', () => {
  const lines = leftOutReasons.map((code) => consultedLine({ ...one, status: 'left-out', code }))
  expect(lines).toContain('- left out openai/gpt-7  nobody knows what it costs now (NO_PRICE)')
  expect(new Set(lines.map((line) => line.replace(/\(.*/, ''))).size).toBe(leftOutReasons.length)
  expect(lines.filter((line) => line.includes('run ') || line.includes('in vain'))).toEqual([])
})
