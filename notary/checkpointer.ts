// Keeps signed heads. The store signs one over each transaction and replaces it with the next; the
// ones handed out, and one for every 256 rows or second, stay, so that a fault lies between two of
// them. Invariant: a checkpoint handed out stays on disk. Shipping them to witnesses is not done here.

import type { Checkpoint } from '../security/audit/checkpoint.ts'
import type { AuditStore } from './store.ts'

export interface Checkpointer {
  /** A checkpoint over everything committed so far. @throws StoreError */
  head(): Promise<Checkpoint>
  /** Whether enough rows have come since the last one that was kept. */
  isDue(): boolean
}

/** A checkpoint at the latest after this many rows; the timer of run-notary.ts adds one a second. */
const everyRows = 256

export function createCheckpointer(store: AuditStore): Checkpointer {
  let kept = store.keptSize()
  return {
    isDue: () => store.size() - kept >= everyRows,
    head: async () => {
      const head = store.head()
      if (head.size > kept) {
        await store.keepCheckpoint(head)
        kept = Math.max(kept, head.size)
      }
      return head
    },
  }
}
