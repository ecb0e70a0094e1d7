// A loop is a fact of the notary: how long its list is, which item each iteration is for, and when
// what builds on it may begin.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../../security/verify/hash.ts'
import { createHarness, type Harness } from './harness.ts'
import {
  codeOf as code,
  conflict,
  expand,
  expanded,
  gather,
  iterate,
  looping,
  loopingWith,
  oneTwo,
  together,
} from './loops.ts'
import { append, items, list } from './plans.ts'

let harness: Harness
beforeEach(async () => {
  harness = await createHarness()
})
afterEach(() => harness.close())

describe('the list of a loop', () => {
  it('is counted by the notary, once, and the count is in the audit', async () => {
    const { run, source, reply } = await expanded(harness)
    expect(reply).toEqual({ status: 'LOOP', count: 2, rerun: 0 })
    expect(await expand(harness, run, { sources: [source] })).toEqual(reply)
    // Not even with sources: what is decided needs none.
    expect(await expand(harness, run, { sources: [] })).toEqual(reply)
    const rows = harness.rows().filter(({ body }) => body.includes('"expanded"'))
    expect(rows.map(({ subject, kind, actor }) => [subject, kind, actor])).toEqual([
      ['each', 'decision', 'worker'],
    ])
    expect(JSON.parse(rows[0]?.body ?? '')).toMatchObject({ count: 2, rerun: 0 })
  })

  it('is asked for by its hash, and read when it is brought', async () => {
    const run = await harness.run(looping)
    const source = await run.perform('gather', list, oneTwo)
    const { content: _, ...named } = source
    expect(await expand(harness, run, { sources: [named] })).toEqual({
      status: 'NEED_SOURCES',
      steps: [{ step: 'gather', iteration: 0 }],
    })
    expect(await expand(harness, run, { sources: [source] })).toMatchObject({ count: 2 })
  })

  it('ends the loop and turns the run around when it is longer than the plan says', async () => {
    const value = items(['a', 'b', 'c', 'd'])
    const { run, source, reply } = await expanded(harness, looping, value)
    expect(reply).toEqual({ status: 'SETTLED', outcome: 'denied', code: 'LIMIT' })
    expect(
      await code(run.authorize('each', append('a'), { iteration: 0, sources: [source] })),
    ).toBe('NO_ITERATION')
    expect(await code(run.authorize('gather', list))).toBe('SETTLED')
    expect(await code(run.authorize('after', append('z')))).toBe('RUN_ABORTING')
  })

  it('leaves a list of nothing where a failure is forgiven', async () => {
    const value = items(['a', 'b', 'c', 'd'])
    const { run } = await expanded(harness, loopingWith('continue'), value)
    expect(await code(run.authorize('sum', append('')))).toBe('AUTHORISED')
    expect(await code(run.authorize('after', append('z')))).toBe('AUTHORISED')
  })

  it('may be empty: then the loop is over', async () => {
    const { run, reply } = await expanded(harness, looping, items([]))
    expect(reply).toMatchObject({ status: 'LOOP', count: 0 })
    expect(await gather(harness, run)).toEqual({
      status: 'GATHERED',
      hash: digestOf([]),
      results: [],
    })
    const sources = [together([])]
    expect(await code(run.authorize('sum', append(''), { sources }))).toBe('AUTHORISED')
  })

  it('is empty where the step that gives it was allowed to fail', async () => {
    const soft = looping.replace('day: today }', 'day: today }, onError: continue')
    const run = await harness.run(soft)
    await run.break('gather', list, conflict)
    expect(await expand(harness, run, { sources: [] })).toMatchObject({ count: 0 })
  })

  it('may be written out in the plan', async () => {
    const written = looping.replace("in: { $from: 'gather#/items' }", 'in: [{ title: x }]')
    const run = await harness.run(written)
    expect(await expand(harness, run, { sources: [] })).toMatchObject({ count: 1 })
    expect(await code(run.authorize('each', append('x')))).toBe('AUTHORISED')
  })

  it('is not counted before what gives it has settled', async () => {
    const run = await harness.run(looping)
    expect(await code(expand(harness, run, { sources: [] }))).toBe('NEEDS_UNSETTLED')
  })

  it('is not counted of a result that nobody knows, and the loop has failed', async () => {
    const run = await harness.run(looping.replace('day: today }', 'day: today }, onError: hold'))
    await run.break('gather', list, { status: 'UNKNOWN' })
    const happened = { requestId: 'r-1', step: 'gather', kind: 'do', decision: 'happened' }
    await harness.notary.recover('cli', happened)
    expect(await expand(harness, run, { sources: [] })).toEqual({
      status: 'SETTLED',
      outcome: 'failed',
      code: 'NO_RESULT',
    })
  })

  it('is not counted in a run that was stopped', async () => {
    const run = await harness.run(looping)
    const source = await run.perform('gather', list, oneTwo)
    await harness.notary.cancel('cli', { requestId: 'r-1' })
    expect(await code(expand(harness, run, { sources: [source] }))).toBe('REQUEST_CANCELLED')
  })

  it('can be given up before it is counted', async () => {
    const run = await harness.run(looping)
    await run.perform('gather', list, oneTwo)
    expect(await run.fail('each', { code: 'ARTIFACT_MISSING' })).toEqual({
      status: 'SETTLED',
      outcome: 'failed',
      code: 'ARTIFACT_MISSING',
    })
    expect(await run.fail('each', { code: 'ARTIFACT_MISSING' })).toMatchObject({
      code: 'ARTIFACT_MISSING',
    })
    expect(await code(run.authorize('after', append('z')))).toBe('RUN_ABORTING')
  })
})

describe('an iteration', () => {
  it('is named by its number in the audit', async () => {
    const about = await expanded(harness)
    await iterate(harness, about, { iteration: 1 })
    const rows = harness
      .rows()
      .filter(
        ({ kind, subject }) => subject === 'each' && (kind === 'intent' || kind === 'outcome'),
      )
    expect(rows.map(({ kind, body }) => [kind, JSON.parse(body).iteration])).toEqual([
      ['intent', 1],
      ['outcome', 1],
    ])
  })

  it('gets the arguments of its own item, and is an effect of its own', async () => {
    const about = await expanded(harness)
    const sources = [about.source]
    const first = await about.run.token('each', append('one'), { iteration: 0, sources })
    const second = await about.run.token('each', append('two'), { iteration: 1, sources })
    expect(first.idem).not.toBe(second.idem)
    const other = about.run.authorize('each', append('two'), { iteration: 0, sources })
    expect(await code(other)).toBe('ARGS_MISMATCH')
  })

  it('is there only while the list is that long, for a token and for an end', async () => {
    const { run, source } = await expanded(harness)
    const beyond = { iteration: 2, sources: [source] }
    expect(await code(run.authorize('each', append('two'), beyond))).toBe('NO_ITERATION')
    expect(await code(run.fail('each', { iteration: 2 }))).toBe('NO_ITERATION')
  })

  it('is skipped, or not, by a guard over its own item', async () => {
    const guard = `    when: { cel: "t != 'one'", with: { t: { $item: /title, as: item } } }\n`
    const about = await expanded(harness, loopingWith('continue', guard))
    const { run, source } = about
    const skip = (iteration: number) =>
      harness.notary.settle('worker', {
        ...{ type: 'skip', requestId: 'r-1', planDigest: run.digest, kind: 'do', step: 'each' },
        ...{ iteration, sources: [source] },
      })
    expect(await code(run.authorize('each', append('one'), { sources: [source] }))).toBe(
      'GUARD_FALSE',
    )
    expect(await code(skip(1))).toBe('GUARD_TRUE')
    expect(await skip(0)).toMatchObject({ outcome: 'skipped' })
    const two = await iterate(harness, about, { iteration: 1 })
    const sources = [together([null, two])]
    expect(await code(run.authorize('sum', append(' e-two '), { sources }))).toBe('AUTHORISED')
  })

  it('that fails turns the run around, and each that was done is undone for itself', async () => {
    const about = await expanded(harness)
    const done = await iterate(harness, about, { iteration: 0 })
    await iterate(harness, about, { iteration: 1, happened: conflict })
    const { run, source } = about
    const { idem } = await run.token('each', append('one'), { sources: [source] }).then(
      () => ({ idem: '' }),
      (error: Error) => JSON.parse(error.message.slice('each: '.length)) as { idem: string },
    )
    expect(done.reply).toMatchObject({ outcome: 'settled' })
    const retract = { note: 'daily', entry: idem, dryRun: false }
    const undo = { kind: 'undo' as const, iteration: 0, sources: [source] }
    expect(await code(run.authorize('each', retract, undo))).toBe('AUTHORISED')
    expect(await code(run.authorize('each', retract, { ...undo, iteration: 1 }))).toBe(
      'ARGS_MISMATCH',
    )
  })
})

describe('what builds on a loop', () => {
  it('waits for all of its iterations', async () => {
    const about = await expanded(harness)
    const one = await iterate(harness, about, { iteration: 0 })
    const sources = [together([one, null])]
    const { run } = about
    expect(await code(run.authorize('sum', append('e-one '), { sources }))).toBe('NEEDS_UNSETTLED')
    expect(await code(run.authorize('after', append('z')))).toBe('NEEDS_UNSETTLED')
    expect(await code(gather(harness, run))).toBe('NEEDS_UNSETTLED')
    await iterate(harness, about, { iteration: 1 })
    expect(await code(run.authorize('after', append('z')))).toBe('AUTHORISED')
  })

  it('gets the list of what they returned, told by one hash', async () => {
    const about = await expanded(harness)
    const results = [
      await iterate(harness, about, { iteration: 0 }),
      await iterate(harness, about, { iteration: 1 }),
    ]
    const source = together(results)
    expect(await gather(harness, about.run)).toEqual({
      status: 'GATHERED',
      hash: source.hash,
      results: results.map(({ hash }) => ({ rerun: 0, hash })),
    })
    const named = { step: 'each', iteration: 0, hash: source.hash }
    const asked = (sources: object[]) =>
      about.run.authorize('sum', append('e-one e-two '), { sources: sources as never })
    expect(await asked([named])).toMatchObject({
      status: 'NEED_SOURCES',
      steps: [{ step: 'each', iteration: 0 }],
    })
    expect(await code(asked([source]))).toBe('AUTHORISED')
    // From memory now.
    expect(await code(asked([named]))).toBe('AUTHORISED')
  })

  it('refuses a list with an element swapped, changed, left out or not as it was sent', async () => {
    const about = await expanded(harness)
    const one = await iterate(harness, about, { iteration: 0 })
    const two = await iterate(harness, about, { iteration: 1 })
    const { hash } = together([one, two])
    const forged = [
      `[${two.content},${one.content}]`,
      `[${one.content},{"entry":"evil"}]`,
      `[${one.content},null]`,
      `[${one.content}]`,
      `[${one.content}, ${two.content}]`,
      'null',
    ]
    for (const content of forged) {
      const sources = [{ step: 'each', iteration: 0, hash, content }]
      const texts = append('e-one e-two ')
      expect(await code(about.run.authorize('sum', texts, { sources }))).toBe('SOURCE_MISMATCH')
    }
  })

  it.each([
    ['of another shape', { entry: 1 }],
    ['that holds a secret', { entry: '-----BEGIN PRIVATE KEY-----' }],
  ])('refuses a list with an element %s, though its receipt is genuine', async (_, value) => {
    const about = await expanded(harness)
    const one = await iterate(harness, about, { iteration: 0 })
    const two = await iterate(harness, about, {
      iteration: 1,
      happened: { status: 'DONE', value },
    })
    const sources = [together([one, two])]
    const texts = append(`e-one ${value.entry} `)
    expect(await code(about.run.authorize('sum', texts, { sources }))).toBe('SOURCE_MISMATCH')
  })

  it('has nothing where one of them happened and nobody knows what it returned', async () => {
    const about = await expanded(harness, loopingWith('hold'))
    await iterate(harness, about, { iteration: 0 })
    await iterate(harness, about, { iteration: 1, happened: { status: 'UNKNOWN' } })
    const answer = { requestId: 'r-1', step: 'each', iteration: 1, kind: 'do' }
    expect(await code(gather(harness, about.run))).toBe('NEEDS_UNSETTLED')
    await harness.notary.recover('cli', { ...answer, decision: 'happened' })
    const gathered = await gather(harness, about.run)
    expect('hash' in gathered).toBe(false)
    expect(await about.run.authorize('sum', append(''))).toMatchObject({ code: 'NO_RESULT' })
  })
})
