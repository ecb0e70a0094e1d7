// A loop that a rule asks about: a person is shown its list as it is, before it has an item.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Source } from '../../notary/contract.ts'
import type { Card } from '../../plan/card.ts'
import { askingFor, askingHarness, onlyQuestion, openQuestions, say, show } from './approvals.ts'
import type { Harness, Run } from './harness.ts'
import { expand, looping, oneTwo } from './loops.ts'
import { append, items, list } from './plans.ts'

/** What builds on the loop would be asked about too. */
const only = looping.replace(/ {2}- id: sum[\s\S]*(?=answer)/, '')

let harness: Harness
beforeEach(async () => {
  harness = await askingHarness({ decide: askingFor('append') })
})
afterEach(() => harness.close())

describe('a loop that a rule asks about', () => {
  let run: Run
  let source: Source

  beforeEach(async () => {
    run = await harness.run(only)
    source = await run.perform('gather', list, oneTwo)
  })

  const count = () => expand(harness, run, { sources: [source] })
  const each = (iteration: number, text: string) =>
    run.authorize('each', append(text), { iteration, sources: [source] })

  it('is asked about once, with the list as it is, and each item is covered', async () => {
    expect(await count()).toMatchObject({ status: 'APPROVAL' })
    const id = await onlyQuestion(harness)
    const { card: text, approval } = await show(harness, id)
    const card: Card = JSON.parse(text)
    expect(card.subject).toEqual({ is: 'list', request: 'r-1', step: 'each', rerun: 0 })
    expect(card.asks).toMatchObject([{ step: 'each', args: [append('one'), append('two')] }])
    expect(approval.title).toBe('test: desk.append, 2 times')
    expect(await each(0, 'one')).toMatchObject({ code: 'NO_ITERATION' })
    await say(harness, id)
    expect(await count()).toMatchObject({ status: 'LOOP', count: 2 })
    expect(await each(0, 'one')).toMatchObject({ status: 'AUTHORISED' })
    expect(await each(1, 'two')).toMatchObject({ status: 'AUTHORISED' })
    expect(await openQuestions(harness)).toEqual([])
  })

  it('ends before its first item when it is denied', async () => {
    await count()
    await say(harness, await onlyQuestion(harness), { decision: 'deny' })
    const ended = { status: 'SETTLED', outcome: 'denied', code: 'APPROVAL_DENIED' }
    expect(await count()).toEqual(ended)
    expect(await count()).toEqual(ended)
  })

  it('is asked about with all that its items are given, brought by the worker', async () => {
    const told = only
      .replace(
        '  - id: each',
        '  - { id: other, agent: desk, action: list, args: { day: now } }\n  - id: each',
      )
      .replace(
        '{ $item: /title, as: item }',
        "{ $text: '{{i}} {{o}}', with: { i: { $item: /title, as: item }, o: { $from: 'other#/first' } } }",
      )
    run = await harness.run(told, { requestId: 'r-2' })
    source = await run.perform('gather', list, oneTwo)
    const other = await run.perform('other', { day: 'now' }, items(['three']))
    const { content: _, ...unnamed } = source
    harness = await harness.restart()
    expect(await expand(harness, run, { sources: [source] })).toEqual({
      status: 'NEED_SOURCES',
      steps: [{ step: 'other', iteration: 0 }],
    })
    expect(await expand(harness, run, { sources: [unnamed, other] })).toMatchObject({
      status: 'APPROVAL',
    })
    const card: Card = JSON.parse((await show(harness, await onlyQuestion(harness))).card)
    expect(card.asks).toMatchObject([{ args: [append('one three'), append('two three')] }])
  })

  it('is denied when nobody could read the list', async () => {
    const twice = "{ $text: '{{i}}{{i}}', with: { i: { $item: /title, as: item } } }"
    const long = only.replace('max: 3', 'max: 10').replace('{ $item: /title, as: item }', twice)
    run = await harness.run(long, { requestId: 'r-2' })
    const titles = Array.from({ length: 10 }, (_, n) => `${n}`.repeat(30_000))
    source = await run.perform('gather', list, items(titles))
    expect(await count()).toEqual({ status: 'SETTLED', outcome: 'denied', code: 'LIMIT' })
  })

  it('is not asked about when there is nothing in the list', async () => {
    run = await harness.run(only, { requestId: 'r-2' })
    source = await run.perform('gather', list, items([]))
    expect(await count()).toMatchObject({ status: 'LOOP', count: 0 })
  })
})
