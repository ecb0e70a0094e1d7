// A wall clock that a test can move, for a whole process: `Date.now` plus what a file says. Entries of
// the nemesis call it before they import anything that keeps time. Monotonic time and timers stay.

import { readFileSync } from 'node:fs'

const lookEveryMs = 50

/** `file` holds milliseconds, as text; absent means none. */
export function followClock(file: string): void {
  const real = Date.now
  let offset = 0
  let looked = 0
  Date.now = () => {
    const now = real()
    if (now - looked > lookEveryMs) {
      looked = now
      offset = readOffset(file)
    }
    return now + offset
  }
}

function readOffset(file: string): number {
  try {
    const offset = Number(readFileSync(file, 'utf8'))
    return Number.isSafeInteger(offset) ? offset : 0
  } catch {
    return 0
  }
}
