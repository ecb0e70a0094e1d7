// When the notary believes its clock: always, but for a few seconds after a jump.

import { describe, expect, it } from 'vitest'
import { createSteadiness } from '../../notary/steady-clock.ts'

function start() {
  const time = { wall: 1_800_000_000_000, uptime: 5_000 }
  const isSteady = createSteadiness(
    () => time.wall,
    () => time.uptime,
  )
  return {
    isSteady,
    /** Time passes, and the wall clock is moved besides. */
    pass(ms: number, moved = 0) {
      time.wall += ms + moved
      time.uptime += ms
      return isSteady()
    },
  }
}

const hourMs = 3_600_000

describe('a wall clock', () => {
  it('is believed while it runs, however long nobody asks', () => {
    const { pass } = start()
    expect([pass(10), pass(hourMs * 24), pass(10)]).toEqual([true, true, true])
  })

  it('is believed while it is corrected slowly, for hours in all', () => {
    const { pass } = start()
    expect(Array.from({ length: 5_000 }, () => pass(1_000, 1_000)).every(Boolean)).toBe(true)
  })

  it.each([hourMs, -hourMs])('is not believed after a jump of %s ms, until it stayed', (jump) => {
    const { pass } = start()
    expect(pass(1_000, jump)).toBe(false)
    expect(pass(4_000)).toBe(false)
    expect(pass(1_000)).toBe(true)
    expect(pass(1_000)).toBe(true)
  })

  it('is believed at once when a jump is taken back', () => {
    const { pass } = start()
    expect(pass(1_000, hourMs)).toBe(false)
    expect(pass(2_000, -hourMs)).toBe(true)
  })

  it('is not believed while it keeps jumping', () => {
    const { pass } = start()
    expect(Array.from({ length: 10 }, () => pass(4_000, 60_000))).not.toContain(true)
  })
})
