// The door of a pool: places, who goes first, and what an attempt that is turned away costs: nothing.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AttemptFailure } from '../../activities/failure.ts'
import type { AgentCalls, Command } from '../../activities/notary-calls.ts'
import { createPools, type Pools } from '../../activities/pools.ts'
import type { Priority } from '../../plan/schema.ts'
import { BusError } from '../../security/bus.ts'
import { fakeCatalogue } from '../support/fake-catalogue.ts'
import { type Bench, createBench, denied, failureTypeOf } from './dispatch-fixture.ts'

const about = { priority: 'MEDIUM', mayWait: true } as const
const typeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'let in',
    (error: unknown) => (error instanceof AttemptFailure ? error.type : error),
  )
/** Work that goes on until the test ends it. */
function busy() {
  let end: () => void = () => undefined
  const done = new Promise<void>((resolve) => {
    end = resolve
  })
  return { work: () => done, end }
}
const narrow = (more: { readonly acquireMs?: number } = {}) =>
  createPools({ catalogue: fakeCatalogue, now: () => 0, placesPerReplica: 1, ...more })

describe('a full pool', () => {
  it('gives the next place to the most urgent, and among equals to who came first', async () => {
    const pools = narrow()
    const first = busy()
    const held = pools.within('notes', about, first.work)
    const order: string[] = []
    const ask = (name: string, priority: Priority) =>
      pools.within('notes', { priority, mayWait: true }, async () => void order.push(name))
    const asked = [
      ...[ask('low', 'LOW'), ask('medium', 'MEDIUM'), ask('critical', 'CRITICAL')],
      ...[ask('high', 'HIGH'), ask('second critical', 'CRITICAL')],
    ]
    expect(pools.states()).toContainEqual({
      ...{ agent: 'notes', breaker: 'closed', atWork: 1, waiting: 5 },
    })
    // Another agent's pool has places of its own.
    expect(await typeOf(pools.within('calendar', about, async () => undefined))).toBe('let in')
    first.end()
    await Promise.all([held, ...asked])
    expect(order).toEqual(['critical', 'second critical', 'high', 'medium', 'low'])
    expect(pools.states()).toContainEqual({
      ...{ agent: 'notes', breaker: 'closed', atWork: 0, waiting: 0 },
    })
  })

  it('turns away who has waited too long, who may not wait, and who would be one too many', async () => {
    const pools = narrow({ acquireMs: 10 })
    const first = busy()
    const held = pools.within('notes', about, first.work)
    const hasty = { priority: 'CRITICAL', mayWait: false } as const
    const refused = typeOf(pools.within('notes', hasty, first.work))
    expect(pools.states().find(({ agent }) => agent === 'notes')?.waiting).toBe(0)
    expect(await refused).toBe('AGENT_BUSY')
    const waiting = Array.from({ length: 64 }, () =>
      typeOf(pools.within('notes', about, first.work)),
    )
    expect(await typeOf(pools.within('notes', about, first.work))).toBe('AGENT_BUSY')
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['AGENT_BUSY']))
    first.end()
    await held
    expect(await typeOf(pools.within('notes', about, async () => undefined))).toBe('let in')
  })

  it('gets its place back from work that fails', async () => {
    const pools = narrow()
    const fail = () => Promise.reject(new Error('bug'))
    await expect(pools.within('notes', about, fail)).rejects.toThrow('bug')
    expect(await typeOf(pools.within('notes', about, async () => undefined))).toBe('let in')
  })
})

describe('a step', () => {
  let bench: Bench
  beforeEach(async () => {
    bench = await createBench()
  })
  afterEach(() => bench.close())
  const silent = () => {
    bench.world.override.deliver = (subject) => {
      if (subject.startsWith('agent.')) throw new BusError('TIMEOUT', 'no reply')
    }
  }
  const silentCalls = {
    run: () => Promise.reject(new AttemptFailure('NO_REPLY')),
  } as unknown as AgentCalls
  const command = { subject: 'agent.calendar.0.exec' } as Command
  const breakerOf = (name: string) =>
    bench.pools.states().find(({ agent }) => agent === name)?.breaker
  const tokens = () => bench.world.log.filter((line) => line === 'authorize:read').length

  it('is turned away from a pool that does not answer, without a token, and let in again', async () => {
    silent()
    for (let n = 0; n < 5; n += 1) {
      expect(await failureTypeOf(bench.dispatch('read'))).toBe('NO_REPLY')
    }
    const before = tokens()
    const refused = await bench.dispatch('read', { attempt: 3 }).catch((error: unknown) => error)
    // Not even the last attempt settles anything by it.
    expect(refused).toMatchObject({ type: 'CIRCUIT_OPEN', retryMs: expect.any(Number) })
    expect(tokens()).toBe(before)
    bench.world.override = {}
    bench.forward(1_000)
    expect(await bench.dispatch('read')).toMatchObject({ outcome: 'settled' })
    expect(await bench.dispatch('write', { sources: await bench.afterRead() })).toMatchObject({
      outcome: 'settled',
    })
  })

  it('is not turned away after a silence now and then', async () => {
    const answering = {
      run: async () => ({ status: 'IN_PROGRESS' }),
    } as unknown as AgentCalls
    for (let n = 0; n < 3; n += 1) {
      for (let m = 0; m < 4; m += 1) {
        await failureTypeOf(bench.pools.watch(silentCalls).run(command))
      }
      await bench.pools.watch(answering).run(command)
    }
    expect(breakerOf('calendar')).toBe('closed')
  })

  it('is not turned away because another agent does not answer', async () => {
    const sources = await bench.afterRead()
    for (let n = 0; n < 5; n += 1)
      bench.pools
        .watch(silentCalls)
        .run(command)
        .catch(() => undefined)
    await expect.poll(() => breakerOf('calendar')).toBe('open')
    expect(breakerOf('notes')).toBe('closed')
    expect(await bench.dispatch('write', { sources })).toMatchObject({ outcome: 'settled' })
  })

  it('that is refused by the notary leaves it to another one to find out', async () => {
    silent()
    for (let n = 0; n < 5; n += 1) await failureTypeOf(bench.dispatch('read'))
    bench.forward(1_000)
    bench.world.override = { authorize: () => denied('POLICY') }
    expect(await bench.dispatch('read')).toMatchObject({ outcome: 'denied' })
    bench.world.override = {}
    expect(await bench.dispatch('read')).toMatchObject({ outcome: 'settled' })
  })

  it('that was turned away too often has one attempt less, and in the end fails', async () => {
    const full: Pools = {
      ...createPools({ catalogue: fakeCatalogue, now: () => 0 }),
      within: () => Promise.reject(new AttemptFailure('AGENT_BUSY')),
    }
    bench.pools = full
    expect(await failureTypeOf(bench.dispatch('read', { attempt: 3, turnedAway: 9 }))).toBe(
      'AGENT_BUSY',
    )
    expect(await failureTypeOf(bench.dispatch('read', { attempt: 1, turnedAway: 10 }))).toBe(
      'AGENT_UNAVAILABLE',
    )
    expect(await bench.dispatch('read', { attempt: 3, turnedAway: 10 })).toMatchObject({
      ...{ outcome: 'failed', code: 'AGENT_UNAVAILABLE' },
    })
  })
})
