// A run that waits for a person: what goes on meanwhile, what each decision leads to, and which of
// them are refused.

import { ApplicationFailure } from '@temporalio/workflow'
import { describe, expect, it } from 'vitest'
import type { SkeletonStep } from '../../plan/schema.ts'
import { refuseGiveUp, refuseResolve, refuseRetry } from '../../workflows/decisions.ts'
import type { Order } from '../../workflows/run-plan.ts'
import { createProgress } from '../../workflows/run-plan.ts'
import { createFakeRun, type FakeRun, runSteps, step } from './fake-ports.ts'

describe('a run that is held', () => {
  const failing = { outcome: 'failed', code: 'UNAVAILABLE', resultRef: null } as const
  const unknown = { outcome: 'unknown', resultRef: null } as const
  const held = (id: string, more: Partial<SkeletonStep> = {}) =>
    step(id, { onError: 'hold', ...more })
  /** Runs until it waits for a person, then does what the test says. */
  const whenHeld = (fake: FakeRun, acts: readonly (() => void)[]) => {
    const left = [...acts]
    const { onStatus } = fake.ports
    return {
      ...fake,
      ports: {
        ...fake.ports,
        onStatus(...told: Parameters<typeof onStatus>) {
          onStatus(...told)
          if (told[0] === 'held') left.shift()?.()
        },
      },
    }
  }
  const order = (fake: FakeRun, given: Order) => () => void fake.controls.orders.push(given)

  it('goes on with what does not build on the step, and then waits', async () => {
    const fake = createFakeRun(async (name) => (name === 'a' ? failing : {}))
    const { outcome, summary } = await runSteps(
      [held('a', { hasUndo: true }), step('b', { needs: ['a'] }), step('c', { hasUndo: true })],
      whenHeld(fake, [order(fake, { kind: 'give-up' })]),
    )
    expect(outcome).toMatchObject({ status: 'failed', code: 'UNAVAILABLE' })
    expect(fake.log).toEqual(['a', 'c', 'c~undo', 'a~undo'])
    expect(fake.statuses).toEqual(['held', 'running'])
    expect(summary('b')?.outcome).toBe('pending')
  })

  it('runs the step again as another effect, and goes on when that settles', async () => {
    const onFastLane = { ...failing, lane: 'fast' } as const
    const fake = createFakeRun(async (name) => (name === 'a' ? onFastLane : {}))
    const reruns = [{ step: 'a', rerun: 1 }]
    const { outcome, summary } = await runSteps(
      [held('a'), step('b', { needs: ['a'] })],
      whenHeld(fake, [order(fake, { kind: 'retry', retry: { step: 'a', reruns } })]),
    )
    expect(outcome.status).toBe('completed')
    expect(fake.log).toEqual(['a', 'a~1', 'b'])
    expect(summary('a')).toMatchObject({ outcome: 'settled', rerun: 1 })
    expect(summary('a')).not.toHaveProperty('code')
    expect(summary('a')).not.toHaveProperty('lane')
    expect(fake.inputs.at(-1)?.sources).toEqual([{ step: 'a', iteration: 0, ref: 'ref-a~1' }])
  })

  it('undoes every rerun on its own, with what it was built on, newest first', async () => {
    const fake = createFakeRun(async (name) => (name.startsWith('a') ? failing : {}))
    const reruns = [{ step: 'a', rerun: 1 }]
    await runSteps(
      [step('r'), held('a', { needs: ['r'], hasUndo: true })],
      whenHeld(fake, [
        order(fake, { kind: 'retry', retry: { step: 'a', reruns } }),
        order(fake, { kind: 'give-up' }),
      ]),
    )
    expect(fake.log).toEqual(['r', 'a', 'a~1', 'a~1~undo', 'a~undo'])
    const undos = fake.inputs.filter(({ kind }) => kind === 'undo')
    expect(undos.map(({ rerun = 0 }) => rerun)).toEqual([1, 0])
    expect(undos[0]?.sources).toEqual([
      { step: 'r', iteration: 0, ref: 'ref-r' },
      { step: 'a', iteration: 0, ref: null },
    ])
  })

  it('runs again what went on without the step, and waits for it as before', async () => {
    const fake = createFakeRun(async (name) => (name === 'a' || name === 'h' ? failing : {}))
    const reruns = ['a', 'b', 'c'].map((one) => ({ step: one, rerun: 1 }))
    const { outcome } = await runSteps(
      [
        step('a', { onError: 'continue' }),
        step('b', { needs: ['a'] }),
        step('c', { needs: ['b'] }),
        held('h'),
        step('last', { needs: ['c', 'h'] }),
      ],
      whenHeld(fake, [
        order(fake, { kind: 'retry', retry: { step: 'a', reruns } }),
        order(fake, { kind: 'retry', retry: { step: 'h', reruns: [{ step: 'h', rerun: 1 }] } }),
      ]),
    )
    expect(outcome.status).toBe('completed')
    expect(fake.log).toEqual(['a', 'h', 'b', 'c', 'a~1', 'b~1', 'c~1', 'h~1', 'last'])
  })

  it('of an unknown outcome goes on without a result when a person says that it happened', async () => {
    const fake = createFakeRun(async (name) => (name === 'a' ? unknown : {}))
    const answer = { step: 'a', happened: true }
    const { outcome, summary } = await runSteps(
      [held('a'), step('b', { needs: ['a'] })],
      whenHeld(fake, [order(fake, { kind: 'resolve', answer })]),
    )
    expect(outcome.status).toBe('completed')
    expect(summary('a')).toMatchObject({ outcome: 'settled', code: 'HAPPENED' })
    expect(fake.inputs.at(-1)?.sources).toEqual([{ step: 'a', iteration: 0, ref: null }])
  })

  it('of an unknown outcome stays held when it did not happen, until it is run again', async () => {
    const fake = createFakeRun(async (name) => (name === 'a' ? unknown : {}))
    const answer = { step: 'a', happened: false }
    const reruns = [{ step: 'a', rerun: 1 }]
    const both = () => {
      fake.controls.orders.push({ kind: 'resolve', answer })
      fake.controls.orders.push({ kind: 'retry', retry: { step: 'a', reruns } })
    }
    const { outcome } = await runSteps([held('a')], whenHeld(fake, [both]))
    expect(outcome.status).toBe('completed')
    expect(fake.log).toEqual(['a', 'a~1'])
  })

  it('can be cancelled, and then undoes', async () => {
    const fake = createFakeRun(async (name) => (name === 'b' ? failing : {}))
    const { outcome } = await runSteps(
      [step('a', { hasUndo: true }), held('b', { needs: ['a'] })],
      whenHeld(fake, [() => fake.cancel()]),
    )
    expect(outcome.status).toBe('cancelled')
    expect(fake.log).toEqual(['a', 'b', 'a~undo'])
  })

  it('learns from the notary of reruns that a reset has made it forget, and undoes them all', async () => {
    const fake = createFakeRun(async (name) => {
      if (name === 'a') return { outcome: 'already-settled', rerun: 2 }
      return name === 'b' ? { outcome: 'failed', code: 'CONFLICT', resultRef: null } : {}
    })
    await runSteps([step('a', { hasUndo: true }), step('b', { needs: ['a'] })], fake)
    expect(fake.log).toEqual(['a', 'b', 'a~2~undo', 'a~1~undo', 'a~undo'])
  })

  it('reports the worst of several undos of one step', async () => {
    const fake = createFakeRun(async (name) => {
      if (name === 'a') return { rerun: 1 }
      if (name === 'b') return failing
      return name === 'a~1~undo' ? { outcome: 'failed', code: 'NOT_FOUND', resultRef: null } : {}
    })
    const { summary } = await runSteps(
      [step('a', { hasUndo: true }), step('b', { needs: ['a'] })],
      fake,
    )
    expect(summary('a')).toMatchObject({ undo: 'failed', undoCode: 'NOT_FOUND' })
  })

  it('is not held by a refusal that follows from its being stopped', async () => {
    const fake = createFakeRun(async () => ({
      outcome: 'denied',
      code: 'REQUEST_CANCELLED',
      resultRef: null,
    }))
    const { outcome } = await runSteps([held('a')], fake)
    expect(outcome).toMatchObject({ status: 'cancelled' })
  })
})

describe('a decision', () => {
  const skeleton = { planRef: 'p', digest: 'd', steps: [step('a'), step('b'), step('c')] }
  const now = (outcomes: readonly ('failed' | 'unknown' | 'running' | 'settled')[]) => {
    const progress = createProgress(skeleton)
    for (const [index, outcome] of outcomes.entries()) {
      const summary = progress.get('abc'.charAt(index))
      if (summary !== undefined) progress.set(summary.id, { ...summary, outcome })
    }
    return { progress, held: new Set(['a']), iteration: () => undefined }
  }
  const codeOf = (act: () => void): unknown => {
    try {
      act()
      return 'taken'
    } catch (error) {
      // Anything else would wedge the workflow instead of refusing the update.
      return error instanceof ApplicationFailure ? error.type : error
    }
  }
  const reruns = [{ step: 'b', rerun: 1 }]

  it.each([
    ['taken', { step: 'a', reruns }, now(['failed', 'settled'])],
    ['UNKNOWN_STEP', { step: 'x', reruns: [] }, now(['failed'])],
    ['UNKNOWN_STEP', { step: 'a', reruns: [{ step: 'x', rerun: 1 }] }, now(['failed'])],
    ['UNRESOLVED', { step: 'a', reruns: [] }, now(['unknown'])],
    ['NOT_HELD', { step: 'a', reruns: [] }, now(['settled'])],
    ['NOT_HELD', { step: 'a', reruns: [] }, { ...now(['failed']), held: new Set<string>() }],
    ['STEP_RUNNING', { step: 'a', reruns }, now(['failed', 'running'])],
  ])('to retry is %s', (code, input, state) => {
    expect(codeOf(() => refuseRetry(input, state))).toBe(code)
  })

  it.each([
    ['taken', 'a', now(['unknown'])],
    ['UNKNOWN_STEP', 'x', now(['unknown'])],
    ['NOT_HELD', 'b', now(['unknown', 'unknown'])],
    ['NOT_HELD', 'a', now(['failed'])],
  ])('to resolve is %s', (code, id, state) => {
    expect(codeOf(() => refuseResolve({ step: id, happened: true }, state))).toBe(code)
  })

  it('to give up is refused while nothing holds the run', () => {
    expect(codeOf(() => refuseGiveUp(now(['failed'])))).toBe('taken')
    expect(codeOf(() => refuseGiveUp({ held: new Set() }))).toBe('NOT_HELD')
  })
})
