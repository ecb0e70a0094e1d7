// What follows from a sign that an agent may be in foreign hands: one row per signal. Pure. Defaults
// err on the safe side of both errors: a replica is shut out where its own key or identity was used
// against us, and only reported where the sign may come from somebody who wants it shut out.

import type { Signal } from './quarantine-contract.ts'

export interface PolicyRow {
  /** `report`: a security row, for a person to read. `quarantine`: that, and the replica is shut out. */
  readonly action: 'quarantine' | 'report'
  /** Minutes in a row that it takes; 1 for what is said once. */
  readonly minutes: number
}

export const quarantinePolicy: Readonly<Record<Signal, PolicyRow>> = {
  // Signed by the replica's own key, so that no worker can bring it about; nobody honest does it.
  FORGED_RECEIPT: { action: 'quarantine', minutes: 1 },
  // Somebody outside the sandbox holds its key.
  DUPLICATE_IDENTITY: { action: 'quarantine', minutes: 1 },
  // One burst may be a fault; an agent that goes on for minutes is of no use, whatever the cause.
  EVENT_FLOOD: { action: 'quarantine', minutes: 3 },
  // Said by the agent itself, of what others sent it: shutting it out would help the attacker.
  IDEM_CONFLICT: { action: 'report', minutes: 1 },
  REPLAY: { action: 'report', minutes: 1 },
}

/** What to do about a signal that has now been seen for `minutes` in a row. */
export function decideSignal(signal: Signal, minutes: number): PolicyRow['action'] {
  const row = quarantinePolicy[signal]
  return minutes >= row.minutes ? row.action : 'report'
}

export interface Streaks {
  /** One more minute with a flood of `source`; returns how many in a row there were. */
  add(source: string, minute: number): number
}

/** Counts minutes in a row. In memory: a restart of the notary begins anew, and so does the flood. */
export function createStreaks(): Streaks {
  const seen = new Map<string, { readonly minute: number; readonly count: number }>()
  return {
    add: (source, minute) => {
      const last = seen.get(source)
      const count = last?.minute === minute - 1 ? last.count + 1 : 1
      seen.set(source, { minute, count })
      return count
    },
  }
}
