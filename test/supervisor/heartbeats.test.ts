// What is shown of agents' heartbeats, and what of their silence. The clock is the test's.

import { describe, expect, it } from 'vitest'
import type { Heartbeat } from '../../agents/protocol.ts'
import { toMetrics } from '../../supervisor/agent-metrics.ts'
import { createHeartbeats, pulseOf } from '../../supervisor/heartbeats.ts'
import type { ReplicaStatus } from '../../supervisor/replica.ts'

const heartbeat: Heartbeat = {
  kind: 'heartbeat',
  ...{ bootEpoch: 'epoch-0001', executed: 4, failed: 1, meanMs: 10 },
  ...{ memoryBytes: 1_000, cpuMs: 5, uptimeMs: 100 },
}
const running: ReplicaStatus = {
  ...{ state: 'running', bootEpoch: 'epoch-0001', pid: null, restarts: 0, sinceMs: 1_000 },
  ...{ sandbox: null, idleMs: 0, pendingMs: 0 },
}
const address = { agent: 'test', n: 0 }
const replicas = [address, { agent: 'test', n: 1 }]
const replicaOf = (n: number, change: Partial<ReplicaStatus> = {}) => ({
  address: { agent: 'test', n },
  status: () => ({ ...running, ...change }),
})

describe('a heartbeat', () => {
  it.each([
    ['nothing', undefined],
    ['no replica of this deployment', { replica: 'test.2', heartbeat }],
    ['a name of an object', { replica: 'constructor.0', heartbeat }],
    ['more than a heartbeat', { replica: 'test.0', heartbeat: { ...heartbeat, more: 1 } }],
    ['a number that is none', { replica: 'test.0', heartbeat: { ...heartbeat, failed: -1 } }],
  ])('is dropped when it is %s', (_, payload) => {
    const heartbeats = createHeartbeats(replicas, () => 7)
    heartbeats.take(payload)
    expect(replicas.map((one) => heartbeats.of(one))).toEqual([undefined, undefined])
  })

  it('is shown of its own replica, the latest one', () => {
    let now = 7
    const heartbeats = createHeartbeats(replicas, () => now)
    heartbeats.take({ replica: 'test.1', heartbeat })
    now = 9
    heartbeats.take({ replica: 'test.1', heartbeat: { ...heartbeat, executed: 5 } })
    expect(heartbeats.of(address)).toBeUndefined()
    expect(heartbeats.of({ agent: 'test', n: 1 })).toMatchObject({
      ...{ at: 9, heartbeat: { executed: 5 } },
    })
  })
})

describe('a silence', () => {
  const heardAt = (at: number, bootEpoch = 'epoch-0001') => ({
    at,
    heartbeat: { ...heartbeat, bootEpoch },
  })
  const now = 1_000_000

  it('is none before the first heartbeat is due, and missing after it', () => {
    expect(pulseOf(running, undefined, now)).toBe('none')
    expect(pulseOf({ ...running, sinceMs: 76_000 }, undefined, now)).toBe('missing')
  })

  it('is missing when two in a row have not come', () => {
    const old = { ...running, sinceMs: 500_000 }
    expect(pulseOf(old, heardAt(now - 40_000), now)).toBe('present')
    expect(pulseOf(old, heardAt(now - 76_000), now)).toBe('missing')
  })

  it('is not broken by what an earlier life said', () => {
    const old = { ...running, sinceMs: 500_000 }
    expect(pulseOf(old, heardAt(now - 10, 'epoch-0000'), now)).toBe('missing')
  })

  it('means nothing of an agent that does not run', () => {
    const stopped = { ...running, state: 'stopped', bootEpoch: null, sinceMs: 500_000 } as const
    expect(pulseOf(stopped, heardAt(now - 400_000), now)).toBe('none')
  })
})

describe('metrics', () => {
  it('are the sums of the replicas, and the mean of all their commands', () => {
    const heartbeats = createHeartbeats(replicas, () => 7)
    heartbeats.take({ replica: 'test.0', heartbeat })
    heartbeats.take({
      replica: 'test.1',
      heartbeat: { ...heartbeat, executed: 1, failed: 0, meanMs: 60 },
    })
    expect(toMetrics([replicaOf(0), replicaOf(1)], heartbeats, 8)).toMatchObject({
      ...{ executed: 5, failed: 1, meanMs: 20, successRate: 0.8 },
      ...{ lastHeartbeat: 7, heartbeat: 'present' },
    })
  })

  it('are those of the last life of an agent that was stopped, and none of one that began anew', () => {
    const heartbeats = createHeartbeats(replicas, () => 7)
    heartbeats.take({ replica: 'test.0', heartbeat })
    const stopped = replicaOf(0, { state: 'stopped', bootEpoch: null })
    expect(toMetrics([stopped], heartbeats, 8)).toMatchObject({ executed: 4, heartbeat: 'none' })
    const anew = replicaOf(0, { bootEpoch: 'epoch-0002' })
    expect(toMetrics([anew], heartbeats, 8)).toMatchObject({ executed: null, successRate: null })
  })

  it('call an agent silent when one of its replicas is', () => {
    const heartbeats = createHeartbeats(replicas, () => 7)
    heartbeats.take({ replica: 'test.0', heartbeat })
    const silent = replicaOf(1, { sinceMs: 80_000 })
    expect(toMetrics([replicaOf(0), silent], heartbeats, 8)).toMatchObject({ heartbeat: 'missing' })
  })

  it('say nothing of what has done nothing', () => {
    const heartbeats = createHeartbeats(replicas, () => 7)
    heartbeats.take({ replica: 'test.0', heartbeat: { ...heartbeat, executed: 0, failed: 0 } })
    expect(toMetrics([replicaOf(0)], heartbeats, 8)).toMatchObject({
      ...{ executed: 0, failed: 0, meanMs: null, successRate: null },
    })
  })
})
