// What has been started and must be stopped, in reverse order. Used when a start fails half-way, on
// an orderly stop, and when somebody asks to stop during a start: what is added after the unwinding
// has begun is undone at once.

export interface Unwind {
  /** `what` names the thing in the log when undoing it fails. */
  add(what: string, undo: () => Promise<void> | void): void
  /** Idempotent; one failing action does not keep the others from running. */
  run(): Promise<void>
}

export function createUnwind(onFailure: (what: string, error: unknown) => void): Unwind {
  const actions: { readonly what: string; readonly undo: () => Promise<void> | void }[] = []
  let running: Promise<void> | undefined
  const drain = async () => {
    for (let next = actions.pop(); next !== undefined; next = actions.pop()) {
      try {
        await next.undo()
      } catch (error) {
        onFailure(next.what, error)
      }
    }
  }
  return {
    add(what, undo) {
      actions.push({ what, undo })
      if (running !== undefined) running = running.then(drain)
    },
    async run() {
      running ??= drain()
      for (let seen: Promise<void> | undefined; seen !== running; ) {
        seen = running
        await seen
      }
    },
  }
}
