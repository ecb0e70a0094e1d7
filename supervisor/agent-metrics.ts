// What is shown of an agent's work: what it says of itself (heartbeats.ts), what the kernel says of
// its process, and whether it is silent although it runs. Of several replicas the sums. Pure but for
// reading a process's usage from /proc.

import { readFileSync } from 'node:fs'
import { type Heartbeats, type Pulse, pulseOf } from './heartbeats.ts'
import type { Replica } from './replica.ts'

/** Of the present life of each replica, or of its last one. Null: it has not said so yet. */
export interface AgentMetrics {
  /** Commands carried out, and those of them that did not end well. */
  readonly executed: number | null
  readonly failed: number | null
  readonly meanMs: number | null
  /** From 0 to 1. */
  readonly successRate: number | null
  /** Processor time in milliseconds since its start, as the kernel says. */
  readonly cpu: number | null
  readonly memoryBytes: number | null
  readonly uptimeMs: number | null
  /** Milliseconds since the epoch. */
  readonly lastHeartbeat: number | null
  /** Of the replicas that run: `missing` when one of them is silent. */
  readonly heartbeat: Pulse
}

type Watched = Pick<Replica, 'address' | 'status'>

/** Of one agent's replicas. */
export function toMetrics(
  replicas: readonly Watched[],
  heartbeats: Pick<Heartbeats, 'of'>,
  now: number,
): AgentMetrics {
  const all = replicas.map((replica) => {
    const status = replica.status()
    const last = heartbeats.of(replica.address)
    // A heartbeat of an earlier life says nothing of the one that runs.
    const isOwn = status.bootEpoch === null || last?.heartbeat.bootEpoch === status.bootEpoch
    return { status, heard: isOwn ? last : undefined }
  })
  const beats = all.flatMap(({ heard }) => (heard === undefined ? [] : [heard.heartbeat]))
  const usages = all.flatMap(({ status }) =>
    status.pid === null ? [] : (readUsage(status.pid) ?? []),
  )
  const pulses = all.map(({ status, heard }) => pulseOf(status, heard, now))
  const executed = sumOf(beats, ({ executed }) => executed)
  const failed = sumOf(beats, ({ failed }) => failed)
  const totalMs = sumOf(beats, ({ executed, meanMs }) => executed * meanMs)
  const done = executed ?? 0
  return {
    executed,
    failed,
    meanMs: totalMs === null || done === 0 ? null : totalMs / done,
    successRate: failed === null || done === 0 ? null : Math.max(0, (done - failed) / done),
    cpu: sumOf(usages, ({ cpuMs }) => cpuMs),
    memoryBytes: sumOf(usages, ({ memoryBytes }) => memoryBytes),
    uptimeMs: greatest(all.flatMap(({ status }) => (status.pid === null ? [] : [status.sinceMs]))),
    lastHeartbeat: greatest(all.flatMap(({ heard }) => (heard === undefined ? [] : [heard.at]))),
    heartbeat: gravest(pulses),
  }
}

function sumOf<T>(items: readonly T[], amountOf: (item: T) => number): number | null {
  return items.length === 0 ? null : items.reduce((sum, item) => sum + amountOf(item), 0)
}

function greatest(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.max(...values)
}

function gravest(pulses: readonly Pulse[]): Pulse {
  if (pulses.includes('missing')) return 'missing'
  return pulses.includes('present') ? 'present' : 'none'
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
