// What a person decides on a loop: the iterations that failed run again and the others do not, one
// whose outcome nobody knows is answered for itself, and a loop whose list may have changed begins anew.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHarness, type Harness } from './harness.ts'
import {
  codeOf,
  conflict,
  expand,
  expanded,
  gather,
  iterate,
  loopingWith,
  together,
} from './loops.ts'
import { append, items, list } from './plans.ts'

let harness: Harness
beforeEach(async () => {
  harness = await createHarness()
})
afterEach(() => harness.close())

const retry = (step: string) =>
  harness.notary.recover('cli', { requestId: 'r-1', decision: 'retry', step })
const answer = (iteration: number, decision: 'happened' | 'did-not') =>
  harness.notary.recover('cli', { requestId: 'r-1', decision, step: 'each', kind: 'do', iteration })

/** Held by the second of three. */
async function held() {
  const about = await expanded(harness, loopingWith('hold'), items(['one', 'two', 'three']))
  const first = await iterate(harness, about, { iteration: 0 })
  await iterate(harness, about, { iteration: 1, happened: conflict })
  const third = await iterate(harness, about, { iteration: 2 })
  return { about, first, third }
}

describe('a retry of a loop', () => {
  it('runs what failed again, and nothing that has settled', async () => {
    const { about, first, third } = await held()
    const { run, source } = about
    expect(await codeOf(run.authorize('after', append('z')))).toBe('NEEDS_UNSETTLED')
    const decided = {
      status: 'DECIDED',
      reruns: [{ step: 'each', iteration: 1, rerun: 1 }],
    }
    expect(await retry('each')).toEqual(decided)
    // Not begun since: the same decision.
    expect(await retry('each')).toEqual(decided)
    const again = await iterate(harness, about, { iteration: 1 })
    expect(await codeOf(run.authorize('each', append('one'), { sources: [source] }))).toBe(
      'SETTLED',
    )
    const sources = [together([first, again, third])]
    const all = append('e-one e-two e-three ')
    expect(await codeOf(run.authorize('sum', all, { sources }))).toBe('AUTHORISED')
  })

  it('is refused while an outcome is unknown, which is answered by its number', async () => {
    const about = await expanded(harness, loopingWith('hold'))
    await iterate(harness, about, { iteration: 0, happened: { status: 'UNKNOWN' } })
    await iterate(harness, about, { iteration: 1, happened: conflict })
    expect(await codeOf(retry('each'))).toBe('UNRESOLVED')
    expect(await codeOf(answer(1, 'did-not'))).toBe('NOT_UNKNOWN')
    expect(await codeOf(answer(0, 'did-not'))).toBe('DECIDED')
    expect(await retry('each')).toMatchObject({
      reruns: [
        { step: 'each', iteration: 0, rerun: 1 },
        { step: 'each', iteration: 1, rerun: 1 },
      ],
    })
  })

  it('is refused where none of it failed', async () => {
    const about = await expanded(harness, loopingWith('hold'))
    await iterate(harness, about, { iteration: 0 })
    await iterate(harness, about, { iteration: 1 })
    expect(await codeOf(retry('each'))).toBe('NOT_HELD')
  })

  it('counts the list again where that was what failed', async () => {
    const many = items(['one', 'two', 'three', 'four'])
    const { run, source, reply } = await expanded(harness, loopingWith('hold'), many)
    expect(reply).toMatchObject({ code: 'LIMIT' })
    expect(await retry('each')).toEqual({ status: 'DECIDED', reruns: [{ step: 'each', rerun: 1 }] })
    expect(await expand(harness, run, { sources: [source] })).toMatchObject({ code: 'LIMIT' })
    expect(await retry('each')).toMatchObject({ reruns: [{ step: 'each', rerun: 2 }] })
  })

  it('of the step that gives the list begins the loop anew, with effects of their own', async () => {
    const soft = loopingWith('hold').replace('day: today }', 'day: today }, onError: continue')
    const run = await harness.run(
      `${soft}`.replace('forEach: {', 'needs: [gather]\n    forEach: {'),
    )
    await run.break('gather', list, conflict)
    expect(await expand(harness, run, { sources: [] })).toMatchObject({ count: 0, rerun: 0 })
    expect(await retry('gather')).toEqual({
      status: 'DECIDED',
      reruns: [
        { step: 'gather', rerun: 1 },
        { step: 'each', rerun: 1 },
      ],
    })
    const source = await run.perform('gather', list, items(['one']), [])
    const one = { sources: [source] }
    expect(await codeOf(run.authorize('each', append('one'), one))).toBe('NO_ITERATION')
    expect(await expand(harness, run, one)).toEqual({ status: 'LOOP', count: 1, rerun: 1 })
    const token = await run.token('each', append('one'), one)
    expect(token.rerun).toBe(1)
  })
})

describe('a run that a loop holds', () => {
  it('can be given up, and each iteration that was done is undone', async () => {
    const { about } = await held()
    const giveUp = { requestId: 'r-1', decision: 'give-up' }
    expect(await codeOf(harness.notary.recover('cli', giveUp))).toBe('DECIDED')
    const { run } = about
    expect(await codeOf(run.authorize('after', append('z')))).toBe('RUN_ABORTING')
    const effect = harness.store.state.effect({
      ...{ request: 'r-1', kind: 'do', step: 'each', iteration: 2, rerun: 0 },
    })
    const asked = { note: 'daily', entry: effect?.idem, dryRun: false }
    const undo = { kind: 'undo' as const, iteration: 2, sources: [about.source] }
    expect(await codeOf(run.authorize('each', asked, undo))).toBe('AUTHORISED')
  })

  it('cannot be given up while nothing of it has failed', async () => {
    const about = await expanded(harness, loopingWith('hold'))
    await iterate(harness, about, { iteration: 0 })
    const giveUp = { requestId: 'r-1', decision: 'give-up' }
    expect(await codeOf(harness.notary.recover('cli', giveUp))).toBe('NOT_HELD')
  })
})

describe('an undo of what was built on a loop', () => {
  it('is resolved from the list as it was then, though an iteration ran again since', async () => {
    const plan = loopingWith('hold')
      .replace(
        "note: daily\n      text: { $text: '{{#all}}",
        "note: { $from: 'each#/0/entry' }\n      text: { $text: '{{#all}}",
      )
      .replace(
        "note: { $from: 'each#/0/entry' }",
        "note: { $text: '{{e}}', with: { e: { $from: 'each#/0/entry' } } }",
      )
    const about = await expanded(harness, plan, items(['one', 'two']))
    const { run } = about
    const first = await iterate(harness, about, { iteration: 0 })
    const second = await iterate(harness, about, { iteration: 1 })
    const then = together([first, second])
    const asked = { note: 'e-one', text: 'e-one e-two ', dryRun: false }
    const done = await run.token('sum', asked, { sources: [then] })
    // As if a person had had the first one run again, and it had come to something else.
    await harness.store.commit('fact', ({ state }) => state.putRerun('r-1', 'each', 0, 1))
    const anew = await iterate(harness, about, {
      iteration: 0,
      happened: { status: 'DONE', value: { entry: 'other' } },
    })
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    harness.clock.time += 40_000
    const undo = (sources: readonly object[]) =>
      run.authorize(
        'sum',
        { note: 'e-one', entry: done.idem, dryRun: false },
        { kind: 'undo', sources: sources as never },
      )
    const now = together([anew, second])
    expect(await codeOf(undo([now]))).toBe('SOURCE_MISMATCH')
    expect(await codeOf(undo([{ ...then, content: now.content }]))).toBe('AUTHORISED')
    const fresh = await harness.restart()
    harness = fresh
    const asks = run.call(
      'sum',
      { note: 'e-one', entry: done.idem, dryRun: false },
      { kind: 'undo' },
    )
    const again = (content = '') =>
      fresh.notary.authorize('worker', { ...asks, sources: [{ ...then, content }] })
    expect(await codeOf(again(now.content))).toBe('SOURCE_MISMATCH')
    expect(await codeOf(again(then.content))).toBe('AUTHORISED')
    expect(await codeOf(gather(fresh, run))).toBe('GATHERED')
  })
})
