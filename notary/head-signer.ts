// Signs heads while the audit key is being replaced: a head up to the row that names the new key is
// signed by the old one, every larger head by the new one. Invariant: it equals what the transaction
// under way would commit; whoever rolls back puts the remembered value back.

import type { SealHead } from '../security/audit/checkpoint.ts'

export interface HeadSigner {
  readonly seal: SealHead
  /** Heads of more than `from` rows are signed by `next`. */
  follow(next: SealHead, from: number): void
  /** The rollback of whatever follows. */
  remember(): () => void
  /** Once committed: no head of that size is made again, and the old key is let go. */
  forget(): void
}

interface Period {
  readonly seal: SealHead
  readonly from: number
}

export function createHeadSigner(first: SealHead): HeadSigner {
  let current: Period = { seal: first, from: 0 }
  let earlier: Period | undefined
  return {
    seal: (head) => {
      const period = earlier !== undefined && head.size <= current.from ? earlier : current
      return period.seal(head)
    },
    follow(next, from) {
      earlier = current
      current = { seal: next, from }
    },
    remember() {
      const known = { current, earlier }
      return () => {
        current = known.current
        earlier = known.earlier
      }
    },
    forget() {
      earlier = undefined
    },
  }
}
