// What a local activity has carried on with is taken up as if the waves had come one after the other:
// whatever becomes of which step, a run that looks ahead does the same and comes to the same.

import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { carryOn } from '../../activities/carry-on.ts'
import type { SkeletonStep } from '../../plan/schema.ts'
import { createAhead } from '../../workflows/ahead.ts'
import type { SourceRef, StepInput, StepResult, WaveResult } from '../../workflows/contract.ts'
import { createFastLane } from '../../workflows/fast-lane.ts'
import { createLaneDispatch, type LanePorts } from '../../workflows/lane-dispatch.ts'
import type { Following } from '../../workflows/look-ahead.ts'
import { createFakeRun, type FakeRun, runSteps, step } from './fake-ports.ts'

const source = (id: string, ref: string | null = null): SourceRef => ({
  ...{ step: id, iteration: 0, ref },
})
const inputOf = (id: string, sources: readonly SourceRef[] = []): StepInput => ({
  ...{ planRef: 'p', digest: 'd', requestId: 'r', step: id, iteration: 0, kind: 'do' },
  ...{ sources, attempts: 2 },
})
const launch = (id: string, needs: readonly string[] = []) => ({
  step: step(id, { needs }),
  input: inputOf(
    id,
    needs.map((need) => source(need)),
  ),
})
const settled = (id: string): StepResult => ({
  ...{ outcome: 'settled', resultRef: `ref-${id}`, attempts: 1, durationMs: 1 },
})

describe('what was carried on with', () => {
  const wave = [launch('a')]
  const following: Following = {
    waves: [[launch('b', ['a'])], [launch('c', ['b'])]],
    answer: ['a', 'b', 'c'].map((id) => source(id)),
  }
  const all = { waves: ['a', 'b', 'c'].map((id) => [settled(id)]), answer: { answerRef: 'answer' } }
  const asked = inputOf('b', [source('a', 'ref-a')])

  it('is there when the run launches it, once', () => {
    const ahead = createAhead()
    ahead.keep(wave, following, all)
    expect(ahead.take(asked)).toEqual(settled('b'))
    expect(ahead.take(asked)).toBeUndefined()
    expect(ahead.take(inputOf('c', [source('b', 'ref-b')]))).toEqual(settled('c'))
  })

  it('does not count what the run had launched itself', () => {
    const ahead = createAhead()
    ahead.keep(wave, following, all)
    expect(ahead.take(inputOf('a'))).toBeUndefined()
  })

  it('was not begun where the activity ended before', () => {
    const ahead = createAhead()
    ahead.keep(wave, following, { waves: [[settled('a')]] })
    expect(ahead.take(asked)).toBeUndefined()
  })

  it('may be out, all of it, where the activity came to no end', () => {
    const ahead = createAhead()
    ahead.keep(wave, following, undefined)
    expect(ahead.take(asked)).toBeNull()
    expect(ahead.take(inputOf('c', [source('b', 'ref-b')]))).toBeNull()
    expect(ahead.answer([])).toBeUndefined()
  })

  it('may be out where the run builds on something else', () => {
    for (const sources of [[source('a', 'ref-other')], [], [source('x', 'ref-a')]]) {
      const ahead = createAhead()
      ahead.keep(wave, following, all)
      expect(ahead.take(inputOf('b', sources))).toBeNull()
    }
  })

  it('is not what a person has run again, nor an undo', () => {
    const ahead = createAhead()
    ahead.keep(wave, following, all)
    expect(ahead.take({ ...asked, rerun: 1 })).toBeUndefined()
    expect(ahead.take({ ...asked, kind: 'undo' })).toBeUndefined()
  })

  it('is the answer only to what it was composed of', () => {
    const ahead = createAhead()
    ahead.keep(wave, following, all)
    const sources = ['a', 'b', 'c'].map((id) => source(id, `ref-${id}`))
    expect(ahead.answer(sources)).toEqual({ answerRef: 'answer' })
    expect(ahead.answer(sources.slice(1))).toBeUndefined()
    expect(ahead.answer([...sources.slice(0, 2), source('c', null)])).toBeUndefined()
  })
})

type Fate = 'settled' | 'failed' | 'skipped' | 'none' | 'turned-away'

interface Case {
  readonly steps: readonly SkeletonStep[]
  readonly fates: readonly Fate[]
  /** How many waves one activity gets done in time. */
  readonly inTime: number
}

const mostly = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof(
    { weight: 9, arbitrary: fc.constant(usual) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  )

const caseOf: fc.Arbitrary<Case> = fc.integer({ min: 2, max: 9 }).chain((count) =>
  fc.record({
    steps: fc
      .tuple(
        ...Array.from({ length: count }, (_, nth) =>
          fc.record({
            needs: fc.subarray(Array.from({ length: nth }, (_unused, id) => `s${id}`)),
            lane: mostly<SkeletonStep['lane']>('fast', 'regular'),
            join: mostly<SkeletonStep['join']>('all', 'any'),
            onError: fc.constantFrom<SkeletonStep['onError']>('abort', 'continue'),
          }),
        ),
      )
      .map((drawn) => drawn.map((one, nth) => step(`s${nth}`, { effect: 'read', ...one }))),
    fates: fc.array(mostly<Fate>('settled', 'failed', 'skipped', 'none', 'turned-away'), {
      minLength: count,
      maxLength: count,
    }),
    inTime: fc.integer({ min: 1, max: 5 }),
  }),
)

/** Turns of the event loop; the run takes one or two to launch what has become ready. */
const aTask = 10

const fateOf = ({ fates }: Case, id: string): Fate => fates[Number(id.slice(1))] ?? 'settled'

/** A run of the case on fakes; `began`: what each local activity began. */
async function perform(given: Case, looksAhead: boolean) {
  const began: string[][] = []
  let far = false
  const fake: FakeRun = createFakeRun(async (name) => {
    const fate = fateOf(given, name)
    if (fate === 'failed') return { outcome: 'failed', code: 'NO_RESULT', resultRef: null }
    return fate === 'skipped' ? { outcome: 'skipped', resultRef: null } : {}
  })
  const { dispatch } = fake.ports
  const one = async (launched: SkeletonStep, input: StepInput): Promise<WaveResult> => {
    const fate = fateOf(given, input.step)
    if (fate === 'turned-away') return fate
    if (fate === 'none') return null
    return await dispatch(launched, input)
  }
  const byId = new Map(given.steps.map((each) => [each.id, each]))
  const lane = createFastLane({ task: () => 1, now: () => 0 })
  const ports: LanePorts = {
    regular: (launched, input) =>
      lane.regular(async () => {
        const result = await dispatch(launched, input)
        // It ends in another workflow task: whatever the run does in this one is done before.
        for (let turn = 0; turn < aTask; turn += 1) await nextTurn()
        return result
      }),
    wave: (launches) =>
      lane.local(() => Promise.all(launches.map(({ step: each, input }) => one(each, input)))),
    waves: (launches, about) => {
      const waves = launches.map((wave) =>
        wave.map(({ step: each, input }) => ({ type: each.type, input })),
      )
      let looks = 0
      const done: string[] = []
      began.push(done)
      return lane.local(() =>
        carryOn(
          { ...about, waves, beginWithinMs: given.inTime, endWithinMs: 1 },
          {
            // Once at first, and once before each further wave.
            now() {
              looks += 1
              return looks
            },
            ...{ over: new Promise(() => undefined), isLeaving: () => false },
            compose: async ({ sources }) => ({ answerRef: JSON.stringify(sources) }),
            run({ input }) {
              done.push(input.step)
              far ||= launches[0]?.every(({ step: { id } }) => id !== input.step) === true
              return one(byId.get(input.step) ?? step('none'), input)
            },
          },
        ),
      )
    },
  }
  const ahead = createAhead()
  fake.ports.dispatch = createLaneDispatch(lane, ports, looksAhead ? ahead : undefined)
  const { outcome, progress } = await runSteps(given.steps, fake)
  return {
    seen: { outcome, progress: [...progress.values()], log: fake.log, inputs: fake.inputs },
    ...{ began, far, answer: ahead.answer(outcome.sources), outcome },
  }
}

describe('a run that looks ahead', () => {
  it('does the same, in the same order, and comes to the same', async () => {
    let far = 0
    await fc.assert(
      fc.asyncProperty(caseOf, async (given) => {
        const [plain, looking] = [await perform(given, false), await perform(given, true)]
        expect(looking.seen).toEqual(plain.seen)
        if (looking.far) far += 1
        const { answer, outcome } = looking
        if (answer !== undefined) expect(answer.answerRef).toBe(JSON.stringify(outcome.sources))
      }),
      { numRuns: 300 },
    )
    // Otherwise nothing was compared.
    expect(far).toBeGreaterThan(30)
  })

  it('runs a whole plan of reads in one activity, its answer included', async () => {
    const read = (id: string, needs: readonly string[]) =>
      step(id, { effect: 'read', lane: 'fast', needs })
    const steps = [read('s0', []), read('s1', ['s0']), read('s2', ['s0']), read('s3', ['s1', 's2'])]
    const { began, answer, outcome } = await perform({ steps, fates: [], inTime: 9 }, true)
    expect(began).toEqual([['s0', 's1', 's2', 's3']])
    expect(outcome.status).toBe('completed')
    expect(answer).toBeDefined()
  })
})
