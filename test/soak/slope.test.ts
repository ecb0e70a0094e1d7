import { expect, it } from 'vitest'
import { median, slopePerHour, thinOut } from './slope.ts'

const minute = 60_000
const growing = Array.from({ length: 60 }, (_, index) => ({
  at: index * minute,
  value: 1_000 + 2 * index,
}))

it('measures what grows, by the hour', () => {
  expect(slopePerHour(growing)).toBeCloseTo(120)
  expect(slopePerHour(growing.map((sample) => ({ ...sample, value: 7 })))).toBe(0)
  expect(slopePerHour(growing.map(({ at, value }) => ({ at, value: -value })))).toBeCloseTo(-120)
})

it('is not moved by a quarter of the samples being anywhere', () => {
  const spoilt = growing.map(({ at, value }, index) =>
    index % 4 === 1 ? { at, value: value + 1_000_000 } : { at, value },
  )
  const slope = slopePerHour(spoilt)
  expect(slope).toBeGreaterThan(60)
  expect(slope).toBeLessThan(240)
})

it('says nothing of less than two times', () => {
  expect(slopePerHour([])).toBeUndefined()
  expect(slopePerHour([{ at: 1, value: 1 }])).toBeUndefined()
  expect(
    slopePerHour([
      { at: 1, value: 1 },
      { at: 1, value: 2 },
    ]),
  ).toBeUndefined()
})

it('takes the middle', () => {
  expect(median([])).toBeUndefined()
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
})

it('thins out evenly, and keeps both ends', () => {
  const items = Array.from({ length: 1_000 }, (_, index) => index)
  const kept = thinOut(items, 11)
  expect(kept).toEqual([0, 100, 200, 300, 400, 500, 599, 699, 799, 899, 999])
  expect(thinOut([1, 2], 11)).toEqual([1, 2])
})
