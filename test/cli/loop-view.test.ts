// A loop as a person sees it: counts, the first failures, and names of iterations that can be typed.

import { describe, expect, it } from 'vitest'
import { failedLines, loopWords, parseStepName } from '../../cli/loop-view.ts'
import { adviceFor } from '../../cli/run-advice.ts'
import { changedSteps, runLines, stepLine } from '../../cli/run-view.ts'
import type { LoopSummary, RunState, StepSummary } from '../../workflows/contract.ts'
import { shown } from './shown-run.ts'

const loop: LoopSummary = {
  total: 5_000,
  outcomes: { settled: 1_190, 'already-settled': 4, skipped: 3, failed: 2, unknown: 1, running: 8 },
  failed: [
    { iteration: 31, outcome: 'unknown', code: 'NO_REPLY' },
    { iteration: 7, outcome: 'failed', code: 'UNAVAILABLE' },
  ],
  chunks: ['mail~1'],
}
const mail: StepSummary = {
  id: 'mail',
  type: 'notes.append',
  effect: 'write',
  outcome: 'unknown',
  attempts: 1,
  durationMs: 5,
  loop,
}

describe('a loop', () => {
  it('tells how many of its items are done, and how many went wrong', () => {
    expect(loopWords(loop)).toBe('done 1,200 of 5,000, 2 failed, 1 unknown')
    expect(stepLine(mail)).toContain('done 1,200 of 5,000')
  })

  it('that was undone tells how far that came', () => {
    const undos = { outcomes: { settled: 1_100, failed: 1 }, failed: [] }
    expect(loopWords({ ...loop, undos })).toContain('undone 1,100, undo 1 failed')
  })

  it('names the first that went wrong, and counts the others', () => {
    expect(failedLines('mail', loop)).toEqual([
      '  mail:31  unknown (NO_REPLY)',
      '  mail:7  failed (UNAVAILABLE)',
      '  and 1 more',
    ])
    expect(runLines(shown('failed', mail))).toContain('  mail:31  unknown (NO_REPLY)')
  })

  it('has the unknown ones answered by their numbers', () => {
    const advice = adviceFor(shown('held', mail)).map(({ next }) => next)
    expect(advice[0]).toBe('npx bulkhead runs resolve r-1 mail:31 --happened   or   --did-not')
    expect(advice.join('\n')).not.toContain('mail:7')
    const undos = {
      outcomes: { unknown: 1 },
      failed: [{ iteration: 2, outcome: 'unknown' as const }],
    }
    const undone: StepSummary = {
      ...mail,
      outcome: 'settled',
      undo: 'unknown',
      loop: { ...loop, undos },
    }
    expect(adviceFor(shown('failed', undone))).toMatchObject([
      { next: 'npx bulkhead runs resolve r-1 mail:2 --undo --happened   or   --did-not' },
      { about: expect.stringMatching(/^mail failed, .* \(UNAVAILABLE\)$/) },
    ])
  })

  it('is machine-readable without the names of its workflows', () => {
    const [step] = shown('running', mail).steps
    expect(step?.loop).toMatchObject({ total: 5_000, done: 1_200 })
    expect(step?.loop).not.toHaveProperty('chunks')
  })

  it('is told of again at every tenth, not at every iteration', () => {
    const at = (settled: number): RunState => ({
      status: 'running',
      steps: [
        { ...mail, outcome: 'running', loop: { ...loop, outcomes: { settled }, failed: [] } },
      ],
    })
    expect(changedSteps(at(100), at(499))).toEqual([])
    expect(changedSteps(at(499), at(500))).toHaveLength(1)
  })
})

describe('a step that waits for its time', () => {
  it('says until when', () => {
    const at = Date.UTC(2026, 10, 21, 10)
    const { loop: _, ...step } = mail
    expect(stepLine({ ...step, outcome: 'pending', at })).toContain(
      'not before 2026-11-21T10:00:00Z',
    )
    expect(stepLine({ ...step, outcome: 'settled', at })).not.toContain('not before')
  })
})

describe('the name of a step', () => {
  it.each([
    ['mail', { step: 'mail' }],
    ['mail:60', { step: 'mail', iteration: 60 }],
    ['mail:', { step: 'mail:' }],
    ['mail:x', { step: 'mail:x' }],
  ])('%s is read as %o', (name, expected) => {
    expect(parseStepName(name)).toEqual(expected)
  })
})
