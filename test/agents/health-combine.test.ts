// The arithmetic of several sources against a way of its own: every second is a cell, painted by the best
// source that says anything of it. And that what is packed is unpacked exactly.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bucketAmounts,
  combineAmounts,
  combineReadings,
  union,
} from '../../agents/health/combine.ts'
import { keyOf, pack, type Sample, sortSamples, unpack } from '../../agents/health/samples.ts'

const seconds = 120
/** Of a rate, so that every part of it is exact. */
const amount = fc
  .record({
    start: fc.integer({ min: 0, max: seconds - 1 }),
    length: fc.integer({ min: 1, max: 40 }),
    rate: fc.integer({ min: 0, max: 9 }),
  })
  .map(({ start, length, rate }): Sample => {
    const end = Math.min(start + length, seconds)
    return { start, end, offset: 0, value: rate * (end - start) }
  })
/** One after the other: what one source says of one time twice counts twice, which cells cannot show. */
const disjoint = (samples: readonly Sample[]) => {
  const kept: Sample[] = []
  for (const sample of sortSamples(samples)) {
    if (sample.start >= (kept.at(-1)?.end ?? 0)) kept.push(sample)
  }
  return kept
}
const voice = (samples: readonly Sample[], rank: number, isTotal = false) => ({
  rank,
  id: rank,
  isTotal,
  samples,
})
const sourceLists = fc.array(fc.array(amount, { maxLength: 12 }).map(disjoint), { maxLength: 4 })
const boundaries = [0, 30, 31, 90, seconds]

describe('amounts of several sources', () => {
  it('are those of the best source of each second', () => {
    fc.assert(
      fc.property(sourceLists, (lists) => {
        const cells: (number | undefined)[] = Array(seconds).fill(undefined)
        for (const samples of lists) {
          const before = [...cells]
          for (const { start, end, value } of samples) {
            for (let at = start; at < end; at += 1) {
              if (before[at] === undefined) cells[at] = value / (end - start)
            }
          }
        }
        const sums = boundaries
          .slice(1)
          .map((to, index) =>
            cells.slice(boundaries[index], to).reduce((a: number, b) => a + (b ?? 0), 0),
          )
        const voices = lists.map((samples, rank) => voice(samples, rank)).reverse()
        const counted = bucketAmounts(combineAmounts(voices), boundaries)
        expect(counted.map(({ value }) => value)).toEqual(
          sums.map((sum) => Math.round(sum * 1e3) / 1e3),
        )
      }),
    )
  })

  it('with a total of all of them come to it, or to what was counted where that is more', () => {
    fc.assert(
      fc.property(sourceLists, fc.integer({ min: 0, max: 2_000 }), (lists, value) => {
        const voices = lists.map((samples, rank) => voice(samples, rank))
        const whole = [0, seconds]
        const [without] = bucketAmounts(combineAmounts(voices), whole)
        const total = voice([{ start: 0, end: seconds, offset: 0, value }], 9, true)
        const [all] = bucketAmounts(combineAmounts([...voices, total]), whole)
        expect(all?.value).toBeCloseTo(Math.max(value, without?.value ?? 0), 2)
      }),
    )
  })

  it('that took no time count once, unless a better source covers that time', () => {
    const at = (start: number, value: number): Sample => ({ start, end: start, offset: 0, value })
    const better = voice([{ start: 10, end: 20, offset: 0, value: 5 }], 0)
    const counted = combineAmounts([better, voice([at(5, 1), at(10, 2), at(20, 4)], 1)])
    expect(bucketAmounts(counted, [0, 10, 20, 30]).map(({ value }) => value)).toEqual([1, 5, 4])
  })
})

describe('readings of several sources', () => {
  it('are all those of the best source in each slot, and no others', () => {
    const at = (start: number): Sample => ({ start, end: start, offset: 0, value: start })
    const [best, worse] = [voice([at(1), at(2), at(25)], 0), voice([at(3), at(12), at(26)], 1)]
    const counted = combineReadings([worse, best], (start) => Math.floor(start / 10))
    expect(counted.map(({ start }) => start)).toEqual([1, 2, 12, 25])
  })
})

describe('a union', () => {
  it('covers each second once', () => {
    const interval = amount.map(({ start, end }) => [start, end] as const)
    fc.assert(
      fc.property(fc.array(interval), (intervals) => {
        const inside = (list: readonly (readonly [number, number])[], at: number) =>
          list.filter(([from, to]) => from <= at && at < to).length
        const joined = union(intervals)
        for (let at = 0; at < seconds; at += 1) {
          expect(inside(joined, at)).toBe(inside(intervals, at) > 0 ? 1 : 0)
        }
      }),
    )
  })
})

describe('packed samples', () => {
  const sample = fc
    .record({
      start: fc.integer({ min: 0, max: 4_000_000_000 }),
      length: fc.integer({ min: 0, max: 172_800 }),
      offset: fc.integer({ min: -840, max: 840 }),
      value: fc.oneof(
        fc.integer({ min: 0, max: 1_000_000 }),
        fc.integer({ min: 0, max: 100_000 }).map((thousandths) => thousandths / 1_000),
        fc.double({ min: 0, max: 1_000_000, noNaN: true }),
      ),
    })
    .map(({ start, length, offset, value }): Sample => {
      return { start, end: start + length, offset, value: value === 0 ? 0 : value }
    })

  it('are the same unpacked', () => {
    fc.assert(
      fc.property(fc.array(sample, { maxLength: 50 }), (samples) => {
        const sorted = sortSamples(samples)
        expect(unpack(pack(sorted))).toEqual(sorted)
      }),
    )
  })

  it('are told apart by their interval alone', () => {
    fc.assert(
      fc.property(sample, sample, (one, other) => {
        const isSame = one.start === other.start && one.end === other.end
        expect(keyOf(one) === keyOf(other)).toBe(isSame)
        expect(keyOf(one)).toBe(keyOf({ ...other, start: one.start, end: one.end }))
      }),
    )
  })

  it('that are cut off are refused', () => {
    const packed = pack([
      { start: 1_700_000_000, end: 1_700_000_060, offset: 60, value: 0.1234567 },
    ])
    for (let length = 1; length < packed.length; length += 1) {
      expect(() => unpack(packed.subarray(0, length))).toThrow(/cut off/)
    }
  })
})
