// What the recorded effects of a step say that it has come to.

import { describe, expect, it } from 'vitest'
import { type RecordedEffect, recordedOutcome } from '../../plan/recorded-outcome.ts'

const effect = (
  iteration: number,
  outcome: string | null,
  more: Partial<RecordedEffect> = {},
): RecordedEffect => ({
  step: 'mail',
  iteration,
  rerun: 0,
  outcome,
  code: outcome === 'settled' || outcome === null ? null : 'CODE',
  attempts: 1,
  ...more,
})
const loop = { count: 3, rerun: 0, outcome: null, code: null }
const all = [effect(0, 'settled'), effect(1, 'failed'), effect(2, 'skipped')]

describe('a step', () => {
  it.each([
    [[], { outcome: 'pending', attempts: 0 }],
    [[effect(0, null)], { outcome: 'running', attempts: 1 }],
    [[effect(0, 'denied')], { outcome: 'denied', code: 'CODE', attempts: 1 }],
    [
      [effect(0, 'settled', { rerun: 1 }), effect(0, 'failed')],
      { outcome: 'settled', attempts: 1 },
    ],
  ])('with %j is %j', (effects, expected) => {
    expect(recordedOutcome(effects, { loop: undefined, onError: 'abort' })).toEqual(expected)
  })
})

describe('a loop', () => {
  it('is what its iterations are together, whichever was recorded last', () => {
    expect(recordedOutcome(all, { loop, onError: 'hold' })).toEqual({
      outcome: 'failed',
      code: 'CODE',
      attempts: 1,
      loop: { total: 3, outcomes: { settled: 1, failed: 1, skipped: 1 } },
    })
    expect(recordedOutcome(all, { loop, onError: 'continue' })).toMatchObject({
      outcome: 'settled',
    })
    const unknown = [...all.slice(0, 2), effect(2, 'unknown')]
    expect(recordedOutcome(unknown, { loop, onError: 'continue' })).toMatchObject({
      outcome: 'unknown',
    })
  })

  it('is at work until each of its iterations has an outcome', () => {
    const of = (effects: readonly RecordedEffect[]) =>
      recordedOutcome(effects, { loop, onError: 'abort' }).outcome
    expect(of([effect(0, 'settled')])).toBe('running')
    expect(of([effect(0, 'settled'), effect(1, 'settled'), effect(2, null)])).toBe('running')
    expect(of([])).toBe('running')
  })

  it('that began anew is not what it was before', () => {
    const effects = [...all, effect(0, 'settled', { rerun: 2 })]
    const anew = { ...loop, count: 1, rerun: 2 }
    expect(recordedOutcome(effects, { loop: anew, onError: 'abort' })).toMatchObject({
      outcome: 'settled',
      loop: { total: 1, outcomes: { settled: 1 } },
    })
  })

  it('that ended before its first iteration says how', () => {
    const ended = { count: 0, rerun: 0, outcome: 'denied', code: 'LIMIT' }
    expect(recordedOutcome([], { loop: ended, onError: 'abort' })).toMatchObject({
      outcome: 'denied',
      code: 'LIMIT',
      loop: { total: 0 },
    })
  })
})
