// A circuit breaker as a state and three pure functions (M. Nygard, Release It!, "Circuit Breaker"):
// after several calls in a row without an answer nobody calls any more for a while; then one does, and
// its luck decides. Knows no clock and no pool: the time is given, and whoever asks keeps the state.

/** All times are milliseconds since the epoch. */
export type Breaker =
  /** `failures`: calls without an answer since the last answer. */
  | { readonly phase: 'closed'; readonly failures: number }
  | { readonly phase: 'open'; readonly until: number; readonly waitMs: number }
  /** One attempt is out to see whether it answers again; should it be lost, another may at `until`. */
  | { readonly phase: 'half-open'; readonly until: number; readonly waitMs: number }

export type Admission =
  | { readonly admitted: true; readonly breaker: Breaker }
  /** Ask again after so long. */
  | { readonly admitted: false; readonly retryMs: number }

/** One lost reply is an accident, and a burst of steps at a killed agent is seen in half a second. */
const failuresToOpen = 5
const firstWaitMs = 1_000
/** An agent that was mended is used again within this. */
const longestWaitMs = 30_000
/** An attempt is cut off before this, so that a probe whose worker thread forgot it blocks nobody. */
const probeMs = 60_000

export const closed: Breaker = { phase: 'closed', failures: 0 }

/** May an attempt begin now? */
export function admit(breaker: Breaker, now: number): Admission {
  if (breaker.phase === 'closed') return { admitted: true, breaker }
  const { waitMs } = breaker
  if (now < breaker.until) {
    return { admitted: false, retryMs: Math.min(waitMs, breaker.until - now) }
  }
  return { admitted: true, breaker: { phase: 'half-open', until: now + probeMs, waitMs } }
}

export function afterAnswer(): Breaker {
  return closed
}

/** A call was not answered. Calls that were out when it opened say nothing new. */
export function afterSilence(breaker: Breaker, now: number): Breaker {
  switch (breaker.phase) {
    case 'closed': {
      const failures = breaker.failures + 1
      if (failures < failuresToOpen) return { phase: 'closed', failures }
      return { phase: 'open', until: now + firstWaitMs, waitMs: firstWaitMs }
    }
    case 'open':
      return breaker
    case 'half-open': {
      const waitMs = Math.min(breaker.waitMs * 2, longestWaitMs)
      return { phase: 'open', until: now + waitMs, waitMs }
    }
  }
}

/** The attempt that was to find out ended without having called. */
export function afterNothing(breaker: Breaker, now: number): Breaker {
  return breaker.phase === 'half-open'
    ? { phase: 'open', until: now, waitMs: breaker.waitMs }
    : breaker
}
