// Where argument values come from: every value is the plan's, an input's or a settled result's, and
// what the worker brings only has to agree.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { canonicalJson } from '../../security/verify/canonical-json.ts'
import { saltedHash } from '../../security/verify/hash.ts'
import { createHarness, type Harness } from './harness.ts'
import { append, briefing, gathered, heavy, items, list, softly } from './plans.ts'

let harness: Harness

beforeEach(async () => {
  harness = await createHarness()
})
afterEach(() => harness.close())

describe('arguments', () => {
  it('must be the literals of the plan', async () => {
    const run = await harness.run(briefing, { inputs: { note: 'daily' } })
    expect(await run.authorize('gather', { day: 'tomorrow' })).toMatchObject({
      status: 'DENIED',
      code: 'ARGS_MISMATCH',
    })
    expect(await run.authorize('gather', { day: 'today', extra: 1 })).toMatchObject({
      code: 'ARGS_MISMATCH',
    })
    expect(await run.authorize('gather', list)).toMatchObject({ status: 'AUTHORISED' })
  })

  it('must be what the inputs and settled results make of them', async () => {
    const { run, source } = await gathered(harness)
    const sources = [source]
    const other = { note: 'other', text: 'one two ', dryRun: false }
    expect(await run.authorize('write', other, { sources })).toMatchObject({
      code: 'ARGS_MISMATCH',
    })
    expect(await run.authorize('write', append('one three '), { sources })).toMatchObject({
      code: 'ARGS_MISMATCH',
    })
    expect(await run.authorize('write', append('one two '), { sources })).toMatchObject({
      status: 'AUTHORISED',
    })
  })

  it('must fit the action, whatever the plan and the results say', async () => {
    const { run, source } = await gathered(harness, ['x'.repeat(50)])
    const reply = await run.authorize(
      'named',
      { note: 'x'.repeat(50), text: '-', dryRun: false },
      {
        sources: [source],
      },
    )
    expect(reply).toMatchObject({ status: 'DENIED', code: 'ARGS_INVALID' })
    // Nothing that the worker could bring would change that, so the step has ended.
    expect(await run.authorize('named', {})).toMatchObject({ status: 'SETTLED', outcome: 'denied' })
  })

  it('must stay below their limit', async () => {
    const titles = Array.from({ length: 40 }, () => 'x'.repeat(1_500))
    const { run, source } = await gathered(harness, titles)
    const text = titles.map((title) => `${title} ${title} `).join('')
    const reply = await run.authorize('long', append(text), { sources: [source] })
    expect(reply).toMatchObject({ status: 'DENIED', code: 'LIMIT' })
  })

  it('are measured as they travel, quotes escaped', async () => {
    const titles = Array.from({ length: 20 }, () => '"'.repeat(1_500))
    const { run, source } = await gathered(harness, titles)
    const text = titles.map((title) => `${title} ${title} `).join('')
    const reply = await run.authorize('long', append(text), { sources: [source] })
    expect(reply).toMatchObject({ status: 'DENIED', code: 'LIMIT' })
  })
})

describe('a source', () => {
  it('is asked for once by its hash and then remembered', async () => {
    const { run, source } = await gathered(harness)
    const named = { step: source.step, iteration: 0, hash: source.hash }
    const ask = (sources: (typeof source)[]) =>
      run.authorize('write', append('one two '), { sources })
    expect(await ask([named])).toEqual({
      status: 'NEED_SOURCES',
      steps: [{ step: 'gather', iteration: 0 }],
    })
    expect(await ask([source])).toMatchObject({ status: 'AUTHORISED' })
    expect(await ask([named])).toMatchObject({ status: 'AUTHORISED' })
  })

  it('must be named', async () => {
    const { run } = await gathered(harness)
    expect(await run.authorize('write', append('one two '))).toMatchObject({
      code: 'SOURCE_MISSING',
    })
  })

  it('is refused when it is not the settled result, by hash or by content', async () => {
    const { run, source } = await gathered(harness)
    const forged = canonicalJson(items(['evil']))
    const text = append('evil ')
    const ask = (sources: (typeof source)[]) => run.authorize('write', text, { sources })
    expect(await ask([{ ...source, content: forged }])).toMatchObject({ code: 'SOURCE_MISMATCH' })
    const hash = saltedHash('AAAA', forged)
    expect(await ask([{ ...source, hash, content: forged }])).toMatchObject({
      code: 'SOURCE_MISMATCH',
    })
    expect(await ask([{ ...source, hash }])).toMatchObject({ code: 'SOURCE_MISMATCH' })
    // A refused content was not remembered either.
    expect(await ask([source])).toMatchObject({ code: 'ARGS_MISMATCH' })
  })

  it.each([
    ['its bytes are not canonical', '{"first": "","items":[]}'],
    ['it has a key twice', '{"first":"","items":[],"items":[]}'],
    ['it does not fit the action', '{"first":"","items":[{"title":1}]}'],
    ['it is not JSON', 'items'],
    ['it holds a secret', '{"first":"","items":[{"title":"-----BEGIN PRIVATE KEY-----"}]}'],
  ])('is refused when %s, though its receipt is genuine', async (_, bytes) => {
    const run = await harness.run(briefing, { inputs: { note: 'daily' } })
    const source = await run.perform('gather', list, bytes)
    const reply = await run.authorize('write', append(''), { sources: [source] })
    expect(reply).toMatchObject({ code: 'SOURCE_MISMATCH' })
  })

  it('is one too many when all of them exceed their limit', async () => {
    const run = await harness.run(heavy)
    const sources = []
    for (const id of ['a', 'b', 'c', 'd']) {
      sources.push(
        await run.perform(id, list, { first: '', items: [{ title: id.repeat(450_000) }] }),
      )
    }
    for (const source of sources.slice(0, 3)) {
      const named = sources.map(({ content: _, ...rest }) => rest)
      const brought = named.map((one) => (one.step === source.step ? source : one))
      await run.authorize('write', append(''), { sources: brought })
    }
    expect(await run.authorize('write', append(''), { sources })).toMatchObject({ code: 'LIMIT' })
  })

  it('is refused for a step that has none', async () => {
    const run = await harness.run(softly)
    await run.break('gather', list, { status: 'FAILED', code: 'CONFLICT', retry: 'final' })
    const source = { step: 'gather', iteration: 0, hash: 'A'.repeat(43), content: '{}' }
    const reply = await run.authorize('write', append('none'), { sources: [source] })
    expect(reply).toMatchObject({ code: 'SOURCE_MISMATCH' })
    expect(await run.authorize('write', append('none'))).toMatchObject({ status: 'AUTHORISED' })
  })
})

describe('a guard', () => {
  it('is evaluated again: false, and nothing is authorised', async () => {
    const { run, source } = await gathered(harness, ['one'])
    const reply = await run.authorize('maybe', append('many'), { sources: [source] })
    expect(reply).toMatchObject({ status: 'DENIED', code: 'GUARD_FALSE' })
  })

  it('lets the step run when it is true', async () => {
    const { run, source } = await gathered(harness)
    const reply = await run.authorize('maybe', append('many'), { sources: [source] })
    expect(reply).toMatchObject({ status: 'AUTHORISED' })
  })
})
