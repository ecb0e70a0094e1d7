// When an agent says how it is: at its start, at intervals, and soon after it was at work, so that
// what is shown of it is not half a minute old. The latter never in the middle of another command:
// whoever watches its bytes takes what comes out for the reply. Says nothing itself; `beat` does.

export interface Heart {
  /** Runs one command; a beat follows when no other is under way. */
  around<T>(work: () => Promise<T>): Promise<T>
  stop(): void
}

/** Commands in a row are told of together. */
const settleMs = 1_000
/** Between two beats for work, so that a busy agent says no more than one that is not. */
const leastGapMs = 5_000

export function startHeart({
  beat,
  everyMs,
  onInterval,
}: {
  /** Resolves when it has been said. */
  readonly beat: () => Promise<void>
  readonly everyMs: number
  /** At the same pace, for what an agent does now and then. */
  readonly onInterval: () => void
}): Heart {
  let working = 0
  let soon: NodeJS.Timeout | undefined
  let lastAt = Number.NEGATIVE_INFINITY
  const say = () => {
    lastAt = performance.now()
    void beat()
  }
  const arm = () => {
    soon ??= setTimeout(
      () => {
        soon = undefined
        if (working > 0) return
        say()
      },
      Math.max(settleMs, lastAt + leastGapMs - performance.now()),
    ).unref()
  }
  const interval = setInterval(() => {
    say()
    onInterval()
  }, everyMs)
  arm()
  return {
    async around(work) {
      working += 1
      try {
        return await work()
      } finally {
        working -= 1
        arm()
      }
    },
    stop() {
      clearInterval(interval)
      clearTimeout(soon)
    },
  }
}
