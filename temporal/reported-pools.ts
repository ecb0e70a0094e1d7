// The worker's pools, whose breakers the supervisor is told of, because a person asks the supervisor how
// an agent is. Told at the start too: a worker that was killed takes its open breakers along.

import type { Logger } from 'pino'
import type { z } from 'zod'
import { createPools, type PoolState, type Pools } from '../activities/pools.ts'
import type { poolStateSchema } from '../agents/protocol.ts'
import type { Catalogue } from '../plan/manifest.ts'
import { type Bus, BusError } from '../security/bus.ts'

export function createReportedPools(
  bus: Pick<Bus, 'publish'>,
  options: { readonly catalogue: Catalogue; readonly now: () => number; readonly log: Logger },
): Pools {
  const { catalogue, now, log } = options
  const tell = ({ agent, breaker }: PoolState) => {
    const head = { receiver: 'supervisor', type: 'STATUS_UPDATE', correlationId: '' } as const
    const state: z.infer<typeof poolStateSchema> = { agent, breaker }
    try {
      bus.publish('supervisor.pool', head, state)
    } catch (error) {
      // Without a bus this worker is about to leave.
      if (!(error instanceof BusError)) throw error
    }
  }
  const pools = createPools({
    catalogue,
    now,
    onBreaker: (state) => {
      log.warn(state, 'breaker')
      tell(state)
    },
  })
  for (const state of pools.states()) tell(state)
  return pools
}
