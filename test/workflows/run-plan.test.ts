// The interpreter with fakes: order, bounds, failure, compensation, cancellation.

import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../plan/limits.ts'
import type { SkeletonStep } from '../../plan/schema.ts'
import type { StepOutcome } from '../../workflows/contract.ts'
import { createFakeRun, runSteps, step } from './fake-ports.ts'

const ends = async () => ({})

describe('order', () => {
  it('starts a step when the last of its needs has ended, and side by side what it may', async () => {
    const fake = createFakeRun(async () => {
      await nextTurn()
      return {}
    })
    const { outcome } = await runSteps(
      [step('a'), step('b'), step('c', { needs: ['a', 'b'] }), step('d', { needs: ['c'] })],
      fake,
    )
    expect(outcome.status).toBe('completed')
    expect(fake.log).toEqual(['a', 'b', 'c', 'd'])
    expect(fake.peak()).toBe(2)
  })

  it('hands a step the references of its needs, null for one that was skipped', async () => {
    const fake = createFakeRun(async (name) =>
      name === 'b' ? { outcome: 'skipped', resultRef: null } : {},
    )
    const { outcome, summary } = await runSteps(
      [step('a'), step('b'), step('c', { needs: ['a', 'b'] })],
      fake,
    )
    expect(outcome.status).toBe('completed')
    expect(summary('b')?.outcome).toBe('skipped')
    expect(fake.inputs.at(-1)?.sources).toEqual([
      { step: 'a', iteration: 0, ref: 'ref-a' },
      { step: 'b', iteration: 0, ref: null },
    ])
    expect(outcome.sources.map(({ ref }) => ref)).toEqual(['ref-a', null, 'ref-c'])
  })

  it('has no more steps in flight than the limit', async () => {
    const fake = createFakeRun(async () => {
      await nextTurn()
      return {}
    })
    const many = Array.from({ length: limits.fanOut + 40 }, (_, index) => step(`s${index}`))
    await runSteps(many, fake)
    expect(fake.peak()).toBe(limits.fanOut)
    expect(fake.log).toHaveLength(many.length)
  })

  it('runs ten thousand steps without looking at each of them at every wake', async () => {
    const fake = createFakeRun(ends)
    const many = Array.from({ length: 10_000 }, (_, index) =>
      step(`s${index}`, index < 100 ? {} : { needs: [`s${index - 100}`] }),
    )
    const { outcome } = await runSteps(many, fake)
    expect(outcome.status).toBe('completed')
    expect(fake.log).toHaveLength(10_000)
  })
})

describe('failure', () => {
  it('stops launching, drains what runs, then undoes newest first', async () => {
    const fake = createFakeRun(async (name) => {
      if (name === 'slow') {
        for (let turn = 0; turn < 20; turn += 1) await nextTurn()
        return {}
      }
      return name === 'bad' ? { outcome: 'failed', code: 'CONFLICT', resultRef: null } : {}
    })
    const { outcome, summary } = await runSteps(
      [
        step('a', { hasUndo: true }),
        step('slow', { needs: ['a'], hasUndo: true }),
        step('bad', { needs: ['a'] }),
        step('after', { needs: ['slow'] }),
      ],
      fake,
    )
    expect(outcome).toMatchObject({ status: 'failed', code: 'CONFLICT' })
    expect(fake.log).toEqual(['a', 'slow', 'bad', 'slow~undo', 'a~undo'])
    expect(summary('slow')).toMatchObject({ outcome: 'settled', undo: 'settled' })
    expect(summary('after')?.outcome).toBe('pending')
  })

  it('goes on with the other undos when one fails, and says which', async () => {
    const fake = createFakeRun(async (name) => {
      if (name === 'b~undo') return { outcome: 'failed', code: 'NOT_FOUND', resultRef: null }
      return name === 'c' ? { outcome: 'failed', code: 'INTERNAL', resultRef: null } : {}
    })
    const { summary } = await runSteps(
      [
        step('a', { hasUndo: true }),
        step('b', { needs: ['a'], hasUndo: true }),
        step('c', { needs: ['b'] }),
      ],
      fake,
    )
    expect(fake.log).toEqual(['a', 'b', 'c', 'b~undo', 'a~undo'])
    expect(summary('a')?.undo).toBe('settled')
    expect(summary('b')?.undo).toBe('failed')
  })

  it('undoes the failed step itself, because its undo was registered before it ran', async () => {
    const fake = createFakeRun(async (name) =>
      name === 'a' ? { outcome: 'unknown', resultRef: null } : {},
    )
    const { outcome, summary } = await runSteps([step('a', { hasUndo: true })], fake)
    expect(outcome).toMatchObject({ status: 'failed', code: 'UNKNOWN' })
    expect(summary('a')).toMatchObject({ outcome: 'unknown', undo: 'settled' })
    expect(fake.inputs.at(-1)).toMatchObject({ kind: 'undo', step: 'a' })
  })

  it('undoes nothing for a step that was skipped', async () => {
    const fake = createFakeRun(async (name) =>
      name === 'a'
        ? { outcome: 'skipped', resultRef: null }
        : { outcome: 'failed', resultRef: null },
    )
    await runSteps([step('a', { hasUndo: true }), step('b', { needs: ['a'] })], fake)
    expect(fake.log).toEqual(['a', 'b'])
  })

  it('goes on after a failure under continue, and gives dependants no reference', async () => {
    const fake = createFakeRun(async (name) =>
      name === 'a' ? { outcome: 'failed', code: 'UNAVAILABLE', resultRef: null } : {},
    )
    const { outcome, summary } = await runSteps(
      [step('a', { onError: 'continue' }), step('b', { needs: ['a'] })],
      fake,
    )
    expect(outcome.status).toBe('completed')
    expect(summary('a')).toMatchObject({ outcome: 'failed', code: 'UNAVAILABLE' })
    expect(fake.inputs.at(-1)?.sources).toEqual([{ step: 'a', iteration: 0, ref: null }])
  })

  it('never goes on from an unknown outcome, not even under continue', async () => {
    const fake = createFakeRun(async () => ({ outcome: 'unknown', resultRef: null }))
    const { outcome } = await runSteps(
      [step('a', { onError: 'continue' }), step('b', { needs: ['a'] })],
      fake,
    )
    expect(outcome.status).toBe('failed')
    expect(fake.log).toEqual(['a'])
  })

  it('calls a run denied when a step was refused', async () => {
    const fake = createFakeRun(async () => ({ outcome: 'denied', code: 'POLICY', resultRef: null }))
    const { outcome } = await runSteps([step('a')], fake)
    expect(outcome).toMatchObject({ status: 'denied', code: 'POLICY' })
  })

  it('names the cause, not the refusals that follow from it', async () => {
    const fake = createFakeRun(async (name) =>
      name === 'a'
        ? { outcome: 'denied', code: 'RUN_ABORTING', resultRef: null }
        : { outcome: 'failed', code: 'CONFLICT', resultRef: null },
    )
    const { outcome } = await runSteps([step('a'), step('b')], fake)
    expect(outcome).toMatchObject({ status: 'failed', code: 'CONFLICT' })
  })

  it('fails loudly when a dispatch rejects, which only a bug can make it do', async () => {
    const fake = createFakeRun(async () => {
      throw new Error('bug')
    })
    await expect(runSteps([step('a')], fake)).rejects.toThrow('bug')
  })
})

describe('cancellation', () => {
  it('launches nothing more, drains, and undoes out of reach of the cancellation', async () => {
    const fake = createFakeRun(async (name, run) => {
      if (name === 'b') {
        run.cancel()
        for (let turn = 0; turn < 10; turn += 1) await nextTurn()
      }
      return {}
    })
    const { outcome, summary } = await runSteps(
      [
        step('a', { hasUndo: true }),
        step('b', { needs: ['a'], hasUndo: true }),
        step('c', { needs: ['b'] }),
      ],
      fake,
    )
    expect(outcome.status).toBe('cancelled')
    expect(fake.log).toEqual(['a', 'b', 'b~undo', 'a~undo'])
    expect(summary('c')?.outcome).toBe('pending')
  })

  it('launches nothing at all when the run was cancelled before it began', async () => {
    const fake = createFakeRun(ends)
    fake.cancel()
    const { outcome } = await runSteps([step('a')], fake)
    expect(outcome.status).toBe('cancelled')
    expect(fake.log).toEqual([])
  })

  it('is what a refusal means when only the notary knows of it', async () => {
    const fake = createFakeRun(async () => ({
      outcome: 'denied',
      code: 'REQUEST_CANCELLED',
      resultRef: null,
    }))
    const { outcome } = await runSteps([step('a')], fake)
    expect(outcome).toMatchObject({ status: 'cancelled', code: 'REQUEST_CANCELLED' })
  })
})

describe('any plan', () => {
  const outcomes: readonly StepOutcome[] = ['settled', 'skipped', 'failed', 'denied', 'unknown']
  const plans = fc.array(
    fc.record({
      needs: fc.array(fc.nat(), { maxLength: 3 }),
      hasUndo: fc.boolean(),
      onError: fc.constantFrom('abort', 'continue'),
      outcome: fc.constantFrom(...outcomes, 'settled', 'settled', 'settled'),
      turns: fc.nat({ max: 3 }),
    }),
    { minLength: 1, maxLength: 25 },
  )

  it('keeps the order, runs each step at most once, and tries every registered undo', async () => {
    await fc.assert(
      fc.asyncProperty(plans, async (drawn) => {
        const steps: readonly SkeletonStep[] = drawn.map((one, index) =>
          step(`s${index}`, {
            hasUndo: one.hasUndo,
            onError: one.onError === 'abort' ? 'abort' : 'continue',
            needs: index === 0 ? [] : [...new Set(one.needs.map((need) => `s${need % index}`))],
          }),
        )
        const ended = new Set<string>()
        const fake = createFakeRun(async (name) => {
          const id = name.replace('~undo', '')
          const one = drawn[Number(id.slice(1))]
          const own = steps.find((candidate) => candidate.id === id)
          if (name === id) for (const need of own?.needs ?? []) expect(ended).toContain(need)
          for (let turn = 0; turn < (one?.turns ?? 0); turn += 1) await nextTurn()
          ended.add(name)
          const outcome = name === id ? one?.outcome : 'settled'
          return outcome === 'pending' || outcome === 'running' || outcome === undefined
            ? {}
            : { outcome }
        })
        const { outcome, progress } = await runSteps(steps, fake)
        expect(new Set(fake.log).size).toBe(fake.log.length)
        const forward = fake.log.filter((name) => !name.endsWith('~undo'))
        const undone = fake.log.slice(forward.length)
        const wanted = forward.filter((id) => {
          const own = steps.find((candidate) => candidate.id === id)
          return own?.hasUndo === true && progress.get(id)?.outcome !== 'skipped'
        })
        expect(undone).toEqual(
          outcome.status === 'completed' ? [] : wanted.map((id) => `${id}~undo`).reverse(),
        )
        if (outcome.status === 'completed') expect(forward).toHaveLength(steps.length)
        const unknown = [...progress.values()].some((summary) => summary.outcome === 'unknown')
        if (unknown) expect(outcome.status).not.toBe('completed')
      }),
      { numRuns: 150 },
    )
  })
})
