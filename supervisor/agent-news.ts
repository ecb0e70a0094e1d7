// What others tell the supervisor, for those who look: heartbeats of agents by way of the notary, and the
// worker's breakers and what its retriever has counted. A breaker that changes is told to the notary once, so that it is a row.

import { type RetrieverCounts, retrieverCountsSchema } from '../agents/protocol.ts'
import type { Catalogue } from '../plan/manifest.ts'
import type { Bus } from '../security/bus.ts'
import { createHeartbeats, type Heartbeats } from './heartbeats.ts'
import type { Journal } from './journal.ts'
import type { NotaryPort } from './notary-port.ts'
import { createPoolStates, type PoolStates } from './pool-states.ts'
import type { ReplicaAddress } from './state.ts'

export interface AgentNews {
  readonly heartbeats: Heartbeats
  readonly pools: PoolStates
  /** Of the worker that last said so; undefined: nothing was looked for yet. */
  retriever(): RetrieverCounts | undefined
  serve(bus: Pick<Bus, 'serve'>): void
}

export function createAgentNews(options: {
  readonly replicas: readonly ReplicaAddress[]
  readonly catalogue: Catalogue
  readonly journal: Pick<Journal, 'logger'>
  readonly notary: () => NotaryPort | undefined
}): AgentNews {
  const { replicas, catalogue, journal, notary } = options
  const heartbeats = createHeartbeats(replicas, Date.now)
  const pools = createPoolStates(catalogue, {
    now: Date.now,
    onChange: (agent, breaker) => {
      journal.logger.warn({ agent, breaker }, 'breaker')
      const summary = { event: 'breaker', breaker }
      void notary()?.event({ kind: 'life-cycle', subject: `agent:${agent}`, summary })
    },
  })
  let counts: RetrieverCounts | undefined
  return {
    heartbeats,
    pools,
    retriever: () => counts,
    serve(bus) {
      const type = 'STATUS_UPDATE'
      bus.serve('supervisor.heartbeat', async ({ payload }) => heartbeats.take(payload), { type })
      bus.serve('supervisor.pool', async ({ payload }) => pools.take(payload), { type })
      const take = async ({ payload }: { readonly payload: unknown }) => {
        counts = retrieverCountsSchema.safeParse(payload).data ?? counts
      }
      bus.serve('supervisor.retriever', take, { type })
    },
  }
}
