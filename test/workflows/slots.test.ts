// The slots that steps and chunks of one run share.

import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createSlots } from '../../workflows/slots.ts'

describe('slots', () => {
  it('are handed out in the order in which they were asked for', async () => {
    const slots = createSlots(4)
    const got: string[] = []
    const ask = (name: string, count: number) =>
      slots.take(count).then((taken) => got.push(`${name} ${taken}`))
    expect(slots.tryTake()).toBe(true)
    const all = Promise.all([ask('four', 4), ask('one', 1)])
    await nextTurn()
    // Three are free, and who needs four is not overtaken by who needs one.
    expect(slots.tryTake()).toBe(false)
    expect(got).toEqual([])
    slots.give(1)
    await nextTurn()
    expect(got).toEqual(['four true'])
    slots.give(4)
    await all
    expect(got).toEqual(['four true', 'one true'])
    expect(slots.tryTake()).toBe(true)
  })

  it('tell when some are free that nobody waits for', () => {
    let told = 0
    const slots = createSlots(1, () => {
      told += 1
    })
    expect(slots.tryTake()).toBe(true)
    expect(told).toBe(0)
    slots.give(1)
    expect(told).toBe(1)
  })

  it('turn away whoever waits, and everybody after them, once closed', async () => {
    const slots = createSlots(1)
    slots.tryTake()
    const waiting = slots.take(1)
    slots.close()
    expect(await waiting).toBe(false)
    slots.give(1)
    expect(await slots.take(1)).toBe(false)
    expect(slots.tryTake()).toBe(false)
  })

  it('that do not exist cannot be asked for', () => {
    expect(() => createSlots(1).take(2)).toThrow(/more slots/)
  })
})
