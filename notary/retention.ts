// How long a person's decisions can be read: the card with what they were shown goes when the time for
// which the notary keeps its state is over; that they decided, on which digest and with which signature
// stays. What still counts keeps its card: a question that is open, and the approval of a schedule.

import { limits } from '../plan/limits.ts'
import { StoreError } from './database.ts'
import type { AuditStore } from './store.ts'

/** A transaction holds up every decision meanwhile. */
const atOnce = 200
/** Between two looks: what is kept a day longer harms nobody. */
const pauseMs = 24 * 3_600_000

export interface Retention {
  /**
   * Forgets what is due, if the last look was a day ago. Returns how many cards went.
   *
   * @throws StoreError
   */
  tick(): Promise<number>
}

export function createRetention(store: Pick<AuditStore, 'commit'>, now: () => number): Retention {
  let lookAt = 0
  return {
    tick: async () => {
      if (now() < lookAt) return 0
      lookAt = now() + pauseMs
      try {
        return await forgetCards(store)
      } catch (error) {
        // A full disk, or a clock that was just moved: not for another day.
        if (error instanceof StoreError) lookAt = now() + pauseMs / 24
        throw error
      }
    },
  }
}

/** @throws StoreError */
async function forgetCards(store: Pick<AuditStore, 'commit'>): Promise<number> {
  for (let total = 0; ; ) {
    const forgotten = await store.commit('fact', (writer) => {
      const before = writer.now - limits.cardsKeptMs
      const count = writer.state.forgetCards(before, atOnce)
      if (count > 0) {
        const about = {
          kind: 'approval',
          actor: 'notary',
          subject: 'cards',
          correlation: '',
        } as const
        writer.append({ ...about, body: { event: 'forgotten', count, before } })
      }
      return count
    })
    total += forgotten
    if (forgotten < atOnce) return total
  }
}
