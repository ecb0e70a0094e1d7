// What the worker last said of its breaker of each agent. Kept for those who look; what has changed is
// told once more to the notary, so that the record shows when an agent could not be used.

import { type BreakerPhase, poolStateSchema } from '../agents/protocol.ts'
import type { Catalogue } from '../plan/manifest.ts'

export interface PoolNews {
  readonly breaker: BreakerPhase
  /** Milliseconds since the epoch. */
  readonly since: number
}

export interface PoolStates {
  /** Takes a message as it came; what is no state of an agent that there is, is dropped. */
  take(payload: unknown): void
  of(agent: string): PoolNews
}

export function createPoolStates(
  catalogue: Catalogue,
  options: {
    readonly now: () => number
    readonly onChange: (agent: string, breaker: BreakerPhase) => void
  },
): PoolStates {
  const { now, onChange } = options
  const began = now()
  const states = new Map<string, PoolNews>()
  const of = (agent: string) => states.get(agent) ?? { breaker: 'closed', since: began }
  return {
    take(payload) {
      const parsed = poolStateSchema.safeParse(payload)
      if (!parsed.success || !catalogue.has(parsed.data.agent)) return
      const { agent, breaker } = parsed.data
      if (of(agent).breaker === breaker) return
      states.set(agent, { breaker, since: now() })
      onChange(agent, breaker)
    },
    of,
  }
}
