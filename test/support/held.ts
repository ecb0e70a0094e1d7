// Lets a test decide when something goes on, instead of how long it takes.

export interface Held {
  /** What waits for this goes on when the test says so. */
  readonly until: Promise<void>
  release(): void
}

export function createHeld(): Held {
  let release: () => void = () => undefined
  const until = new Promise<void>((resolve) => {
    release = resolve
  })
  return { until, release: () => release() }
}
