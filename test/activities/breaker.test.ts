// The breaker as a state machine. The times are the test's.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  admit,
  afterAnswer,
  afterNothing,
  afterSilence,
  type Breaker,
  closed,
} from '../../activities/breaker.ts'

const silences = (count: number, from: Breaker, now: number) =>
  Array.from({ length: count }).reduce<Breaker>((state) => afterSilence(state, now), from)
/** As a caller keeps it: whoever is admitted leaves the state that it made. */
function tried(breaker: Breaker, now: number): Breaker {
  const admission = admit(breaker, now)
  if (!admission.admitted) throw new Error(`not before ${admission.retryMs}`)
  return admission.breaker
}

describe('a breaker', () => {
  it('opens after five calls in a row without an answer, and not after four', () => {
    expect(admit(silences(4, closed, 0), 0).admitted).toBe(true)
    expect(admit(silences(5, closed, 0), 0)).toEqual({ admitted: false, retryMs: 1_000 })
    const between = silences(4, afterAnswer(), 0)
    expect(admit(between, 0).admitted).toBe(true)
  })

  it('lets one attempt find out when its time is over, and the others wait for that', () => {
    const open = silences(5, closed, 0)
    const probing = tried(open, 1_000)
    expect(probing.phase).toBe('half-open')
    expect(admit(probing, 1_000)).toEqual({ admitted: false, retryMs: 1_000 })
    expect(admit(afterAnswer(), 1_001).admitted).toBe(true)
  })

  it('waits twice as long each time that it finds nobody, up to half a minute', () => {
    let breaker = silences(5, closed, 0)
    let now = 0
    const waits = Array.from({ length: 7 }, () => {
      const refused = admit(breaker, now)
      if (refused.admitted) throw new Error('not open')
      now += refused.retryMs
      breaker = afterSilence(tried(breaker, now), now)
      return refused.retryMs
    })
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
  })

  it('is not moved by calls that were out when it opened', () => {
    const open = silences(5, closed, 0)
    expect(silences(20, open, 500)).toEqual(open)
  })

  it('may be tried again when the attempt that was to find out did not call, or was lost', () => {
    const probing = tried(silences(5, closed, 0), 1_000)
    expect(admit(afterNothing(probing, 1_500), 1_500).admitted).toBe(true)
    expect(admit(probing, 1_000 + 60_000).admitted).toBe(true)
    expect(afterNothing(closed, 5)).toEqual(closed)
  })

  it('never refuses for longer than half a minute, whatever happens to it', () => {
    const event = fc.record({
      kind: fc.constantFrom('answer', 'silence', 'nothing', 'ask'),
      later: fc.nat({ max: 40_000 }),
    })
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let breaker = closed
        let now = 0
        for (const { kind, later } of events) {
          now += later
          if (kind === 'answer') breaker = afterAnswer()
          if (kind === 'silence') breaker = afterSilence(breaker, now)
          if (kind === 'nothing') breaker = afterNothing(breaker, now)
          const admission = admit(breaker, now)
          if (admission.admitted) breaker = admission.breaker
          else expect(admission.retryMs).toBeGreaterThan(0)
          if (!admission.admitted) expect(admission.retryMs).toBeLessThanOrEqual(30_000)
        }
      }),
    )
  })
})
