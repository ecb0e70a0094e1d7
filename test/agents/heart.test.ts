// When an agent says how it is. The clock is the test's.

import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { startHeart } from '../../agents/heart.ts'

let beats = 0
let pruned = 0
const start = () =>
  startHeart({
    beat: async () => {
      beats += 1
    },
    everyMs: 30_000,
    onInterval: () => {
      pruned += 1
    },
  })

beforeEach(() => {
  vi.useFakeTimers()
  beats = 0
  pruned = 0
})
afterEach(() => vi.useRealTimers())

it('beats at the start, then at intervals, and no more once stopped', async () => {
  const heart = start()
  await vi.advanceTimersByTimeAsync(2_000)
  expect([beats, pruned]).toEqual([1, 0])
  await vi.advanceTimersByTimeAsync(60_000)
  expect([beats, pruned]).toEqual([3, 2])
  heart.stop()
  await vi.advanceTimersByTimeAsync(60_000)
  expect([beats, pruned]).toEqual([3, 2])
})

it('beats once for commands in a row, and never while one is under way', async () => {
  const heart = start()
  await vi.advanceTimersByTimeAsync(10_000)
  const before = beats
  let finish: () => void = () => undefined
  const work = new Promise<void>((resolve) => {
    finish = resolve
  })
  const long = heart.around(() => work)
  for (let n = 0; n < 5; n += 1) await heart.around(async () => n)
  await vi.advanceTimersByTimeAsync(9_000)
  expect(beats).toBe(before)
  finish()
  await long
  await vi.advanceTimersByTimeAsync(2_000)
  expect(beats).toBe(before + 1)
  // A busy agent says no more than one that is not.
  for (let n = 0; n < 3; n += 1) {
    await heart.around(async () => n)
    await vi.advanceTimersByTimeAsync(1_000)
  }
  expect(beats).toBe(before + 1)
  heart.stop()
})

it('beats after a command that failed as well', async () => {
  const heart = start()
  await vi.advanceTimersByTimeAsync(10_000)
  const before = beats
  await expect(heart.around(() => Promise.reject(new Error('bug')))).rejects.toThrow('bug')
  await vi.advanceTimersByTimeAsync(2_000)
  expect(beats).toBe(before + 1)
  heart.stop()
})
