// How many effects each replica of a pool is at work on, as far as this process has given tokens for
// them. Memory only: after a restart every replica counts as idle, which changes where the next effect
// goes and never whether it may.

import type { EffectAddress, State } from './state.ts'

export interface PoolLoad {
  /** A token was given; it is no load any more when it is over or the effect has settled. */
  note(replica: { readonly agent: string; readonly n: number }, sent: Sent): void
  /** Effects at work by replica number. */
  of(agent: string, state: Pick<State, 'effect'>, now: number): ReadonlyMap<number, number>
}

interface Sent {
  readonly idem: string
  readonly address: EffectAddress
  /** When the token is over, milliseconds since the epoch. */
  readonly until: number
}

export function createPoolLoad(): PoolLoad {
  const sent = new Map<string, Map<string, Sent & { readonly n: number }>>()
  return {
    note({ agent, n }, { idem, address, until }) {
      const ofAgent = sent.get(agent) ?? new Map<string, Sent & { readonly n: number }>()
      sent.set(agent, ofAgent)
      ofAgent.set(idem, { n, idem, address, until })
    },
    of(agent, state, now) {
      const loads = new Map<number, number>()
      const ofAgent = sent.get(agent)
      for (const { n, idem, address, until } of [...(ofAgent?.values() ?? [])]) {
        const isOver = until < now || state.effect(address)?.outcome != null
        if (isOver) ofAgent?.delete(idem)
        else loads.set(n, (loads.get(n) ?? 0) + 1)
      }
      return loads
    },
  }
}
