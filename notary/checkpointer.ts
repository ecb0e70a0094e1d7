// Signs the head of the tree. Invariant: a checkpoint handed out is on disk and covers only rows that
// are committed; of one size there is one checkpoint. Shipping them to witnesses is not done here.

import { type Checkpoint, signCheckpoint } from '../security/audit/checkpoint.ts'
import type { SignDocument } from '../security/verify/document.ts'
import type { AuditStore, Clock } from './store.ts'

export interface Checkpointer {
  /** A checkpoint over everything committed so far. @throws StoreError */
  head(): Promise<Checkpoint>
  /** Whether enough rows have come since the last one. */
  isDue(): boolean
}

/** A checkpoint at the latest after this many rows; the timer of main.ts adds one a second. */
const everyRows = 256

export function createCheckpointer(ports: {
  readonly store: AuditStore
  readonly sign: SignDocument
  readonly clock: Clock
}): Checkpointer {
  const { store, sign, clock } = ports
  let latest = store.latestCheckpoint()
  let signing: { readonly size: number; readonly done: Promise<Checkpoint> } | undefined

  async function make(): Promise<Checkpoint> {
    const checkpoint = await signCheckpoint({ ...store.head(), at: clock.now() }, sign)
    await store.putCheckpoint(checkpoint)
    if (checkpoint.size >= (latest?.size ?? 0)) latest = checkpoint
    return checkpoint
  }

  return {
    isDue: () => store.size() - (latest?.size ?? 0) >= everyRows,
    head: async () => {
      const size = store.size()
      if (latest?.size === size) return latest
      // Two at once would sign the same size at different times, and only one of them is kept.
      if (signing?.size !== size) signing = { size, done: make() }
      const { done } = signing
      // Neither a failure is kept, nor a success beside `latest`.
      const forget = () => {
        if (signing?.done === done) signing = undefined
      }
      done.then(forget, forget)
      return done
    },
  }
}
