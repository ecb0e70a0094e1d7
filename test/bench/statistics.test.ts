// What the benches make of measured times, and how they measure: with samples and clocks of the test's.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { measure, type Side } from '../../bench/harness.ts'
import {
  type BenchResult,
  brokenPromises,
  mergeResults,
  readResults,
  toMarkdown,
  toResult,
} from '../../bench/results.ts'
import { quantile, summarise } from '../../bench/statistics.ts'

describe('a quantile', () => {
  it('is what others compute', () => {
    // numpy.quantile([7, 1, 4, 2], [0, 0.25, 0.5, 0.75, 1])
    const samples = [7, 1, 4, 2]
    const found = [0, 0.25, 0.5, 0.75, 1].map((fraction) => quantile(samples, fraction))
    expect(found).toEqual([1, 1.75, 3, 4.75, 7])
    expect(samples).toEqual([7, 1, 4, 2])
  })

  it('lies between the samples, and never falls when the fraction grows', () => {
    const samples = fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 1, maxLength: 30 })
    const unit = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(samples, unit, unit, (values, one, other) => {
        const [low, high] = [Math.min(one, other), Math.max(one, other)]
        expect(quantile(values, low)).toBeGreaterThanOrEqual(Math.min(...values))
        expect(quantile(values, high)).toBeLessThanOrEqual(Math.max(...values))
        expect(quantile(values, low)).toBeLessThanOrEqual(quantile(values, high))
      }),
    )
  })

  it('is not made of nothing', () => {
    expect(() => summarise([])).toThrow(RangeError)
  })

  it('is not moved by one outlier', () => {
    expect(summarise([10, 10, 10, 10, 1_000])).toEqual({
      ...{ median: 10, p25: 10, p75: 10, spread: 0, samples: 5 },
    })
  })
})

/** Sides that take what `times` says, on a clock that only they move. */
function scripted(times: Readonly<Record<string, (run: number) => number>>) {
  const clock = { now: 0 }
  const order: string[] = []
  const sides = Object.entries(times).map(([name, time]): Side => {
    let run = 0
    return {
      name,
      async run() {
        order.push(name)
        clock.now += time(run)
        run += 1
      },
    }
  })
  return { sides, order, now: () => clock.now }
}

const quietly = { rounds: 4, warmUps: 1, maxSpread: 0.25, maxTries: 3, say: () => undefined }

describe('a measurement', () => {
  it('runs the sides in turn, each round beginning with another, and leaves out the warm-up', async () => {
    const { sides, order, now } = scripted({ one: (run) => (run === 0 ? 500 : 10), two: () => 20 })
    const measured = await measure(sides, { ...quietly, now })
    expect(order).toEqual(['one', 'two', 'one', 'two', 'two', 'one', 'one', 'two', 'two', 'one'])
    expect([...measured.sides].map(([name, { median }]) => [name, median])).toEqual([
      ['one', 10],
      ['two', 20],
    ])
    expect(measured).toMatchObject({ tries: 1, steady: true })
  })

  it('is made again while it spreads, and the steadiest is kept', async () => {
    const { sides, now } = scripted({
      one: (run) => (run < 5 ? (run % 2) * 90 + 10 : 10),
    })
    const measured = await measure(sides, { ...quietly, now })
    expect(measured).toMatchObject({ tries: 2, steady: true })
  })

  it('says when it never was steady', async () => {
    const { sides, now } = scripted({ one: (run) => (run % 2) * 90 + 10 })
    const measured = await measure(sides, { ...quietly, now })
    expect(measured).toMatchObject({ tries: 3, steady: false })
  })

  it('counts per piece', async () => {
    const { sides, now } = scripted({ one: () => 50 })
    const many = sides.map((side) => ({ ...side, pieces: 5 }))
    const measured = await measure(many, { ...quietly, now })
    expect(measured.sides.get('one')?.median).toBe(10)
  })
})

const about = { name: 'dag', about: 'ten reads', command: 'npm run bench', on: 'linux', rounds: 4 }

async function resultOf(one: number, two: number, must: number): Promise<BenchResult> {
  const { sides, now } = scripted({ one: () => one, two: () => two })
  return toResult(about, await measure(sides, { ...quietly, now }), [
    { of: 'one', to: 'two', must },
  ])
}

describe('a result', () => {
  it('breaks its promise when the ratio is higher than it must be', async () => {
    const held = await resultOf(6, 10, 0.6)
    const broken = await resultOf(7, 10, 0.6)
    expect(brokenPromises(held)).toEqual([])
    expect(brokenPromises(broken)).toEqual(['dag: one / two is 0.7, must be 0.6'])
    const counted = { ...held, counts: [{ name: 'tasks per step', value: 0.7, must: 0.5 }] }
    expect(brokenPromises(counted)).toEqual(['dag: tasks per step is 0.7, must be 0.5'])
  })

  it('is read again from the file that it was written to', async () => {
    const results = [await resultOf(6, 10, 0.6), { ...(await resultOf(1, 2, 1)), name: 'scale' }]
    expect(readResults(toMarkdown(results))).toEqual(results)
    expect(readResults('')).toEqual([])
  })

  it('replaces the one of its name and no other', async () => {
    const [first, second] = [await resultOf(6, 10, 0.6), await resultOf(5, 10, 0.6)]
    const scale = { ...first, name: 'scale' }
    expect(mergeResults([scale, first], [second])).toEqual([second, scale])
  })
})
