// What the control socket shows: the shapes of `status` and `agents show` (interfaces.md), built from
// manifests, accounts and the kernel's facts. Additions are allowed, renames are not. Pure but for
// reading a process's usage from /proc.

import { readFileSync } from 'node:fs'
import type { AgentManifest } from '../plan/manifest.ts'
import { type Account, agentAccountName } from '../security/pki/accounts.ts'
import type { Configuration } from './configuration.ts'
import type { PoolMember } from './pool.ts'
import type { ProcessStatus } from './process.ts'
import type { Held } from './quarantine.ts'
import { type EgressReach, egressReach } from './reach.ts'
import type { SandboxFacts } from './sandbox/driver.ts'
import type { ReplicaAddress } from './state.ts'

export interface StatusView {
  readonly ready: boolean
  readonly processes: readonly (PartyStatus & { readonly uid: number | null })[]
  readonly links: Readonly<Record<string, string>>
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
  readonly actions: readonly {
    readonly name: string
    readonly effect: string
    readonly summary: string
  }[]
  readonly metrics: AgentMetrics
  /** Those of its replicas that are shut out: since when, by whom, why. */
  readonly quarantine: readonly Held[]
  readonly replicas: readonly {
    readonly n: number
    readonly state: string
    readonly pid: number | null
    readonly uid: number | null
  }[]
}

/** What only the agent knows of itself (executed, failed) is null here: its bytes are ciphertext. */
export interface AgentMetrics {
  readonly executed: number | null
  readonly failed: number | null
  readonly meanMs: number | null
  readonly successRate: number | null
  /** Processor time in milliseconds since its start. */
  readonly cpu: number | null
  readonly memoryBytes: number | null
  /** Milliseconds since the epoch. */
  readonly lastHeartbeat: number | null
}

export function toStatus(
  ready: boolean,
  servers: readonly ProcessStatus[],
  context: {
    readonly members: readonly PoolMember[]
    readonly links: Record<string, string>
    readonly quarantined: readonly Held[]
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
  return { ready, processes, links: context.links }
}

export function toSummaries(
  members: readonly PoolMember[],
  quarantined: readonly Held[],
): readonly AgentSummary[] {
  return groupByAgent(members).map(([manifest, group]) => ({
    name: manifest.name,
    summary: manifest.summary,
    state: stateOf(group, quarantined),
    replicas: group.length,
    quarantine: heldAmong(quarantined, group),
  }))
}

/** Undefined when there is no such agent. */
export function toAgentView(
  name: string,
  members: readonly PoolMember[],
  context: {
    readonly accounts: readonly Account[]
    readonly quarantined: readonly Held[]
    readonly configuration: Pick<Configuration, 'folder' | 'value'>
  },
): AgentView | undefined {
  const entry = groupByAgent(members).find(([manifest]) => manifest.name === name)
  const first = entry?.[1][0]
  if (entry === undefined || first === undefined) return undefined
  const [manifest, group] = entry
  // The replica that serves, where there are several; each has the same reach but for its number.
  const shown = group.find(({ replica }) => replica.status().state === 'running') ?? first
  const status = shown.replica.status()
  const { accounts, quarantined, configuration } = context
  const account = accounts.find((one) => one.name === agentAccountName(shown.replica.address))
  return {
    name,
    state: stateOf(group, quarantined),
    bootEpoch: status.bootEpoch,
    sandbox: status.sandbox,
    reach: {
      publish: account?.publish ?? [],
      subscribe: account?.subscribe ?? [],
      egress: egressReach(manifest, configuration),
      mounts: manifest.mounts.map(({ from, at, mode }) => ({ from: from.config, at, mode })),
    },
    actions: Object.entries(manifest.actions).map(([action, { effect, summary }]) => ({
      name: action,
      effect,
      summary,
    })),
    metrics: toMetrics(status.pid, status.lastHeard),
    quarantine: heldAmong(quarantined, group),
    replicas: group.map(({ replica }) => {
      const { state, pid } = replica.status()
      return { n: replica.address.n, state, pid, uid: readUser(pid) }
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

function toMetrics(pid: number | null, lastHeard: number | null): AgentMetrics {
  const usage = pid === null ? undefined : readUsage(pid)
  return {
    executed: null,
    failed: null,
    meanMs: null,
    successRate: null,
    cpu: usage?.cpuMs ?? null,
    memoryBytes: usage?.memoryBytes ?? null,
    lastHeartbeat: lastHeard,
  }
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

/** Clock ticks of /proc/<pid>/stat: 100 a second on every Linux that Node runs on. */
const tickMs = 10

function readUsage(
  pid: number,
): { readonly cpuMs: number; readonly memoryBytes: number } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return {
      cpuMs: (Number(fields[11]) + Number(fields[12])) * tickMs,
      memoryBytes: Number(kilobytes) * 1024,
    }
  } catch {
    return undefined
  }
}
