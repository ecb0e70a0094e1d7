// When a run that went well has nothing to report: an empty answer alone is not enough, because what
// was done must not be hidden by a template that says nothing of it.

import { describe, expect, it } from 'vitest'
import type { StepSummary } from '../../workflows/contract.ts'
import { isNothingToReport } from '../../workflows/nothing-to-report.ts'

const step = (change: Partial<StepSummary>): StepSummary => ({
  ...{ id: 'look', type: 'notes.list', effect: 'read', outcome: 'settled', attempts: 1 },
  ...{ durationMs: 1, ...change },
})
const told = (steps: readonly StepSummary[], isEmpty = true) =>
  isNothingToReport(new Map(steps.map((one) => [one.id, one])), isEmpty)

const write = { id: 'keep', type: 'notes.append', effect: 'write' }
const loop = (total: number) => ({ ...write, loop: { total, outcomes: {}, failed: [] } })

describe('a run with an empty answer', () => {
  it('that only looked, or whose effects were skipped, has nothing to report', () => {
    expect(told([step({})])).toBe(true)
    expect(told([step({}), step({ ...write, outcome: 'skipped' })])).toBe(true)
    expect(told([step({}), step(loop(0))])).toBe(true)
  })

  it('that did something has', () => {
    expect(told([step({}), step(write)])).toBe(false)
    expect(told([step({}), step({ ...write, outcome: 'failed' })])).toBe(false)
    expect(told([step({}), step(loop(2))])).toBe(false)
  })
})

it('an answer that says something is something to report', () => {
  expect(told([step({})], false)).toBe(false)
})
