// What agents decide and a flow rule asks about: a guard over what strangers wrote (R3), a list of things to
// act on (R6). A person is shown what decides as the notary knows it, when it is known; before they approve
// there is no token, whatever the worker says, and what they approve is that and nothing else.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Source } from '../../notary/contract.ts'
import type { Card } from '../../plan/card.ts'
import { attackedHouse } from '../support/attacker-manifests.ts'
import {
  allowing,
  answering,
  batching,
  clearing,
  either,
  inbox,
  message,
  toBob,
  toMe,
} from '../support/flow-approval-plans.ts'
import { fire, planOf, schedule } from '../support/notary-approval-set-up.ts'
import {
  asking,
  askingFor,
  askingHarness,
  onlyQuestion,
  openQuestions,
  say,
  show,
} from './approvals.ts'
import { execute, type Harness, type Run } from './harness.ts'
import { expand } from './loops.ts'
import { items, list } from './plans.ts'

let harness: Harness
beforeEach(async () => {
  harness = await askingHarness({ decide: allowing })
  await harness.boot({ agent: 'mail', bootEpoch: 'epoch-mail' })
})
afterEach(() => harness.close())

const cardOf = async (id: string): Promise<Card> => JSON.parse((await show(harness, id)).card)

describe('a mail to somebody else under a guard over mail', () => {
  const begin = async (id: string, requestId = 'r-1') => {
    const run = await harness.run(answering, { requestId })
    const source = await run.perform('inbox', { folder: 'in' }, inbox(id))
    return { run, source }
  }
  const ask = ({ run, source }: { readonly run: Run; readonly source: Source }) =>
    run.authorize('tell', toBob, { sources: [source] })

  it('is asked about with what the guard has read, and sent once', async () => {
    const begun = await begin('yes')
    expect(await ask(begun)).toMatchObject({ status: 'APPROVAL' })
    const id = await onlyQuestion(harness)
    const card = await cardOf(id)
    expect(card.subject).toMatchObject({ is: 'step', step: 'tell' })
    expect(card.asks).toEqual([
      {
        step: 'tell',
        rules: ['FLOW_R3'],
        args: toBob,
        audience: ['addr:bob@x.org'],
        decides: [{ pointer: '/to/0', from: 'written' }],
        conditions: [
          { by: 'when', cel: "i == 'yes'", from: ['inbox#/first/id'], values: { i: 'yes' } },
        ],
      },
    ])
    expect(await ask(begun)).toMatchObject({ status: 'APPROVAL', id })
    await say(harness, id)
    expect(await ask(begun)).toMatchObject({ status: 'AUTHORISED' })
    // Another attempt at the same effect, and no other question.
    expect(await ask(begun)).toMatchObject({ status: 'AUTHORISED' })
    expect(await openQuestions(harness)).toEqual([])
  })

  it('is nobody’s question where the guard is not true', async () => {
    const begun = await begin('no')
    expect(await ask(begun)).toMatchObject({ status: 'DENIED', code: 'GUARD_FALSE' })
    expect(await openQuestions(harness)).toEqual([])
    expect(await begun.run.skip('tell', [begun.source])).toMatchObject({ status: 'SETTLED' })
  })

  it('is not sent when it is denied, nor when nobody answers', async () => {
    const begun = await begin('yes')
    await ask(begun)
    await say(harness, await onlyQuestion(harness), { decision: 'deny' })
    expect(await ask(begun)).toMatchObject({ status: 'DENIED', code: 'APPROVAL_DENIED' })
    const other = await begin('yes', 'r-2')
    await ask(other)
    harness.clock.time += 8 * 24 * 3_600_000
    await harness.boot({ agent: 'mail', bootEpoch: 'epoch-mail-2' })
    expect(await ask(other)).toMatchObject({ status: 'DENIED', code: 'APPROVAL_EXPIRED' })
  })

  it('is one question where the policy asks as well', async () => {
    await harness.close()
    harness = await askingHarness({ decide: askingFor('send') })
    await harness.boot({ agent: 'mail', bootEpoch: 'epoch-mail' })
    // Admitted: what decides is not known yet.
    const begun = await begin('yes')
    expect(await openQuestions(harness)).toEqual([])
    expect(await ask(begun)).toMatchObject({ status: 'APPROVAL' })
    const id = await onlyQuestion(harness)
    expect((await cardOf(id)).asks[0]?.rules).toEqual(['ask.of-a-test', 'FLOW_R3'])
    await say(harness, id)
    expect(await ask(begun)).toMatchObject({ status: 'AUTHORISED' })
  })

  it('is asked about in each firing of a schedule, which nobody approves beforehand', async () => {
    await harness.close()
    const rules = asking(['send'], allowing)
    harness = await askingHarness({ decide: rules })
    await harness.boot({ agent: 'mail', bootEpoch: 'epoch-mail' })
    expect(await schedule(harness, { source: answering })).toBe('')
    for (let firing = 0; firing < 2; firing += 1) {
      const plan = planOf(answering, rules)
      const { reply, call } = await fire(harness, plan)
      expect(reply).toMatchObject({ status: 'ADMITTED' })
      const ask = (step: string, args: object, sources: Source[] = []) =>
        harness.notary.authorize('worker', { ...call, op: 'run', step, args, sources })
      const token = await ask('inbox', { folder: 'in' })
      if (token.status !== 'AUTHORISED') throw new Error(JSON.stringify(token))
      const happened = { status: 'DONE', value: inbox('yes') } as const
      const signed = await execute(token, happened, harness.keys.receipt)
      const { receipt, envelope, content, resultHash } = signed
      const documents = { type: 'receipt', receipt, envelope, invalidResult: false }
      await harness.notary.settle('worker', { ...call, step: 'inbox', ...documents })
      const source = { step: 'inbox', iteration: 0, hash: resultHash, content }
      expect(await ask('tell', toBob, [source])).toMatchObject({ status: 'APPROVAL' })
      await say(harness, await onlyQuestion(harness))
      expect(await ask('tell', toBob, [source])).toMatchObject({ status: 'AUTHORISED' })
      harness.clock.time += 1_000
    }
  })

  it('is refused as ever where it would tell others what they may not know', async () => {
    const private_ = answering.replace('inbox#/first/id', 'inbox#/first/text')
    await expect(harness.run(private_)).rejects.toThrow('FLOW_R4')
  })
})

describe('a list of things to act on', () => {
  const begin = async (plan = clearing) => {
    const run = await harness.run(plan)
    const source = await run.perform('gather', list, items(['one', 'two']))
    return { run, source }
  }
  const count = ({ run, source }: { readonly run: Run; readonly source: Source }) =>
    expand(harness, run, { step: 'clear', sources: [source] })
  const clear = (
    { run, source }: { readonly run: Run; readonly source: Source },
    iteration: number,
    booking: string,
  ) => run.authorize('clear', { booking, dryRun: false }, { iteration, sources: [source] })

  it('is shown as it is, before it has an item', async () => {
    const begun = await begin()
    expect(await count(begun)).toMatchObject({ status: 'APPROVAL' })
    const id = await onlyQuestion(harness)
    const { subject, asks } = await cardOf(id)
    expect(subject).toMatchObject({ is: 'list', step: 'clear' })
    expect(asks).toMatchObject([
      {
        rules: ['FLOW_R6'],
        args: [
          { booking: 'one', dryRun: false },
          { booking: 'two', dryRun: false },
        ],
        conditions: [{ by: 'forEach', cel: null, from: ['gather#/items'], values: {} }],
      },
    ])
    expect(await clear(begun, 0, 'one')).toMatchObject({ code: 'NO_ITERATION' })
    await say(harness, id)
    expect(await count(begun)).toMatchObject({ status: 'LOOP', count: 2 })
    expect(await clear(begun, 0, 'one')).toMatchObject({ status: 'AUTHORISED' })
    expect(await clear(begun, 1, 'two')).toMatchObject({ status: 'AUTHORISED' })
    expect(await openQuestions(harness)).toEqual([])
  })

  it('has no item when it is denied', async () => {
    const begun = await begin()
    await count(begun)
    await say(harness, await onlyQuestion(harness), { decision: 'deny' })
    expect(await count(begun)).toMatchObject({ outcome: 'denied', code: 'APPROVAL_DENIED' })
    expect(await clear(begun, 0, 'one')).toMatchObject({ status: 'DENIED' })
  })

  it('is asked about without the items that its guard leaves out', async () => {
    await harness.close()
    const names = { people: { owner: ['me@home.example'] }, places: {} }
    harness = await askingHarness({ names, decide: allowing })
    await harness.boot({ agent: 'mail', bootEpoch: 'epoch-mail' })
    const run = await harness.run(batching)
    const messages = [message('yes'), message('no')]
    const value = { first: message('yes'), messages, count: 2 }
    const source = await run.perform('inbox', { folder: 'in' }, value)
    const each = (iteration: number) =>
      run.authorize('tell', toMe, { iteration, sources: [source] })
    const counted = () => expand(harness, run, { step: 'tell', sources: [source] })
    expect(await counted()).toMatchObject({ status: 'APPROVAL' })
    const id = await onlyQuestion(harness)
    const { asks } = await cardOf(id)
    expect(asks).toMatchObject([{ rules: ['FLOW_R6'], args: [toMe, null] }])
    expect(asks[0]?.conditions?.map(({ by }) => by)).toEqual(['forEach'])
    await say(harness, id)
    expect(await counted()).toMatchObject({ status: 'LOOP', count: 2 })
    expect(await each(0)).toMatchObject({ status: 'AUTHORISED' })
    expect(await each(1)).toMatchObject({ code: 'GUARD_FALSE' })
  })
})

describe('what was approved', () => {
  it('is asked again where a worker brings other results to decide by', async () => {
    await harness.close()
    harness = await askingHarness({ catalogue: attackedHouse, decide: allowing })
    await harness.boot({ agent: 'web', bootEpoch: 'epoch-web' })
    const run = await harness.run(either)
    const page = (title: string) => ({ title, links: [] })
    const one = await run.perform('one', { page: 'x' }, page('yes'))
    const two = await run.perform('two', { page: 'y' }, page('no'))
    const ask = (...sources: readonly Source[]) =>
      run.authorize('tell', { page: 'z' }, { sources: [...sources] })
    expect(await ask(one)).toMatchObject({ status: 'APPROVAL' })
    const id = await onlyQuestion(harness)
    expect((await cardOf(id)).asks[0]?.conditions).toMatchObject([
      { by: 'when', values: { a: 'yes', b: null } },
      { by: 'join', values: {} },
    ])
    await say(harness, id)
    // The same arguments, and another reason for them.
    expect(await ask(one, two)).toMatchObject({ status: 'APPROVAL' })
    expect(await onlyQuestion(harness)).not.toBe(id)
    expect(await ask(one)).toMatchObject({ status: 'AUTHORISED' })
  })
})
