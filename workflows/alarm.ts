// Wakes whoever waits at the next instant that matters. One timer is out for the earliest of them; one
// that is out for a later instant just rings then, and finds nothing to do.

export interface AlarmPorts {
  /** Milliseconds since the epoch; rejects with the cancellation when the run is cancelled. */
  sleepUntil(at: number): Promise<void>
  isCancellation(error: unknown): boolean
}

export interface Alarm {
  /** Rings at this instant, milliseconds since the epoch; null: not on this account. */
  set(at: number | null): void
}

/** `fail`: told of what can only be a bug. A run that is cancelled hears of it elsewhere. */
export function createAlarm(
  ports: AlarmPorts,
  { ring, fail }: { readonly ring: () => void; readonly fail: (cause: unknown) => void },
): Alarm {
  let out: number | null = null
  return {
    set(at) {
      if (at === null || (out !== null && out <= at)) return
      out = at
      ports.sleepUntil(at).then(
        () => {
          if (out === at) out = null
          ring()
        },
        (error: unknown) => {
          if (!ports.isCancellation(error)) fail(error)
        },
      )
    },
  }
}
