// All agent replicas of a deployment: which exist, starting them on demand, stopping idle ones. Each
// start that fails becomes a reply with a code, never an exception on the bus. The life of a single
// replica is replica.ts's.

import { type EnsureReply, ensureRequestSchema } from '../agents/protocol.ts'
import { limits } from '../plan/limits.ts'
import type { AgentManifest, Catalogue } from '../plan/manifest.ts'
import { numbersOf, ownerAlone, type Slots } from '../plan/replicas.ts'
import { SupervisorError } from './codes.ts'
import { backoffMs } from './process.ts'
import type { Replica, ReplicaStatus } from './replica.ts'
import type { ReplicaAddress } from './state.ts'

export interface PoolMember {
  readonly manifest: AgentManifest
  readonly replica: Replica
}

export interface AgentPool {
  /** Answers `supervisor.ensure`; takes the payload as it came. */
  ensure(payload: unknown): Promise<EnsureReply>
  members(): readonly PoolMember[]
  /** Starts what is always on and begins to watch for idleness. */
  begin(): void
  stop(): Promise<void>
}

/** Fine enough for idle times of seconds, and nothing for the processor. */
const sweepEveryMs = 500

/** Every replica that the manifests declare; of agents of one's own, for each of these people. */
export function listReplicas(
  catalogue: Catalogue,
  slots: Slots = ownerAlone,
): readonly ReplicaAddress[] {
  return [...catalogue.values()].flatMap((manifest) =>
    numbersOf(manifest, slots).map((n) => ({ agent: manifest.name, n })),
  )
}

/**
 * True when a running replica may be stopped. An agent that has a command and has not replied is not
 * idle, until the time in which any agent must reply has passed.
 */
export function isIdle(
  manifest: Pick<AgentManifest, 'alwaysOn' | 'idleMs'>,
  status: Pick<ReplicaStatus, 'state' | 'idleMs' | 'pendingMs'>,
): boolean {
  if (manifest.alwaysOn || status.state !== 'running' || status.idleMs === undefined) return false
  if (status.pendingMs > 0 && status.pendingMs <= limits.replyMs) return false
  return status.idleMs >= manifest.idleMs
}

export function createPool(
  members: readonly PoolMember[],
  onFailure: (replica: string, error: unknown) => void,
): AgentPool {
  const byName = new Map(members.map((member) => [nameOf(member.replica.address), member]))
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const keepOn = async ({ replica }: PoolMember) => {
    for (let failures = 0; !stopped; ) {
      try {
        if (replica.status().state === 'stopped') await replica.ensure()
        failures = 0
      } catch {
        failures += 1
      }
      await new Promise((resolve) => setTimeout(resolve, backoffMs(failures + 2)).unref())
    }
  }
  return {
    async ensure(payload) {
      const request = ensureRequestSchema.safeParse(payload)
      const member = byName.get(request.success ? nameOf(request.data) : '')
      try {
        if (stopped) throw new SupervisorError('STOPPING', 'the platform is stopping')
        if (member === undefined) throw new SupervisorError('UNKNOWN_AGENT', 'no such replica')
        return { status: 'RUNNING', ...(await member.replica.ensure()) }
      } catch (error) {
        if (member !== undefined) onFailure(nameOf(member.replica.address), error)
        return toFailure(error)
      }
    },
    members: () => members,
    begin() {
      for (const member of members) if (member.manifest.alwaysOn) void keepOn(member)
      timer = setInterval(() => {
        for (const { manifest, replica } of members) {
          if (isIdle(manifest, replica.status())) void replica.stop()
        }
      }, sweepEveryMs)
    },
    async stop() {
      stopped = true
      clearInterval(timer)
      await Promise.all(members.map(({ replica }) => replica.stop()))
    },
  }
}

/** What an agent wrote before it ended may be anything, so it goes into its log and not on the bus. */
function toFailure(error: unknown): EnsureReply {
  if (error instanceof SupervisorError && error.code !== 'SANDBOX_FAILED') {
    return { status: 'FAILED', code: error.code, message: error.message }
  }
  const message = 'the sandbox did not start; its log says why'
  return { status: 'FAILED', code: 'SANDBOX_FAILED', message }
}

const nameOf = ({ agent, n }: ReplicaAddress) => `${agent}.${n}`
