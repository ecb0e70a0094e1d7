// Hop 7 where the notary asks a person first: nothing is sent, and the attempt is over.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { looping } from '../notary/loops.ts'
import { items } from '../notary/plans.ts'
import { type Bench, createBench, failureTypeOf } from './dispatch-fixture.ts'
import { createLoopWorld, type LoopWorld } from './loop-world.ts'

let bench: Bench
let world: LoopWorld
beforeEach(async () => {
  bench = await createBench()
})
afterEach(() => bench.close())

const approval = { id: 'apr1', expiresAt: 9_000 }

describe('a step that a person is asked about first', () => {
  it.each(['regular', 'fast'] as const)(
    'ends as waiting on the %s lane, and nothing was sent',
    async (lane) => {
      const sources = await bench.afterRead()
      bench.world.override.authorize = () => ({ status: 'APPROVAL', ...approval })
      const result = await bench.dispatch('write', { sources, lane })
      expect(result).toMatchObject({ outcome: 'waiting', approvals: [approval] })
      expect(result).not.toHaveProperty('code')
      expect(bench.world.log.filter((one) => /^(exec|settle):write/.test(one))).toEqual([])
      expect(bench.world.executions.get('write')).toBeUndefined()
    },
  )

  it('runs once when it is approved', async () => {
    const sources = await bench.afterRead()
    bench.world.override.authorize = () => ({ status: 'APPROVAL', ...approval })
    await bench.dispatch('write', { sources })
    delete bench.world.override.authorize
    const result = await bench.dispatch('write', { sources })
    expect(result).toMatchObject({ outcome: 'settled', attempts: 1 })
    expect(bench.world.executions.get('write')).toBe(1)
  })

  it('is denied as an undo, because what is undone next would wait as well', async () => {
    const sources = await bench.afterRead()
    await bench.dispatch('write', { sources })
    bench.world.override.authorize = () => ({ status: 'APPROVAL', ...approval })
    const result = await bench.dispatch('write', { sources, kind: 'undo' })
    expect(result).toMatchObject({ outcome: 'denied', code: 'POLICY' })
  })

  it('is asked again where it only had to be found out what became of it', async () => {
    const sources = await bench.afterRead()
    bench.world.override.authorize = () => ({ status: 'APPROVAL', ...approval })
    const drained = bench.dispatch('write', { sources, drain: true })
    expect(await failureTypeOf(drained)).toBe('NOTARY_UNAVAILABLE')
  })
})

describe('a loop that a person is asked about first', () => {
  it('ends as waiting, and is counted when it is approved', async () => {
    const asked = { status: 'APPROVAL', ...approval } as const
    world = await createLoopWorld(looping, () => ({
      status: 'DONE',
      value: items(['one', 'two']),
    }))
    const { resultRef: ref } = await world.dispatch(world.inputOf('gather', []))
    const each = world.inputOf('each', [{ step: 'gather', iteration: 0, ref }])
    world.override.answer = () => asked
    expect(await world.expand(each)).toMatchObject({ outcome: 'waiting', approvals: [approval] })
    world.override = {}
    expect(await world.expand(each)).toEqual({ count: 2 })
    await world.close()
  })
})
