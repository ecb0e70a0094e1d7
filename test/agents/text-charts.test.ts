// Sparklines and bars: what they look like, and that no number makes them anything but one line of the
// width that was asked for.

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bar, sparkline } from '../../agents/text-charts.ts'

describe('a sparkline', () => {
  test('goes from its lowest value to its highest', () => {
    expect(sparkline([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█')
    expect(sparkline([10, -10, 0])).toBe('█▁▅')
  })

  test('is flat where all values are alike, and empty without values', () => {
    expect(sparkline([5, 5, 5])).toBe('▁▁▁')
    expect(sparkline([])).toBe('')
  })

  test('has a gap where nothing is known', () => {
    expect(sparkline([1, null, 5, Number.NaN, 8, Infinity])).toBe('▁ ▅ █ ')
    expect(sparkline([null, Number.NaN])).toBe('  ')
  })

  test('shows the last values of a long list', () => {
    expect(sparkline([...Array.from({ length: 1_000 }, () => 9), 1])).toBe(`${'█'.repeat(199)}▁`)
  })

  test('has a character for each value, whatever the values are', () => {
    const values = fc.array(fc.oneof(fc.double(), fc.constant(null)), { maxLength: 200 })
    fc.assert(
      fc.property(values, (drawn) => {
        const line = sparkline(drawn)
        expect(line).toMatch(/^[▁-█ ]*$/u)
        expect(line).toHaveLength(drawn.length)
      }),
    )
  })
})

describe('a bar', () => {
  test('is as long as its share of the width, in eighths', () => {
    expect(bar(8, 8, 4)).toBe('████')
    expect(bar(3, 8, 4)).toBe('█▌')
    expect(bar(1, 64, 8)).toBe('▏')
  })

  test('can be seen for any amount, and is full for more than the most', () => {
    expect(bar(1, 1_000_000, 10)).toBe('▏')
    expect(bar(20, 10, 3)).toBe('███')
  })

  test.each([
    [0, 5, 10],
    [-3, 5, 10],
    [3, 0, 10],
    [3, -5, 10],
    [Number.NaN, 5, 10],
    [3, Infinity, 10],
    [3, 5, 0],
    [3, 5, -4],
    [3, 5, Number.NaN],
  ])('of %d out of %d in %d columns is empty', (value, most, width) => {
    expect(bar(value, most, width)).toBe('')
  })

  test('never goes beyond its width, whatever the numbers are', () => {
    fc.assert(
      fc.property(fc.double(), fc.double(), fc.integer({ min: 0, max: 300 }), (...drawn) => {
        const [, , width] = drawn
        const picture = bar(...drawn)
        expect(picture).toMatch(/^█*[▏▎▍▌▋▊▉]?$/u)
        expect(picture.length).toBeLessThanOrEqual(Math.min(width, 200))
      }),
    )
  })
})
