// Undos through hop 7: what they carry, when they have nothing to do, and what they wait for.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { BusError } from '../../security/bus.ts'
import { type Bench, createBench, denied, failureTypeOf } from './dispatch-fixture.ts'

let bench: Bench
beforeEach(async () => {
  bench = await createBench()
})
afterEach(() => bench.close())

describe('an undo', () => {
  it('carries the id of the effect it takes back', async () => {
    const sources = await bench.afterRead()
    const done = await bench.dispatch('write', { sources })
    const result = await bench.dispatch('write', {
      kind: 'undo',
      sources: [...sources, bench.source('write', done.resultRef)],
    })
    expect(result.outcome).toBe('settled')
    const asked = bench.world.seen.findLast(({ subject }) => subject === 'notary.authorize')
    expect(asked?.payload).toMatchObject({
      kind: 'undo',
      args: { idem: bench.world.effects.get('write')?.idem },
    })
  })

  it('of a command that was never sent has nothing to do', async () => {
    const sources = await bench.afterRead()
    const result = await bench.dispatch('write', { kind: 'undo', sources })
    expect(result).toMatchObject({ outcome: 'skipped', code: 'NOTHING_SENT' })
    expect(bench.world.log).not.toContain('authorize:write~undo')
  })

  it('of a command whose outcome is unknown is sent all the same', async () => {
    const sources = await bench.afterRead()
    bench.world.override.deliver = (subject) => {
      if (subject.startsWith('agent.')) throw new BusError('TIMEOUT', 'scripted')
    }
    await failureTypeOf(bench.dispatch('write', { sources }))
    bench.world.override = {}
    const result = await bench.dispatch('write', {
      kind: 'undo',
      sources: [...sources, bench.source('write', null)],
    })
    expect(result.outcome).toBe('settled')
  })

  it('waits until its step can happen no more', async () => {
    const sources = await bench.afterRead()
    await bench.dispatch('write', { sources })
    let alive = 3
    bench.world.override.authorize = ({ kind }) => {
      alive -= 1
      return kind === 'undo' && alive >= 0
        ? { status: 'DENIED', code: 'TOKENS_ALIVE', rules: [], message: '' }
        : undefined
    }
    const result = await bench.dispatch('write', { kind: 'undo', sources })
    expect(result.outcome).toBe('settled')
    expect(bench.slept()).toBeGreaterThan(0)
  })

  it('that the notary calls needless is skipped', async () => {
    const sources = await bench.afterRead()
    await bench.dispatch('write', { sources })
    bench.world.override.authorize = () => denied('NEVER_AUTHORISED')
    expect((await bench.dispatch('write', { kind: 'undo', sources })).outcome).toBe('skipped')
  })
})
