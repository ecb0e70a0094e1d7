// What a run will certainly launch next, and where that ends: before anything that only the run itself
// can begin, wait for, or decide.

import { describe, expect, it } from 'vitest'
import { limits } from '../../plan/limits.ts'
import type { SkeletonStep } from '../../plan/schema.ts'
import { createProgress } from '../../workflows/progress.ts'
import { createQuestions } from '../../workflows/questions.ts'
import { createStage } from '../../workflows/stage.ts'
import { loop, step } from './fake-ports.ts'

const read = (id: string, needs: readonly string[] = [], more: Partial<SkeletonStep> = {}) =>
  step(id, { effect: 'read', lane: 'fast', needs, ...more })

/** A stage that has launched all it may, and a look from there. */
function stageOf(...steps: readonly SkeletonStep[]) {
  const skeleton = { planRef: 'plan', digest: 'digest', steps }
  const stage = createStage({
    ...{ requestId: 'r', skeleton, progress: createProgress(skeleton) },
    ...{ questions: createQuestions(), now: 1_000, onFree: () => undefined },
  })
  const launch = (most = Number.POSITIVE_INFINITY) => {
    const begun: SkeletonStep[] = []
    while (begun.length < most && stage.mayLaunch()) {
      const next = stage.next()
      stage.begin(next)
      begun.push(next)
    }
    return begun
  }
  const settle = (one: SkeletonStep, resultRef: string | null = `ref-${one.id}`) =>
    stage.end(one, { outcome: 'settled', resultRef, attempts: 1, durationMs: 1 }, 1_000)
  return { stage, launch, settle }
}

function lookFrom(...steps: readonly SkeletonStep[]) {
  const { stage, launch } = stageOf(...steps)
  const { waves, answer } = stage.following(launch().map(({ id }) => id))
  return { waves: waves.map((wave) => wave.map(({ step: { id } }) => id)), answer }
}

const middles = ['a', 'b', 'c']

describe('looking ahead', () => {
  it('sees wave after wave, and the answer behind the last', () => {
    const seen = lookFrom(
      read('first'),
      ...middles.map((id) => read(id, ['first'])),
      read('last', middles),
    )
    expect(seen.waves).toEqual([middles, ['last']])
    expect(seen.answer).toEqual(
      ['first', ...middles, 'last'].map((id) => ({ step: id, iteration: 0, ref: null })),
    )
  })

  it('changes nothing, so that the run launches the same', () => {
    const { stage, launch, settle } = stageOf(read('a'), read('b', ['a']))
    const begun = launch()
    const [first] = stage.following(['a']).waves
    stage.following(['a'])
    for (const one of begun) settle(one, null)
    expect(stage.mayLaunch()).toBe(true)
    expect(stage.begin(stage.next())).toEqual(first?.[0]?.input)
  })

  it('knows the results that are there already', () => {
    const { stage, launch, settle } = stageOf(
      step('slow', { effect: 'read' }),
      read('then', ['slow']),
      read('last', ['slow', 'then']),
    )
    for (const one of launch()) settle(one)
    const [wave] = stage.following(launch().map(({ id }) => id)).waves
    expect(wave?.[0]?.input.sources).toEqual([
      { step: 'slow', iteration: 0, ref: 'ref-slow' },
      { step: 'then', iteration: 0, ref: null },
    ])
  })

  const stops: Readonly<Record<string, SkeletonStep>> = {
    'a step on the regular lane': step('next', { needs: ['first'] }),
    'a step that has an effect': read('next', ['first'], { effect: 'write' }),
    'a loop': loop('next', { needs: ['first'], lane: 'fast', effect: 'read' }),
    'a step that waits for its time': read('next', ['first'], { at: 2_000 }),
    'a step that any of its needs lets begin': read('next', ['first', 'other'], { join: 'any' }),
  }
  it.each(Object.entries(stops))('ends before %s, and before all beside it', (_, next) => {
    const seen = lookFrom(
      read('first'),
      next,
      read('beside', ['first']),
      step('other', { needs: ['next'] }),
    )
    expect(seen).toEqual({ waves: [], answer: null })
  })

  it('ends behind the waves before such a step', () => {
    const seen = lookFrom(
      read('a'),
      read('b', ['a']),
      step('c', { needs: ['b'] }),
      read('d', ['b']),
    )
    expect(seen).toEqual({ waves: [['b']], answer: null })
  })

  it('sees nothing while anything else is at work', () => {
    const { stage, launch } = stageOf(read('a'), step('long'), read('b', ['a']))
    launch()
    expect(stage.following(['a'])).toEqual({ waves: [], answer: null })
  })

  it('sees nothing while a step waits for a slot', () => {
    const { stage, launch } = stageOf(read('a'), read('late'), read('b', ['a']))
    launch(1)
    expect(stage.following(['a'])).toEqual({ waves: [], answer: null })
  })

  it('sees no step that is run again', () => {
    const { stage, launch, settle } = stageOf(read('a', [], { onError: 'hold' }), read('b', ['a']))
    const [a] = launch()
    if (a === undefined) throw new Error('nothing was launched')
    settle(a)
    const [b] = launch()
    if (b === undefined) throw new Error('nothing was launched')
    settle(b)
    stage.again({ step: 'a', reruns: ['a', 'b'].map((id) => ({ step: id, rerun: 1 })) })
    expect(launch().map(({ id }) => id)).toEqual(['a'])
    expect(stage.following(['a'])).toEqual({ waves: [], answer: null })
  })

  it('sees no answer while something waits for a person or for a time', () => {
    const { stage, launch } = stageOf(read('asked'), read('a'))
    const [asked] = launch()
    if (asked === undefined) throw new Error('nothing was launched')
    const approvals = [{ id: 'approval', expiresAt: 9_000 }]
    const waiting = { outcome: 'waiting', approvals, resultRef: null } as const
    stage.end(asked, { ...waiting, attempts: 1, durationMs: 1 }, 1_000)
    expect(stage.following(['a'])).toEqual({ waves: [], answer: null })
    expect(lookFrom(read('a'), read('later', [], { at: 2_000 })).answer).toBeNull()
  })

  it('sees as many steps as may be at work at once, and no more', () => {
    const chain = Array.from({ length: limits.fanOut + 2 }, (_, nth) =>
      read(`s${nth}`, nth === 0 ? [] : [`s${nth - 1}`]),
    )
    const { waves, answer } = lookFrom(...chain)
    expect(waves).toHaveLength(limits.fanOut)
    expect(answer).toBeNull()
  })
})
