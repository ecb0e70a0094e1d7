// A loop through the activities, against a real notary: counted, run, put together, built on, undone.

import { afterEach, describe, expect, it } from 'vitest'
import type { SettleCall } from '../../notary/contract.ts'
import type { Happened } from '../notary/harness.ts'
import { conflict, eitherOf, looping, loopingWith } from '../notary/loops.ts'
import { items } from '../notary/plans.ts'
import { createLoopWorld, type LoopWorld } from './loop-world.ts'

let world: LoopWorld
afterEach(() => world.close())

const done = (value: unknown): Happened => ({ status: 'DONE', value })
/** Three items; each write returns what it wrote. */
const honest = (titles: readonly string[]) => (action: string, args: object) =>
  action === 'list' ? done(items(titles)) : done({ entry: 'text' in args ? args.text : '' })

/** Whose undo needs what it returned. */
const booking = `
version: 1
goal: book each of them
steps:
  - id: each
    agent: desk
    action: book
    forEach: { in: [red, blue], as: item, max: 3 }
    args: { room: { $item: '', as: item }, dryRun: false }
answer: { from: [each] }
`

const from = (step: string, ref: string | null, iteration = 0) => ({ step, iteration, ref })

async function gathered(plan: string, act = honest(['one', 'two', 'three'])) {
  world = await createLoopWorld(plan, act)
  const { resultRef } = await world.dispatch(world.inputOf('gather', []))
  const sources = [from('gather', resultRef)]
  const each = (change = {}) => world.inputOf('each', sources, change)
  return { sources, each }
}

describe('a loop', () => {
  it('runs for each item, and is one list to what builds on it and to the answer', async () => {
    const { each } = await gathered(looping)
    expect(await world.expand(each())).toEqual({ count: 3 })
    for (const iteration of [2, 0, 1]) {
      expect(await world.dispatch(each({ iteration }))).toMatchObject({ outcome: 'settled' })
    }
    const list = await world.gather('each')
    expect(list.code).toBeUndefined()
    const sources = [from('each', list.resultRef)]
    expect(await world.dispatch(world.inputOf('sum', sources))).toMatchObject({
      outcome: 'settled',
    })
    expect(world.done).toEqual([
      'list today',
      'append daily three',
      'append daily one',
      'append daily two',
      'append daily one two three ',
    ])
    expect(await world.compose(sources)).toBe(
      'each: [{"entry":"one"},{"entry":"two"},{"entry":"three"}]',
    )
  })

  it('is given the same list again after a crash, and the same document', async () => {
    const { each } = await gathered(looping)
    const first = await world.expand(each())
    expect(await world.expand(each())).toEqual(first)
    for (const iteration of [0, 1, 2]) await world.dispatch(each({ iteration }))
    const again = await world.dispatch(each({ iteration: 1 }))
    expect(again).toMatchObject({ outcome: 'already-settled' })
    expect(await world.gather('each')).toEqual(await world.gather('each'))
    expect(world.done.filter((one) => one === 'append daily two').length).toBe(1)
  })

  it('has a gap where an iteration failed and that is forgiven', async () => {
    const { each } = await gathered(loopingWith('continue'), (action, args) =>
      'text' in args && args.text === 'two' ? conflict : honest(['one', 'two'])(action, args),
    )
    expect(await world.expand(each())).toEqual({ count: 2 })
    for (const iteration of [0, 1]) await world.dispatch(each({ iteration }))
    const { resultRef } = await world.gather('each')
    expect(await world.compose([from('each', resultRef)])).toBe('each: [{"entry":"one"},null]')
    const sum = world.inputOf('sum', [from('each', resultRef)])
    expect(await world.dispatch(sum)).toMatchObject({ outcome: 'settled' })
  })

  it('longer than the plan says comes to its end before anything is done', async () => {
    const { each } = await gathered(looping, honest(['1', '2', '3', '4']))
    expect(await world.expand(each())).toMatchObject({ outcome: 'denied', code: 'LIMIT' })
    expect(world.done).toEqual(['list today'])
  })

  it('over nothing is a list of nothing, also in the answer', async () => {
    const { each } = await gathered(looping, honest([]))
    expect(await world.expand(each())).toEqual({ count: 0 })
    const { resultRef } = await world.gather('each')
    expect(await world.compose([from('each', resultRef)])).toBe('each: []')
    expect(await world.compose([])).toBe('each: []')
  })

  it('whose list is lost ends as failed, and the notary knows', async () => {
    const { each } = await gathered(looping)
    const lost = { ...each(), sources: [from('gather', '0'.repeat(64))] }
    expect(await world.expand(lost)).toMatchObject({ outcome: 'failed', code: 'ARTIFACT_MISSING' })
    expect(await world.dispatch(world.inputOf('after', []))).toMatchObject({
      code: 'RUN_ABORTING',
    })
  })

  it('is undone one by one, with results that the activity finds by itself', async () => {
    world = await createLoopWorld(booking, (action, args) =>
      action === 'book'
        ? done({ booking: `b-${'room' in args ? args['room'] : ''}` })
        : done({ gone: true }),
    )
    const each = (change: object) => world.inputOf('each', [], change)
    expect(await world.expand(each({}))).toEqual({ count: 2 })
    for (const iteration of [0, 1]) await world.dispatch(each({ iteration }))
    await world.harness.notary.cancel('cli', { requestId: world.run.requestId })
    const undo = (iteration: number) =>
      world.dispatch(each({ kind: 'undo', iteration, sources: [from('each', null, iteration)] }))
    expect(await undo(1)).toMatchObject({ outcome: 'settled' })
    expect(await undo(0)).toMatchObject({ outcome: 'settled' })
    expect(world.done.slice(-2)).toEqual(['unbook b-blue', 'unbook b-red'])
  })
})

describe('what lies in the store', () => {
  it('is the result of one iteration or of the whole loop, and never taken for the other', async () => {
    const { each } = await gathered(looping)
    await world.expand(each())
    const refs: (string | null)[] = []
    for (const iteration of [0, 1, 2]) {
      refs.push((await world.dispatch(each({ iteration }))).resultRef)
    }
    const sum = world.inputOf('sum', [from('each', refs[0] ?? null)])
    await expect(world.dispatch(sum)).rejects.toMatchObject({ type: 'PLAN_MISMATCH' })
    await expect(world.compose([from('each', refs[0] ?? null)])).rejects.toMatchObject({
      type: 'PLAN_MISMATCH',
    })
  })

  it('is not put together where a result is not the one that the notary has', async () => {
    const { each } = await gathered(looping)
    await world.expand(each())
    for (const iteration of [0, 1, 2]) await world.dispatch(each({ iteration }))
    await world.artifacts.put(Buffer.from('{"entry":"evil"}'), {
      ...{ kind: 'result', requestId: world.run.requestId, step: 'each', iteration: 1 },
      ...{ readers: ['user:owner'], createdAt: 2, resultHash: 'A'.repeat(43) },
    })
    expect(await world.gather('each')).toEqual({ resultRef: null, code: 'ARTIFACT_MISSING' })
  })
})

describe('the notary', () => {
  it('is not told by the worker how many items there are', async () => {
    const { each } = await gathered(looping)
    const { count } = (await world.expand(each())) as { count: number }
    expect(count).toBe(3)
    expect(await world.dispatch(each({ iteration: 3 }))).toMatchObject({
      outcome: 'denied',
      code: 'NO_ITERATION',
    })
  })

  it('waits a little for a time that is not there yet by its own clock', async () => {
    const later = looping.replace('- id: each', "- at: { local: '09:01' }\n    id: each")
    const { each } = await gathered(later)
    world.harness.clock.time += 50_000
    expect(await world.expand(each())).toEqual({ count: 3 })
    const seen = world.harness.clock.time
    expect(seen).toBeGreaterThanOrEqual(Date.parse('2027-01-15T08:01:00Z') - 2_000)
  })

  it('is asked again a little later for a step whose time is nearly there', async () => {
    const plan = looping.replace('- { id: gather,', "- { at: { local: '09:01' }, id: gather,")
    world = await createLoopWorld(plan, honest(['one']))
    world.harness.clock.time += 50_000
    expect(await world.dispatch(world.inputOf('gather', []))).toMatchObject({ outcome: 'settled' })
    expect(world.harness.clock.time).toBeGreaterThanOrEqual(Date.parse('2027-01-15T08:00:58Z'))
  })
})

describe('join: any', () => {
  const act = (action: string, args: object) => {
    if (action !== 'list') return done({ entry: 'e' })
    return 'day' in args && args.day === 'today' ? conflict : done(items(['y']))
  }

  it('goes on with the one that came, and nothing of the other', async () => {
    world = await createLoopWorld(eitherOf, act)
    const { resultRef } = await world.dispatch(world.inputOf('two', []))
    const first = world.inputOf('first', [from('one', null), from('two', resultRef)])
    expect(await world.dispatch(first)).toMatchObject({ outcome: 'settled' })
    expect(world.done.at(-1)).toBe('append daily y')
  })

  it('is skipped when there is none, and what needs it goes on', async () => {
    world = await createLoopWorld(eitherOf, () => conflict)
    for (const id of ['one', 'two']) await world.dispatch(world.inputOf(id, []))
    const first = world.inputOf('first', [from('one', null), from('two', null)])
    expect(await world.dispatch(first)).toMatchObject({ outcome: 'skipped', code: 'NO_NEED' })
  })
})

describe('a list that is too long for one call', () => {
  it('is not put together, and what builds on it fails in a way that the notary knows', async () => {
    const long = 'x'.repeat(450_000)
    const reads = looping
      .replace('action: append\n    forEach', 'action: list\n    forEach')
      .replace(
        /args: \{ note: daily, text: \{ \$item.*\}/,
        'args: { day: { $item: /title, as: item } }',
      )
      .replaceAll('max: 3', 'max: 4')
      .replace('{{entry}} ', '{{first}}')
    const { each } = await gathered(reads, (action, args) =>
      'day' in args && args.day === 'today'
        ? done(items(['1', '2', '3', '4']))
        : action === 'list'
          ? done({ first: long, items: [] })
          : done({ entry: 'e' }),
    )
    await world.expand(each())
    for (const iteration of [0, 1, 2, 3]) await world.dispatch(each({ iteration }))
    expect(await world.gather('each')).toEqual({ resultRef: null, code: 'LIMIT' })
    const sum = world.inputOf('sum', [from('each', null)])
    const seen: SettleCall['type'][] = []
    world.override.settle = (call) => {
      seen.push(call.type)
      return call
    }
    expect(await world.dispatch(sum)).toMatchObject({ outcome: 'failed', code: 'NO_RESULT' })
    expect(seen).toContain('failure')
    expect(world.harness.store.state.request(world.run.requestId)?.aborted_by).toBe('sum')
  })
})
