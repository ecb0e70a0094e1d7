// Replicas are fakes here; the real ones are in test/integration/supervisor.test.ts.

import { describe, expect, it } from 'vitest'
import { deriveAccounts } from '../../security/pki/accounts.ts'
import { SupervisorError } from '../../supervisor/codes.ts'
import { createPool } from '../../supervisor/pool.ts'
import type { Held } from '../../supervisor/quarantine.ts'
import type { Replica, ReplicaStatus } from '../../supervisor/replica.ts'
import { toAgentView, toStatus, toSummaries } from '../../supervisor/views.ts'
import { manifest } from '../support/test-agent/manifest.ts'

const status: ReplicaStatus = {
  state: 'running',
  bootEpoch: 'epoch-0001',
  pid: null,
  restarts: 0,
  sinceMs: 5,
  sandbox: null,
  idleMs: 0,
  pendingMs: 0,
}

function fakeReplica(change: Partial<Replica> = {}, shown: Partial<ReplicaStatus> = {}): Replica {
  return {
    address: { agent: 'test', n: 0 },
    ensure: async () => ({ bootEpoch: 'epoch-0001' }),
    stop: async () => undefined,
    drain: async () => undefined,
    halt: async () => undefined,
    status: () => ({ ...status, ...shown }),
    ...change,
  }
}

const poolOf = (replica: Replica, failures: unknown[] = []) =>
  createPool([{ manifest, replica }], (_name, error) => failures.push(error))

describe('supervisor.ensure', () => {
  it('answers with the epoch that runs', async () => {
    expect(await poolOf(fakeReplica()).ensure({ agent: 'test', n: 0 })).toEqual({
      status: 'RUNNING',
      bootEpoch: 'epoch-0001',
    })
  })

  it.each([
    [{ agent: 'test', n: 1 }],
    [{ agent: 'constructor', n: 0 }],
    [{ agent: '../test', n: 0 }],
    [{ agent: 'test' }],
    [{ agent: 'test', n: 0, more: true }],
    [null],
    ['test.0'],
  ])('refuses %j', async (payload) => {
    expect(await poolOf(fakeReplica()).ensure(payload)).toMatchObject({
      status: 'FAILED',
      code: 'UNKNOWN_AGENT',
    })
  })

  it('keeps to itself what the agent said before it ended', async () => {
    const secret = 'dentist at nine'
    const failures: unknown[] = []
    for (const error of [new SupervisorError('SANDBOX_FAILED', secret), new TypeError(secret)]) {
      const replica = fakeReplica({ ensure: () => Promise.reject(error) })
      const reply = await poolOf(replica, failures).ensure({ agent: 'test', n: 0 })
      expect(reply).toMatchObject({ status: 'FAILED', code: 'SANDBOX_FAILED' })
      expect(JSON.stringify(reply)).not.toContain(secret)
    }
    expect(failures).toHaveLength(2)
  })

  it('says why in its own words', async () => {
    const error = new SupervisorError('NOT_CONFIGURED', 'test.folder is not set')
    const replica = fakeReplica({ ensure: () => Promise.reject(error) })
    expect(await poolOf(replica).ensure({ agent: 'test', n: 0 })).toEqual({
      status: 'FAILED',
      code: 'NOT_CONFIGURED',
      message: 'test.folder is not set',
    })
  })

  it('starts nothing once the pool stops', async () => {
    let starts = 0
    const replica = fakeReplica({
      ensure: async () => {
        starts += 1
        return { bootEpoch: 'epoch-0001' }
      },
    })
    const pool = poolOf(replica)
    await pool.stop()
    expect(await pool.ensure({ agent: 'test', n: 0 })).toMatchObject({ code: 'STOPPING' })
    expect(starts).toBe(0)
  })
})

describe('the views', () => {
  const settings = { folder: () => undefined, value: () => undefined }
  const personOf = ({ n }: { readonly n: number }) => (n === 1 ? 'anna' : undefined)
  const whose = { settingsOf: () => settings, personOf }
  const observed = (quarantined: readonly Held[] = []) => ({
    quarantined,
    heartbeats: { of: () => undefined },
    pools: { of: () => ({ breaker: 'closed', since: 0 }) as const },
    now: 0,
  })
  const members = [
    { manifest, replica: fakeReplica({}, { state: 'stopped', bootEpoch: null }) },
    { manifest, replica: fakeReplica({ address: { agent: 'test', n: 1 } }) },
  ]

  it('show an agent once, as running when any replica runs', () => {
    expect(toSummaries(members, observed())).toMatchObject([
      { name: 'test', state: 'running', replicas: 2 },
    ])
    const accounts = deriveAccounts([0, 1].map((n) => ({ agent: 'test', n })))
    const view = toAgentView('test', members, { ...observed(), accounts, ...whose })
    expect(view?.replicas.map(({ user }) => user)).toEqual([null, 'anna'])
    expect(view).toMatchObject({
      state: 'running',
      bootEpoch: 'epoch-0001',
      reach: { publish: ['evt'], subscribe: ['exec'], egress: [] },
      metrics: { executed: null, memoryBytes: null, lastHeartbeat: null },
    })
    expect(view?.actions.map(({ name }) => name)).toEqual(Object.keys(manifest.actions))
    expect(toAgentView('absent', members, { ...observed(), accounts, ...whose })).toBeUndefined()
  })

  const shown = { members, build: '0123456789abcdef', links: {}, policy: undefined }

  it('show who is shut out, and the agent as such when none of its replicas is free', () => {
    const held = (n: number) => {
      const by = 'user:owner'
      return { agent: 'test', n, since: 1, by, code: 'OWNER', reason: 'r', recorded: true } as const
    }
    expect(toSummaries(members, observed([held(1)]))).toMatchObject([
      { state: 'stopped', quarantine: [{ n: 1, reason: 'r' }] },
    ])
    const quarantined = [held(0), held(1)]
    const context = { ...observed(quarantined), accounts: [], ...whose }
    expect(toAgentView('test', members, context)).toMatchObject({ state: 'quarantined' })
    const { processes } = toStatus(true, [], { ...shown, quarantined: [held(1)] })
    expect(processes).toMatchObject([
      { name: 'agent test.0', state: 'stopped' },
      { name: 'agent test.1', state: 'quarantined', quarantine: { code: 'OWNER' } },
    ])
  })

  it('list servers and then agents', () => {
    const server = { name: 'notary', state: 'running', pid: 7, restarts: 0, sinceMs: 1 } as const
    const { processes } = toStatus(true, [server], { ...shown, quarantined: [] })
    expect(processes.map(({ name }) => name)).toEqual(['notary', 'agent test.0', 'agent test.1'])
  })
})
