// Notices that the wall clock was moved, by comparing it with the machine's uptime. A jump forward that
// is taken back again (a wrong time server, a wrong key press) would leave rows of the future behind,
// and nothing could be recorded until time had caught up with them. So nothing is recorded for a few
// seconds after a jump: if the new time stays, it is believed. Slow corrections (NTP slews) pass.

/** Differences this small are slews, leap seconds and scheduling. */
const toleranceMs = 2_000
/** A moved clock is believed once it has kept its new time for this long. */
const believedAfterMs = 5_000

/**
 * Returns a function that says whether the wall clock can be believed now.
 * @param wall milliseconds since the epoch
 * @param uptime milliseconds that never step, from any origin; it may stand still while the machine sleeps
 */
export function createSteadiness(wall: () => number, uptime: () => number): () => boolean {
  let offset = wall() - uptime()
  let moved: { readonly offset: number; readonly since: number } | undefined
  const isNear = (a: number, b: number) => Math.abs(a - b) <= toleranceMs
  return () => {
    const now = uptime()
    const seen = wall() - now
    if (moved !== undefined && isNear(seen, moved.offset) && now - moved.since >= believedAfterMs) {
      moved = undefined
      offset = seen
    }
    if (isNear(seen, offset)) {
      moved = undefined
      // Follows what drifts; what jumps is never near.
      offset = seen
      return true
    }
    if (moved === undefined || !isNear(seen, moved.offset)) moved = { offset: seen, since: now }
    return false
  }
}
