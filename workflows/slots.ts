// How many commands of one run may be out at once, shared by its steps and the chunks of its loops.
// First come, first served: a chunk that waits for several slots is not overtaken by steps that need
// one, or it would wait for ever. Pure bookkeeping, in the order of the calls.

export interface Slots {
  /** One slot, if nobody waits for any. */
  tryTake(): boolean
  /** Waits its turn. False when the run has turned around meanwhile: nothing may begin any more. */
  take(count: number): Promise<boolean>
  give(count: number): void
  /** Turns away whoever waits, and everybody after them. */
  close(): void
}

interface Waiting {
  readonly count: number
  readonly served: (taken: boolean) => void
}

/** `onFree`: told when slots have come back that nobody was waiting for. */
export function createSlots(total: number, onFree: () => void = () => undefined): Slots {
  const waiting: Waiting[] = []
  let free = total
  let closed = false
  const serve = () => {
    for (let next = waiting[0]; next !== undefined && next.count <= free; next = waiting[0]) {
      waiting.shift()
      free -= next.count
      next.served(true)
    }
  }
  return {
    tryTake() {
      if (closed || waiting.length > 0 || free < 1) return false
      free -= 1
      return true
    },
    take(count) {
      if (count > total) throw new Error('more slots than there are')
      if (closed) return Promise.resolve(false)
      return new Promise((served) => {
        waiting.push({ count, served })
        serve()
      })
    },
    give(count) {
      free += count
      serve()
      if (free > 0 && waiting.length === 0) onFree()
    },
    close() {
      if (closed) return
      closed = true
      for (const { served } of waiting.splice(0)) served(false)
    },
  }
}
