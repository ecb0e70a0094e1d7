// What a person is told to do about a run: nothing that needs one may end in silence.

import { describe, expect, it } from 'vitest'
import { exitCodeOfRun } from '../../cli/exit-codes.ts'
import { adviceFor, allOutcomes } from '../../cli/run-advice.ts'
import { runLines, stepLine } from '../../cli/run-view.ts'
import type { StepSummary } from '../../workflows/contract.ts'
import { shown } from './shown-run.ts'

const step = (change: Partial<StepSummary>): StepSummary => ({
  id: 'write',
  type: 'notes.append',
  effect: 'write',
  outcome: 'settled',
  attempts: 1,
  durationMs: 5,
  ...change,
})
const nextOf = (...given: Parameters<typeof shown>) =>
  adviceFor(shown(...given)).map(({ next }) => next)

describe('a run', () => {
  it('that went well asks for nothing', () => {
    expect(shown('completed', step({}))).not.toHaveProperty('next')
  })

  it('with an unknown outcome names the step and the command', () => {
    expect(nextOf('failed', step({ outcome: 'unknown' }))).toEqual([
      'npx bulkhead runs resolve r-1 write --happened   or   --did-not',
    ])
  })

  it('with an unknown undo says so in its exit code and its next command', () => {
    const run = shown('cancelled', step({ undo: 'unknown' }))
    expect(exitCodeOfRun(run.status, allOutcomes(run))).toBe(5)
    expect(run.next?.[0]?.next).toContain('resolve r-1 write --undo')
  })

  it('with an undo that failed says that what was done is still there, and why', () => {
    const run = shown('failed', step({ undo: 'failed', undoCode: 'NO_RESULT' }))
    const text = runLines(run).join('\n')
    expect(text).toContain('undo failed (NO_RESULT)')
    expect(text).toContain('write was not undone (NO_RESULT): what it did is still there')
    expect(text).toContain('next: npx bulkhead audit query --run r-1')
    expect(exitCodeOfRun(run.status, allOutcomes(run))).toBe(1)
  })

  it('that is held offers each failed step again, and to give up', () => {
    const unknown = step({ id: 'other', outcome: 'unknown' })
    expect(nextOf('held', step({ outcome: 'failed' }), unknown)).toEqual([
      'npx bulkhead runs resolve r-1 other --happened   or   --did-not',
      'npx bulkhead runs retry r-1 write',
      'npx bulkhead runs give-up r-1',
    ])
  })
})

describe('a step', () => {
  it('shows how far its agent is, and that it runs again', () => {
    const line = stepLine(step({ outcome: 'running', rerun: 2, progress: { done: 3, total: 10 } }))
    expect(line).toContain('rerun 2')
    expect(line).not.toContain('lane')
    expect(stepLine(step({ outcome: 'settled', lane: 'fast' }))).toContain('fast lane')
    expect(line).toContain('3 of 10')
    expect(stepLine(step({ progress: { done: 3, total: null } }))).toContain('3 done')
    const characters = { done: 1_204, total: null, unit: 'characters' } as const
    expect(stepLine(step({ progress: characters }))).toContain('1,204 characters so far')
  })
})
