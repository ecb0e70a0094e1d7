// When a step may begin that waits for any of its needs, or for a time.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHarness, type Harness } from './harness.ts'
import {
  codeOf as code,
  conflict,
  eitherOf,
  expand,
  looping,
  loopingWith,
  oneTwo,
} from './loops.ts'
import { append, items, list } from './plans.ts'

let harness: Harness
beforeEach(async () => {
  harness = await createHarness()
})
afterEach(() => harness.close())

describe('join: any', () => {
  it('begins when one of its needs has settled, with what the worker had by then', async () => {
    const run = await harness.run(eitherOf)
    expect(await code(run.authorize('first', append('')))).toBe('NEEDS_UNSETTLED')
    const one = await run.perform('one', list, items(['x']))
    expect(await code(run.authorize('first', append('x'), { sources: [one] }))).toBe('AUTHORISED')
  })

  it('keeps the arguments of its first attempt when the other need settles', async () => {
    const run = await harness.run(eitherOf)
    const one = await run.perform('one', list, items(['x']))
    await run.token('first', append('x'), { sources: [one] })
    const two = await run.perform('two', { day: 'tomorrow' }, items(['y']))
    const both = run.authorize('first', append('xy'), { sources: [one, two] })
    expect(await code(both)).toBe('ARGS_MISMATCH')
    expect(await code(run.authorize('first', append('x'), { sources: [one] }))).toBe('AUTHORISED')
  })

  it('refuses a source that has not settled', async () => {
    const run = await harness.run(eitherOf)
    const one = await run.perform('one', list, items(['x']))
    const two = { ...one, step: 'two' }
    expect(await code(run.authorize('first', append('xx'), { sources: [one, two] }))).toBe(
      'NEEDS_UNSETTLED',
    )
  })

  it('is skipped when all are over and none has settled, and not before', async () => {
    const run = await harness.run(eitherOf)
    await run.break('one', list, conflict)
    expect(await code(run.skip('first'))).toBe('NEEDS_UNSETTLED')
    await run.break('two', { day: 'tomorrow' }, conflict)
    expect(await code(run.authorize('first', append('')))).toBe('NEEDS_UNSETTLED')
    const skipped = { status: 'SETTLED', outcome: 'skipped', code: 'NO_NEED' }
    expect(await run.skip('first')).toEqual(skipped)
    expect(await run.skip('first')).toEqual(skipped)
    expect(await code(run.authorize('last', append('z')))).toBe('AUTHORISED')
  })

  it('is not skipped where one has settled', async () => {
    const run = await harness.run(eitherOf)
    const one = await run.perform('one', list, items(['x']))
    await run.break('two', { day: 'tomorrow' }, conflict)
    expect(await code(run.skip('first', [one]))).toBe('GUARD_TRUE')
  })
})

describe('at', () => {
  const nine = looping.replace('- { id: gather,', "- { at: { local: '09:00' }, id: gather,")

  it('is decided when the plan is admitted, and lets nothing begin before', async () => {
    // 2027-01-15T09:00 in Vienna, the zone of these tests.
    expect(new Date(harness.clock.time).toISOString()).toBe('2027-01-15T08:00:00.000Z')
    harness.clock.time += 1
    const run = await harness.run(nine)
    const at = Date.parse('2027-01-16T08:00:00Z')
    const again = await harness.notary.admit('worker', { requestId: 'r-1', plan: run.plan })
    expect(again).toMatchObject({ status: 'ADMITTED', at: { gather: at } })
    harness.clock.time = at - 2_001
    expect(await code(run.authorize('gather', list))).toBe('NOT_YET')
    harness.clock.time = at - 2_000
    expect(await code(run.authorize('gather', list))).toBe('AUTHORISED')
  })

  it('does not change with the zone of the configuration', async () => {
    const run = await harness.run(nine)
    const { time } = harness.clock
    const again = await harness.notary.admit('worker', { requestId: 'r-1', plan: run.plan })
    expect(again).toMatchObject({ at: { gather: time } })
    await harness.store.commit('fact', ({ state }) => {
      expect(state.startTimeOf('r-1', 'gather')).toBe(time)
    })
  })

  it('is said of no plan that has none', async () => {
    const run = await harness.run(looping)
    const again = await harness.notary.admit('worker', { requestId: 'r-1', plan: run.plan })
    expect(again).toEqual({ status: 'ADMITTED', digest: run.digest, user: 'user:owner' })
  })

  it('is refused where the run would be over before', async () => {
    const late = looping.replace(
      '- { id: gather,',
      "- { at: { local: '2027-02-15T09:00' }, id: gather,",
    )
    const run = await harness.run(late, { admitted: false })
    const refused = await harness.notary.admit('worker', { requestId: 'r-1', plan: run.plan })
    expect(refused).toMatchObject({ status: 'REFUSED', code: 'LIMIT' })
  })

  it('keeps a loop from being counted', async () => {
    const later = loopingWith('continue', "    at: { local: '10:00', zone: UTC }\n")
    const run = await harness.run(later)
    const source = await run.perform('gather', list, oneTwo)
    expect(await code(expand(harness, run, { sources: [source] }))).toBe('NOT_YET')
    harness.clock.time += 2 * 3_600_000
    expect(await code(expand(harness, run, { sources: [source] }))).toBe('LOOP')
  })
})
