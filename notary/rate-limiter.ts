// Bounds how much one source can make the notary write: rows a second and bytes a minute. Beyond it,
// messages are counted, and the count is handed out once when the minute closes. Memory only: a
// restart forgets counts, never rows.

export interface RateLimits {
  readonly perSecond: number
  readonly bytesPerMinute: number
}

/** What a source sent beyond its limit in one minute. */
export interface Overflow {
  readonly source: string
  readonly count: number
  readonly bytes: number
  /** Which minute, counted from the epoch. */
  readonly minute: number
}

export interface RateLimiter {
  /** True when one more of `bytes` may be written for `source`; else it is counted. */
  take(source: string, bytes: number, now: number): boolean
  /** Overflows of minutes that are over at `now`; each is handed out once. */
  closed(now: number): readonly Overflow[]
}

interface Window {
  readonly second: number
  readonly minute: number
  readonly taken: number
  readonly bytes: number
}

export function createRateLimiter(limits: RateLimits): RateLimiter {
  const windows = new Map<string, Window>()
  const overflows = new Map<string, Overflow>()
  return {
    take: (source, bytes, now) => {
      const second = Math.floor(now / 1_000)
      const minute = Math.floor(now / 60_000)
      const last = windows.get(source)
      const taken = last?.second === second ? last.taken : 0
      const used = last?.minute === minute ? last.bytes : 0
      if (taken < limits.perSecond && used + bytes <= limits.bytesPerMinute) {
        windows.set(source, { second, minute, taken: taken + 1, bytes: used + bytes })
        return true
      }
      const over = overflows.get(source) ?? { source, count: 0, bytes: 0, minute }
      overflows.set(source, { ...over, count: over.count + 1, bytes: over.bytes + bytes })
      return false
    },
    closed: (now) => {
      const minute = Math.floor(now / 60_000)
      const closed = [...overflows.values()].filter((overflow) => overflow.minute !== minute)
      for (const { source } of closed) overflows.delete(source)
      return closed
    },
  }
}
