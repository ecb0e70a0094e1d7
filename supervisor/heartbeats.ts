// What running agents last said of themselves, as the notary passed it on: kept for those who look,
// and decided from by nobody. An agent can say of itself what it likes; that it says nothing, when it
// runs, is noticed here. Memory only: after a restart the next heartbeat is half a minute away.

import { type Heartbeat, heartbeatOfReplicaSchema } from '../agents/protocol.ts'
import { limits } from '../plan/limits.ts'
import type { ReplicaStatus } from './replica.ts'
import type { ReplicaAddress } from './state.ts'

/** `none`: not running, or not long enough. `missing`: it runs and has not been heard of. */
export type Pulse = 'none' | 'present' | 'missing'

export interface Heard {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly heartbeat: Heartbeat
}

export interface Heartbeats {
  /** Takes a message as it came; what is no heartbeat of a replica that there is, is dropped. */
  take(payload: unknown): void
  /** The latest, also of a life that is over. */
  of(address: ReplicaAddress): Heard | undefined
}

/** Two lost ones, and time for a busy machine. */
const missingAfterMs = 2 * limits.heartbeatMs + 15_000

export function createHeartbeats(
  replicas: readonly ReplicaAddress[],
  now: () => number,
): Heartbeats {
  const known = new Set(replicas.map(nameOf))
  const heard = new Map<string, Heard>()
  return {
    take(payload) {
      const parsed = heartbeatOfReplicaSchema.safeParse(payload)
      if (!parsed.success || !known.has(parsed.data.replica)) return
      heard.set(parsed.data.replica, { at: now(), heartbeat: parsed.data.heartbeat })
    },
    of: (address) => heard.get(nameOf(address)),
  }
}

/** What a replica's silence means at `now`, in milliseconds since the epoch. */
export function pulseOf(
  status: Pick<ReplicaStatus, 'state' | 'bootEpoch' | 'sinceMs'>,
  heard: Heard | undefined,
  now: number,
): Pulse {
  if (status.state !== 'running') return 'none'
  const own = heard?.heartbeat.bootEpoch === status.bootEpoch ? heard : undefined
  const silentMs = own === undefined ? status.sinceMs : now - own.at
  if (silentMs > missingAfterMs) return 'missing'
  return own === undefined ? 'none' : 'present'
}

const nameOf = ({ agent, n }: ReplicaAddress) => `${agent}.${n}`
