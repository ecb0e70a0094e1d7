// A person's decisions on a step that holds the run: to run it again, to answer what nobody knew, to
// give up. And what nobody but a person may decide.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createHarness, execute, type Harness, type Run } from './harness.ts'
import { append, holding, items, list, twoWrites } from './plans.ts'

let harness: Harness
let run: Run

beforeEach(async () => {
  harness = await createHarness()
  run = await harness.run(holding)
})
afterEach(() => harness.close())

/** The second goes on when the first has failed. */
const forgiving = `
version: 1
goal: go on
steps:
  - id: first
    agent: desk
    action: append
    args: { note: daily, text: a, dryRun: false }
    onError: continue
  - { id: second, agent: desk, action: append, needs: [first], args: { note: daily, text: b, dryRun: false } }
answer: { from: [first] }
`
const failed = { status: 'FAILED', code: 'CONFLICT', retry: 'final' } as const
const recover = (payload: object, account = 'cli') =>
  harness.notary.recover(account, { requestId: 'r-1', ...payload })
const retry = (step: string) => recover({ decision: 'retry', step })
const answer = (decision: 'happened' | 'did-not', step: string, kind = 'do') =>
  recover({ decision, step, kind })
const waitForTokens = () => {
  harness.clock.time += 32_001
}
const decisions = () => harness.rows().filter(({ body }) => body.includes('"call":"recover"'))

describe('a retry', () => {
  it('makes the step an effect of its own, which settles like the first', async () => {
    await run.break('first', append('a'), failed)
    const before = await run.authorize('first', append('a'))
    expect(before).toMatchObject({ status: 'SETTLED', outcome: 'failed', rerun: 0 })
    expect(await retry('first')).toEqual({
      status: 'DECIDED',
      reruns: [{ step: 'first', rerun: 1 }],
    })
    const again = await run.token('first', append('a'))
    expect(again.rerun).toBe(1)
    expect(again.idem).not.toBe('idem' in before ? before.idem : '')
    const value = { entry: 'e-2' }
    const documents = await execute(again, { status: 'DONE', value }, harness.keys.receipt)
    expect(await run.settle('first', documents)).toMatchObject({ outcome: 'settled' })
    expect(decisions().at(-1)).toMatchObject({ actor: 'user:owner', subject: 'first' })
  })

  it('asked twice before it began is one decision', async () => {
    await run.break('first', append('a'), failed)
    const first = await retry('first')
    expect(await retry('first')).toEqual(first)
    expect(decisions()).toHaveLength(1)
  })

  it('is remembered by the notary when the workflow has forgotten it', async () => {
    await run.break('first', append('a'), failed)
    await retry('first')
    await run.perform('first', append('a'), { entry: 'e-2' })
    expect(await run.authorize('first', append('a'), { rerun: 0 })).toMatchObject({
      status: 'SETTLED',
      outcome: 'settled',
      rerun: 1,
    })
  })

  it('survives a restart of the notary', async () => {
    await run.break('first', append('a'), failed)
    await retry('first')
    harness = await harness.restart()
    const reply = await harness.notary.authorize('worker', run.call('first', append('a')))
    expect(reply).toMatchObject({ status: 'AUTHORISED', rerun: 1 })
  })

  it('advances every descendant that ran, and no other', async () => {
    await run.break('first', append('a'), failed)
    const source = await run.perform('read', list, items(['x']))
    await run.perform('told', append('x'), { entry: 'told' }, [source])
    // `first` holds: nothing that builds on it has run. What does not build on it is left alone.
    expect(await retry('first')).toMatchObject({ reruns: [{ step: 'first', rerun: 1 }] })
    expect(await run.authorize('told', append('x'), { sources: [source] })).toMatchObject({
      rerun: 0,
    })
  })

  it('advances descendants that went on without it, each to an effect of its own', async () => {
    const soft = await harness.run(forgiving, { requestId: 'r-2' })
    await soft.break('first', append('a'), failed)
    const before = await soft.token('second', append('b'))
    const value = { entry: 'e' }
    await soft.settle(
      'second',
      await execute(before, { status: 'DONE', value }, harness.keys.receipt),
    )
    const ask = () =>
      harness.notary.recover('cli', { requestId: 'r-2', decision: 'retry', step: 'first' })
    expect(await ask()).toMatchObject({
      reruns: [
        { step: 'first', rerun: 1 },
        { step: 'second', rerun: 1 },
      ],
    })
    expect(await soft.authorize('second', append('b'))).toMatchObject({ code: 'NEEDS_UNSETTLED' })
    await soft.perform('first', append('a'), value)
    const again = await soft.token('second', append('b'))
    expect(again.rerun).toBe(1)
    expect(again.idem).not.toBe(before.idem)
    // It is under way now: what builds on the first must come to an end before that runs again.
    await soft.settle('first', await execute(again, { status: 'UNKNOWN' }, harness.keys.receipt))
    expect(await ask()).toMatchObject({ code: 'NOT_HELD' })
  })

  it('is refused while the step has not ended, or did not fail', async () => {
    expect(await retry('first')).toMatchObject({ code: 'NOT_HELD' })
    await run.token('first', append('a'))
    expect(await retry('first')).toMatchObject({ code: 'NOT_HELD' })
    await run.perform('read', list, items(['x']))
    expect(await retry('read')).toMatchObject({ code: 'NOT_HELD' })
    expect(await retry('nothing')).toMatchObject({ code: 'UNKNOWN_STEP' })
  })

  it('is refused while another token of the failed effect can still start it', async () => {
    const twice = await harness.run(holding.replace('attempts: 1', 'attempts: 2'), {
      requestId: 'r-2',
    })
    await twice.token('first', append('a'))
    await twice.break('first', append('a'), failed)
    const ask = () =>
      harness.notary.recover('cli', { requestId: 'r-2', decision: 'retry', step: 'first' })
    expect(await ask()).toMatchObject({ code: 'TOKENS_ALIVE' })
    waitForTokens()
    expect(await ask()).toMatchObject({ status: 'DECIDED' })
  })

  it('is refused of an unknown outcome until somebody has answered', async () => {
    await run.break('first', append('a'), { status: 'UNKNOWN' })
    expect(await retry('first')).toMatchObject({ code: 'UNRESOLVED' })
    await answer('did-not', 'first')
    expect(await retry('first')).toMatchObject({ status: 'DECIDED' })
  })

  it('is refused once the run turns around or was cancelled', async () => {
    await run.break('first', append('a'), failed)
    await recover({ decision: 'give-up' })
    expect(await retry('first')).toMatchObject({ code: 'RUN_ABORTING' })
    const other = await harness.run(holding, { requestId: 'r-2' })
    await other.break('first', append('a'), failed)
    await harness.notary.cancel('cli', { requestId: 'r-2' })
    expect(
      await harness.notary.recover('cli', { requestId: 'r-2', decision: 'retry', step: 'first' }),
    ).toMatchObject({ code: 'REQUEST_CANCELLED' })
  })
})

describe('a rerun that nobody decided', () => {
  it.each(['do', 'undo', 'probe'] as const)('gets no token as %s', async (kind) => {
    await run.break('first', append('a'), failed)
    const ring = kind === 'probe' ? { step: 'first' } : {}
    const reply = await run.authorize('first', append('a'), { kind, rerun: 1, ...ring })
    expect(reply).toMatchObject({ code: kind === 'probe' ? 'UNKNOWN_STEP' : 'NOT_DECIDED' })
  })

  it('cannot be settled', async () => {
    expect(await run.fail('first', { rerun: 1 })).toMatchObject({ code: 'NOT_DECIDED' })
  })

  it.each(['retry', 'happened', 'did-not', 'give-up'])(
    'cannot be decided by a worker: %s',
    async (decision) => {
      await run.break('first', append('a'), { status: 'UNKNOWN' })
      for (const account of ['worker', 'supervisor', 'ingress', 'agent_desk_0']) {
        expect(await recover({ decision, step: 'first', kind: 'do' }, account)).toMatchObject({
          code: 'NOT_PERMITTED',
        })
      }
      expect(decisions()).toHaveLength(4)
      expect(await run.authorize('first', append('a'))).toMatchObject({ outcome: 'unknown' })
    },
  )
})

describe('an answer to an unknown outcome', () => {
  it('that it happened lets the run go on, and fails whoever refers to the result', async () => {
    await run.break('first', append('a'), { status: 'UNKNOWN' })
    expect(await run.authorize('named', append('x'))).toMatchObject({ code: 'NEEDS_UNSETTLED' })
    expect(await answer('happened', 'first')).toMatchObject({ status: 'DECIDED' })
    expect(await run.authorize('first', append('a'))).toMatchObject({
      status: 'SETTLED',
      outcome: 'settled',
      code: 'HAPPENED',
    })
    expect(await run.authorize('named', append('x'))).toMatchObject({ code: 'NO_RESULT' })
    expect(await run.authorize('named', append('x'))).toMatchObject({
      status: 'SETTLED',
      outcome: 'failed',
      code: 'NO_RESULT',
    })
    const source = await run.perform('read', list, items(['x']))
    await run.perform('told', append('x'), { entry: 'told' }, [source])
    expect(await run.authorize('last', append('z'))).toMatchObject({ status: 'AUTHORISED' })
  })

  it('is refused for an outcome that is known, and is itself final', async () => {
    expect(await answer('happened', 'first')).toMatchObject({ code: 'NOT_UNKNOWN' })
    await run.break('first', append('a'), { status: 'UNKNOWN' })
    await answer('did-not', 'first')
    expect(await answer('did-not', 'first')).toMatchObject({ status: 'DECIDED' })
    expect(await answer('happened', 'first')).toMatchObject({ code: 'NOT_UNKNOWN' })
    expect(decisions().filter(({ body }) => body.includes('resolved'))).toHaveLength(1)
  })

  it('is refused while another token can still start it', async () => {
    const twice = await harness.run(holding.replace('attempts: 1', 'attempts: 2'), {
      requestId: 'r-2',
    })
    await twice.token('first', append('a'))
    await twice.break('first', append('a'), { status: 'UNKNOWN' })
    const call = { requestId: 'r-2', decision: 'did-not', step: 'first', kind: 'do' }
    expect(await harness.notary.recover('cli', call)).toMatchObject({ code: 'TOKENS_ALIVE' })
    waitForTokens()
    expect(await harness.notary.recover('cli', call)).toMatchObject({ status: 'DECIDED' })
  })

  it('is possible after the run has ended, of its undos too', async () => {
    const writes = await harness.run(twoWrites, { requestId: 'r-2' })
    const { idem } = await writes.token('first', append('a'))
    await harness.notary.cancel('cli', { requestId: 'r-2' })
    waitForTokens()
    const retract = { note: 'daily', entry: idem, dryRun: false }
    const undo = await writes.token('first', retract, { kind: 'undo' })
    const documents = await execute(undo, { status: 'UNKNOWN' }, harness.keys.receipt)
    await writes.settle('first', documents, { kind: 'undo' })
    const call = { requestId: 'r-2', decision: 'happened', step: 'first', kind: 'undo' }
    expect(await harness.notary.recover('cli', call)).toMatchObject({ status: 'DECIDED' })
    expect(await writes.authorize('first', retract, { kind: 'undo' })).toMatchObject({
      outcome: 'settled',
    })
  })
})

describe('giving up', () => {
  const undo = { kind: 'undo' } as const

  it('is refused while nothing holds the run; a held run is not undone by itself', async () => {
    expect(await recover({ decision: 'give-up' })).toMatchObject({ code: 'NOT_HELD' })
    await run.break('first', append('a'), { status: 'UNKNOWN' })
    const retract = { note: 'daily', entry: 'A'.repeat(43), dryRun: false }
    expect(await run.authorize('first', retract, undo)).toMatchObject({ code: 'NOT_ABORTING' })
  })

  it('turns the run around, and is one decision', async () => {
    const { idem } = await run.token('first', append('a'))
    waitForTokens()
    await run.fail('first')
    expect(await recover({ decision: 'give-up' })).toMatchObject({ status: 'DECIDED' })
    expect(await recover({ decision: 'give-up' })).toMatchObject({ status: 'DECIDED' })
    expect(decisions()).toHaveLength(1)
    const retract = { note: 'daily', entry: idem, dryRun: false }
    expect(await run.authorize('first', retract, undo)).toMatchObject({ status: 'AUTHORISED' })
    expect(await run.authorize('read', list)).toMatchObject({ code: 'RUN_ABORTING' })
  })

  it('undoes each rerun on its own', async () => {
    await run.break('first', append('a'), failed)
    await retry('first')
    const { idem } = await run.token('first', append('a'))
    waitForTokens()
    await run.fail('first')
    await recover({ decision: 'give-up' })
    const retract = { note: 'daily', entry: idem, dryRun: false }
    expect(await run.authorize('first', retract, undo)).toMatchObject({ code: 'ARGS_MISMATCH' })
    expect(await run.token('first', retract, { ...undo, rerun: 1 })).toMatchObject({ rerun: 1 })
  })
})

describe('a request of somebody else', () => {
  it('is not for this person to decide on', async () => {
    await run.break('first', append('a'), failed)
    await harness.tamper("UPDATE request SET user = 'user:other'")
    harness = await harness.restart()
    expect(await retry('first')).toMatchObject({ code: 'UNKNOWN_REQUEST' })
    expect(await recover({ decision: 'give-up' })).toMatchObject({ code: 'UNKNOWN_REQUEST' })
  })

  it('is answered like one that does not exist', async () => {
    expect(
      await harness.notary.recover('cli', { requestId: 'r-9', decision: 'give-up' }),
    ).toMatchObject({ code: 'UNKNOWN_REQUEST' })
  })
})
