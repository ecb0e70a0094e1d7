// An attempt on the fast lane: it does the whole of a step, or leaves it to a regular activity, which
// then knows that a command may be out. It never waits, starts an agent, or takes a refusal for the
// end of what an earlier attempt may have done.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AttemptFailure } from '../../activities/failure.ts'
import { type Bench, createBench, denied, failureTypeOf } from './dispatch-fixture.ts'

let bench: Bench
beforeEach(async () => {
  bench = await createBench()
})
afterEach(() => bench.close())

describe('an attempt on the fast lane', () => {
  it('carries a step to its outcome', async () => {
    const { outcome, attempts } = await bench.dispatch('read', { lane: 'fast' })
    expect({ outcome, attempts }).toEqual({ outcome: 'settled', attempts: 1 })
    expect(bench.world.log).toEqual(['authorize:read', 'exec:read', 'settle:read:receipt'])
    expect(bench.heartbeats()).toBe(0)
  })

  it('has what an attempt before it did answered, and does it no second time', async () => {
    bench.onPoint = (point) => {
      if (point === 'after-reply') throw new Error('the worker dies here')
    }
    await expect(bench.dispatch('read', { lane: 'fast' })).rejects.toThrow('the worker dies')
    bench.onPoint = () => undefined
    const { outcome } = await bench.dispatch('read', { lane: 'fast' })
    expect(outcome).toBe('settled')
    expect(bench.world.executions.get('read')).toBe(1)
  })

  it('leaves an agent that does not run to a regular activity', async () => {
    bench.world.running = false
    expect(await failureTypeOf(bench.dispatch('read', { lane: 'fast' }))).toBe('UNFINISHED')
    expect(bench.world.log).toEqual(['authorize:read'])
  })

  it('leaves what is still at work', async () => {
    bench.world.override.reply = () => ({ status: 'IN_PROGRESS' })
    expect(await failureTypeOf(bench.dispatch('read', { lane: 'fast' }))).toBe('UNFINISHED')
    expect(bench.world.log).toEqual(['authorize:read', 'exec:read'])
  })

  it('leaves what would have to wait for the end of a token, also as the last attempt', async () => {
    bench.world.override.deliver = (subject) => {
      if (subject.startsWith('agent.')) throw new AttemptFailure('NO_REPLY')
    }
    bench.world.override.settle = () => {
      return { status: 'REFUSED', code: 'TOKENS_ALIVE', message: '' }
    }
    const dispatched = bench.dispatch('read', { lane: 'fast', attempts: 1 })
    expect(await failureTypeOf(dispatched)).toBe('UNFINISHED')
    expect(bench.slept()).toBe(0)
  })

  it.each([
    ...(['RUN_ABORTING', 'REQUEST_CANCELLED', 'QUARANTINED', 'UNRESOLVED'] as const),
    ...(['DEADLINE_PASSED', 'REQUEST_LIMIT'] as const),
  ])('takes %s for no outcome: a worker that died may have sent it', async (code) => {
    bench.world.override.authorize = () => denied(code)
    expect(await failureTypeOf(bench.dispatch('read', { lane: 'fast' }))).toBe('UNFINISHED')
  })
})

describe('a regular activity after the fast lane', () => {
  it('counts as the second attempt', async () => {
    const { outcome, attempts } = await bench.dispatch('read', { tried: true })
    expect({ outcome, attempts }).toEqual({ outcome: 'settled', attempts: 2 })
  })

  it('asks the ledger when it is refused, because the command may be out', async () => {
    bench.onPoint = (point) => {
      if (point === 'after-reply') throw new Error('the worker dies here')
    }
    await expect(bench.dispatch('read', { lane: 'fast' })).rejects.toThrow('the worker dies')
    bench.onPoint = () => undefined
    bench.world.override.authorize = ({ op }) =>
      op === 'run' ? denied('REQUEST_CANCELLED') : undefined
    const { outcome } = await bench.dispatch('read', { tried: true })
    expect(outcome).toBe('settled')
    expect(bench.world.executions.get('read')).toBe(1)
  })

  it('is denied what was never authorised', async () => {
    bench.world.override.authorize = ({ op }) =>
      op === 'run' ? denied('REQUEST_CANCELLED') : undefined
    const { outcome, code } = await bench.dispatch('read', { tried: true })
    expect({ outcome, code }).toEqual({ outcome: 'denied', code: 'REQUEST_CANCELLED' })
    expect(bench.world.log).toEqual(['authorize:read', 'attach:read'])
  })
})
