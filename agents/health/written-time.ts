// Dates as exports write them, `yyyy-MM-dd HH:mm:ss Z`, read by position: an export has millions. Both
// the instant and the offset are kept. Invariant: a date that is in no calendar is undefined.

import type { InstantSeconds } from './samples.ts'

export interface WrittenTime {
  readonly at: InstantSeconds
  /** Minutes ahead of UTC. */
  readonly offset: number
}

/** From UTC-12 to UTC+14. */
const maxOffset = 14 * 60

/** Remembers the last day, because the next sample is mostly of the same. */
export function createTimeReader(): (text: string | undefined) => WrittenTime | undefined {
  let lastDay = ''
  let lastSeconds: number | undefined
  return (text) => {
    if (text?.length !== 25 || text[10] !== ' ' || text[19] !== ' ') return undefined
    if (text[13] !== ':' || text[16] !== ':') return undefined
    const day = text.slice(0, 10)
    if (day !== lastDay) {
      lastDay = day
      lastSeconds = secondsOfDay(day)
    }
    const [hour, minute, second] = [two(text, 11), two(text, 14), two(text, 17)]
    const [ahead, more] = [two(text, 21), two(text, 23)]
    const sign = text[20] === '+' ? 1 : text[20] === '-' ? -1 : 0
    const offset = sign * (ahead * 60 + more)
    const exists = hour < 24 && minute < 60 && second < 61 && more < 60 && sign !== 0
    if (lastSeconds === undefined || !exists || Math.abs(offset) > maxOffset) return undefined
    return {
      at: lastSeconds + hour * 3_600 + minute * 60 + Math.min(second, 59) - offset * 60,
      offset: offset === 0 ? 0 : offset,
    }
  }
}

function secondsOfDay(day: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return undefined
  const ms = Date.parse(`${day}T00:00:00Z`)
  // Of 31 February some engines make a day in March.
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== day) return undefined
  return ms / 1_000
}

/** Two digits; NaN, which is below nothing, for anything else. */
function two(text: string, at: number): number {
  const [tens, ones] = [text.charCodeAt(at) - 48, text.charCodeAt(at + 1) - 48]
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}
