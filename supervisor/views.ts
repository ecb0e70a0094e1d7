// What the control socket shows: the shapes of `status` and `agents show` (interfaces.md), built from
// manifests, accounts, heartbeats and the kernel's facts. Additions are allowed, renames are not. Pure
// but for reading a process's user from /proc.

import { readFileSync } from 'node:fs'
import type { RetrieverCounts } from '../agents/protocol.ts'
import type { AgentManifest } from '../plan/manifest.ts'
import { type Account, agentAccountName } from '../security/pki/accounts.ts'
import type { PolicyInUse } from '../security/policy/in-use.ts'
import { type AgentMetrics, toMetrics } from './agent-metrics.ts'
import type { Settings } from './configuration.ts'
import { type Heartbeats, type Pulse, pulseOf } from './heartbeats.ts'
import type { PoolMember } from './pool.ts'
import type { PoolNews, PoolStates } from './pool-states.ts'
import type { ProcessStatus } from './process.ts'
import { type ProgramState, programStates } from './program-states.ts'
import type { Held } from './quarantine.ts'
import { type EgressReach, egressReach } from './reach.ts'
import type { SandboxFacts } from './sandbox/driver.ts'
import type { ReplicaAddress } from './state.ts'

export interface StatusView {
  readonly ready: boolean
  /** Of the worker: a digest of all that it runs. */
  readonly build: string
  readonly processes: readonly (PartyStatus & { readonly uid: number | null })[]
  readonly links: Readonly<Record<string, string>>
  /** What the notary says of it; null before it ever ran. */
  readonly policy: PolicyInUse | null
  /** What the worker's retriever had at hand, and what it had to ask for; null: nothing was looked for. */
  readonly retriever: RetrieverCounts | null
}

/** A process, or an agent's replica: `quarantined` is then a state, with the reason beside it. */
export type PartyStatus = Omit<ProcessStatus, 'state'> & {
  readonly state: string
  readonly quarantine?: Held
}

export interface AgentSummary {
  readonly name: string
  readonly summary: string
  readonly state: string
  readonly replicas: number
  /** Those of its replicas that are shut out. */
  readonly quarantine: readonly Held[]
  readonly pool: PoolNews
  readonly metrics: AgentMetrics
}

export interface AgentView {
  readonly name: string
  readonly state: string
  readonly bootEpoch: string | null
  /** Null before the first start; those of the last sandbox after it was stopped. */
  readonly sandbox: SandboxFacts | null
  readonly reach: {
    readonly publish: readonly string[]
    readonly subscribe: readonly string[]
    readonly egress: readonly EgressReach[]
    readonly mounts: readonly {
      readonly from: string
      readonly at: string
      readonly mode: string
    }[]
  }
  /** Programs of the machine's that it may run. */
  readonly programs: readonly ProgramState[]
  readonly actions: readonly {
    readonly name: string
    readonly effect: string
    readonly summary: string
  }[]
  /** Whether the worker may use it: `open` means that it did not answer and is left alone. */
  readonly pool: PoolNews
  readonly metrics: AgentMetrics
  /** Those of its replicas that are shut out: since when, by whom, why. */
  readonly quarantine: readonly Held[]
  readonly replicas: readonly {
    readonly n: number
    /** Whom it serves, and nobody else; null: the household. */
    readonly user: string | null
    readonly state: string
    readonly pid: number | null
    readonly uid: number | null
    readonly heartbeat: Pulse
  }[]
}

/** What both views of agents need. */
interface Observed {
  readonly quarantined: readonly Held[]
  readonly heartbeats: Pick<Heartbeats, 'of'>
  readonly pools: Pick<PoolStates, 'of'>
  /** Milliseconds since the epoch. */
  readonly now: number
}

export function toStatus(
  ready: boolean,
  servers: readonly ProcessStatus[],
  context: {
    readonly members: readonly PoolMember[]
    readonly build: string
    readonly links: Record<string, string>
    readonly quarantined: readonly Held[]
    readonly policy: PolicyInUse | undefined
    readonly retriever?: RetrieverCounts | undefined
  },
): StatusView {
  const agents = context.members.map(({ replica }): PartyStatus => {
    const quarantine = heldOf(context.quarantined, replica.address)
    const { state, pid, restarts, sinceMs } = replica.status()
    return {
      name: `agent ${replica.address.agent}.${replica.address.n}`,
      state: quarantine === undefined ? state : 'quarantined',
      pid,
      restarts,
      sinceMs,
      ...(quarantine === undefined ? {} : { quarantine }),
    }
  })
  const processes = [...servers, ...agents].map((one) => ({ ...one, uid: readUser(one.pid) }))
  const { build, links, policy = null, retriever = null } = context
  return { ready, build, processes, links, policy, retriever }
}

export function toSummaries(
  members: readonly PoolMember[],
  { quarantined, heartbeats, pools, now }: Observed,
): readonly AgentSummary[] {
  return groupByAgent(members).map(([manifest, group]) => ({
    name: manifest.name,
    summary: manifest.summary,
    state: stateOf(group, quarantined),
    replicas: group.length,
    quarantine: heldAmong(quarantined, group),
    pool: pools.of(manifest.name),
    metrics: toMetrics(replicasOf(group), heartbeats, now),
  }))
}

/** Undefined when there is no such agent. */
export function toAgentView(
  name: string,
  members: readonly PoolMember[],
  context: Observed & {
    readonly accounts: readonly Account[]
    readonly settingsOf: (address: ReplicaAddress) => Settings
    /** Whose the replica is; undefined: the household's. */
    readonly personOf: (address: ReplicaAddress) => string | undefined
  },
): AgentView | undefined {
  const entry = groupByAgent(members).find(([manifest]) => manifest.name === name)
  const first = entry?.[1][0]
  if (entry === undefined || first === undefined) return undefined
  const [manifest, group] = entry
  // The replica that serves, where there are several; each has the same reach but for its number.
  const shown = group.find(({ replica }) => replica.status().state === 'running') ?? first
  const status = shown.replica.status()
  const { accounts, quarantined, settingsOf, personOf, heartbeats, pools, now } = context
  const account = accounts.find((one) => one.name === agentAccountName(shown.replica.address))
  return {
    name,
    state: stateOf(group, quarantined),
    bootEpoch: status.bootEpoch,
    sandbox: status.sandbox,
    reach: {
      publish: account?.publish ?? [],
      subscribe: account?.subscribe ?? [],
      egress: egressReach(manifest, settingsOf(shown.replica.address)),
      mounts: manifest.mounts.map(({ from, at, mode }) => ({ from: from.config, at, mode })),
    },
    programs: programStates(manifest, settingsOf(shown.replica.address)),
    actions: Object.entries(manifest.actions).map(([action, { effect, summary }]) => ({
      name: action,
      effect,
      summary,
    })),
    pool: pools.of(name),
    metrics: toMetrics(replicasOf(group), heartbeats, now),
    quarantine: heldAmong(quarantined, group),
    replicas: group.map(({ replica }) => {
      const status = replica.status()
      const { state, pid } = status
      const heartbeat = pulseOf(status, heartbeats.of(replica.address), now)
      const user = personOf(replica.address) ?? null
      return { n: replica.address.n, user, state, pid, uid: readUser(pid), heartbeat }
    }),
  }
}

function groupByAgent(
  members: readonly PoolMember[],
): readonly (readonly [AgentManifest, readonly PoolMember[]])[] {
  const groups = new Map<string, [AgentManifest, PoolMember[]]>()
  for (const member of members) {
    const group = groups.get(member.manifest.name) ?? [member.manifest, []]
    group[1].push(member)
    groups.set(member.manifest.name, group)
  }
  return [...groups.values()]
}

const replicasOf = (group: readonly PoolMember[]) => group.map(({ replica }) => replica)

function heldOf(held: readonly Held[], { agent, n }: ReplicaAddress): Held | undefined {
  return held.find((entry) => entry.agent === agent && entry.n === n)
}

function heldAmong(held: readonly Held[], group: readonly PoolMember[]): readonly Held[] {
  return group.flatMap(({ replica }) => heldOf(held, replica.address) ?? [])
}

function stateOf(group: readonly PoolMember[], quarantined: readonly Held[]): string {
  const free = group.filter(({ replica }) => heldOf(quarantined, replica.address) === undefined)
  if (free.length === 0) return 'quarantined'
  const states = free.map(({ replica }) => replica.status().state)
  return (
    states.find((state) => state === 'running') ?? states.find((s) => s !== 'stopped') ?? 'stopped'
  )
}

/** The host's user id that a process runs as, as the kernel says; null when there is no process. */
function readUser(pid: number | null): number | null {
  try {
    const [, uid] = /^Uid:\t(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return uid === undefined ? null : Number(uid)
  } catch {
    return null
  }
}
