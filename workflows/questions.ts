// What a run has been told to ask a person first: which steps wait, for which approvals, and when each
// is asked about again. A decision only wakes; what was decided, the notary says. Pure bookkeeping: no
// waiting, no clock but the one it is given. Invariant: however many steps wait and however long, the
// questions cost a history that stays far below its limit.

import type { OpenApproval } from './contract.ts'

export interface Questions {
  /** It may not go on before a person has decided on these. */
  wait(step: string, approvals: readonly OpenApproval[], now: number): void
  /** A person has decided on these approvals, whether or not somebody waits for them yet. */
  decide(approvals: readonly string[]): void
  /** Some step waits for nothing more. */
  isDecided(): boolean
  /** Steps to ask about again, which wait no more until they are told to. */
  takeDue(now: number): readonly string[]
  /** When one is asked about again although nobody has decided; null: none waits. */
  nextAt(): number | null
  isOpen(): boolean
  forget(step: string): void
}

/** A decision that nobody told of is found soon after the question, and later within the hour. */
export const firstPauseMs = 60_000
export const longestPauseMs = 3_600_000
/** The notary's clock decides what has expired: asked a little later, its answer is final. */
export const expirySlackMs = 2_000
/** Asked about again at one time: an hourly look at a thousand steps would fill the history. */
export const looksAtOnce = 8
/** Decided before this run heard that they were asked; more than anybody decides in that moment. */
const keptDecisions = 1_000

interface Waiting {
  readonly approvals: readonly OpenApproval[]
  /** Null: that time has passed already, and the notary still asks. */
  readonly expiresAt: number | null
  decided: boolean
}

export function createQuestions(): Questions {
  const waiting = new Map<string, Waiting>()
  const last = new Map<string, readonly OpenApproval[]>()
  const early = new Set<string>()
  let pauseMs = firstPauseMs
  let lookAt = 0
  const isNew = (step: string, approvals: readonly OpenApproval[]) => {
    const known = new Set(last.get(step)?.map(({ id }) => id))
    return approvals.some(({ id }) => !known.has(id))
  }
  return {
    wait(step, approvals, now) {
      const fresh = isNew(step, approvals)
      if (fresh) pauseMs = firstPauseMs
      if (fresh || waiting.size === 0) lookAt = now + pauseMs
      last.set(step, approvals)
      const ends = approvals.map(({ expiresAt }) => expiresAt).filter((end) => end > now)
      const decided = approvals.filter(({ id }) => early.delete(id)).length > 0
      const expiresAt = ends.length === 0 ? null : Math.min(...ends) + expirySlackMs
      waiting.set(step, { approvals, expiresAt, decided })
    },
    decide(decided) {
      for (const id of decided) {
        const about = [...waiting.values()].filter(({ approvals }) =>
          approvals.some((one) => one.id === id),
        )
        for (const one of about) one.decided = true
        if (about.length === 0 && early.size < keptDecisions) early.add(id)
      }
    },
    isDecided: () => [...waiting.values()].some(({ decided }) => decided),
    takeDue(now) {
      const due = new Set<string>()
      for (const [step, { decided, expiresAt }] of waiting) {
        if (decided || (expiresAt !== null && expiresAt <= now)) due.add(step)
      }
      if (lookAt <= now && waiting.size > 0) {
        const others = [...waiting.keys()].filter((step) => !due.has(step))
        for (const step of others.slice(0, looksAtOnce)) due.add(step)
        pauseMs = Math.min(2 * pauseMs, longestPauseMs)
        lookAt = now + pauseMs
      }
      for (const step of due) waiting.delete(step)
      return [...due]
    },
    nextAt() {
      if (waiting.size === 0) return null
      const ends = [...waiting.values()].map(({ expiresAt }) => expiresAt)
      return Math.min(lookAt, ...ends.filter((end) => end !== null))
    },
    isOpen: () => waiting.size > 0,
    forget(step) {
      waiting.delete(step)
      last.delete(step)
    },
  }
}
