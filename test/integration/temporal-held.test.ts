// A held run on a real Temporal server: it waits durably, takes up a person's decisions by updates
// whose refusals harm nothing, and a cancellation reaches an activity that is at work.

import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import { describe, expect, it } from 'vitest'
import { benchSuite } from '../support/bench-suite.ts'
import { isHeld, whenRun } from '../support/run-states.ts'
import {
  failing,
  retryable,
  scriptActivities,
  scriptedStep,
  unknown,
  write,
} from '../support/scripted-activities.ts'

const { bench, submit } = await benchSuite('held')

const steps = [
  scriptedStep('first', { ...write, onError: 'hold' }),
  scriptedStep('second', { ...write, needs: ['first'] }),
]
const rerun = (rerun: number) => ({ step: 'first', reruns: [{ step: 'first', rerun }] })

describe('a held run', () => {
  it('waits over a change of workers, and goes on when the step is run again', async () => {
    const before = scriptActivities(steps, async ({ name }) => (name === 'first' ? failing : {}))
    const stop = await bench.startWorker(before)
    const requestId = await submit()
    expect(await whenRun(bench, requestId, isHeld)).toMatchObject({
      steps: [{ outcome: 'failed', code: 'UNAVAILABLE' }, { outcome: 'pending' }],
    })
    expect(await bench.client.describe(requestId)).toMatchObject({ status: 'held', closed: false })
    await stop()
    const after = scriptActivities(steps)
    const stopAfter = await bench.startWorker(after)
    await bench.client.retry(requestId, rerun(1))
    const result = await bench.client.result(requestId)
    await stopAfter()
    expect(result).toMatchObject({ status: 'completed' })
    expect(after.calls).toEqual(['first~1', 'second'])
    expect(result.steps[0]).toMatchObject({ outcome: 'settled', rerun: 1 })
  })

  it('refuses decisions that make no sense, and goes on waiting', async () => {
    const stop = await bench.startWorker(
      scriptActivities(steps, async ({ name }) => (name === 'first' ? unknown : {})),
    )
    const requestId = await submit()
    await whenRun(bench, requestId, isHeld)
    const { client } = bench
    await expect(client.retry(requestId, rerun(1))).rejects.toThrow(/UNRESOLVED/)
    await expect(client.resolve(requestId, { step: 'second', happened: true })).rejects.toThrow(
      /NOT_HELD/,
    )
    await expect(client.retry(requestId, { step: 'x', reruns: [] })).rejects.toThrow(/UNKNOWN_STEP/)
    expect(await client.state(requestId)).toMatchObject({ status: 'held' })
    await client.resolve(requestId, { step: 'first', happened: true })
    const result = await client.result(requestId)
    expect(result).toMatchObject({ status: 'completed' })
    expect(result.steps[0]).toMatchObject({ outcome: 'settled', code: 'HAPPENED' })
    await expect(client.giveUp(requestId)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await stop()
  })

  it('undoes every rerun, newest first, when it is given up', async () => {
    const activities = scriptActivities(steps, async ({ name }) => {
      if (name === 'first~1~undo') return { outcome: 'failed', code: 'CONFLICT', resultRef: null }
      return name.endsWith('undo') ? {} : failing
    })
    const stop = await bench.startWorker(activities)
    const requestId = await submit()
    await whenRun(bench, requestId, isHeld)
    await bench.client.retry(requestId, rerun(1))
    while (!activities.calls.includes('first~1')) await delay(50)
    await whenRun(bench, requestId, isHeld)
    await bench.client.giveUp(requestId)
    const result = await bench.client.result(requestId)
    await stop()
    expect(activities.calls).toEqual(['first', 'first~1', 'first~1~undo', 'first~undo'])
    expect(result).toMatchObject({ status: 'failed', code: 'UNAVAILABLE' })
    expect(result.steps[0]).toMatchObject({ undo: 'failed', undoCode: 'CONFLICT' })
  })

  it('can be cancelled', async () => {
    const stop = await bench.startWorker(
      scriptActivities(steps, async ({ name }) => (name === 'first' ? failing : {})),
    )
    const requestId = await submit()
    await whenRun(bench, requestId, isHeld)
    await bench.client.cancel(requestId)
    expect(await bench.client.result(requestId)).toMatchObject({ status: 'cancelled' })
    await stop()
  })
})

describe('a cancellation', () => {
  it('reaches an activity that is at work, which says what became of the step', async () => {
    let details: unknown
    const activities = scriptActivities([scriptedStep('slow', write)], async ({ name }) => {
      if (name !== 'slow') return {}
      const context = Context.current()
      const beat = setInterval(() => context.heartbeat(), 200)
      await context.cancelled.catch(() => undefined)
      clearInterval(beat)
      details = context.cancellationDetails
      return { outcome: 'failed', code: 'CANCELLED', resultRef: null }
    })
    const stop = await bench.startWorker(activities)
    const requestId = await submit()
    while (!activities.calls.includes('slow')) await delay(20)
    await bench.client.cancel(requestId)
    const result = await bench.client.result(requestId)
    await stop()
    expect(details).toMatchObject({ cancelRequested: true })
    expect(result).toMatchObject({ status: 'cancelled' })
    expect(result.steps[0]).toMatchObject({ outcome: 'failed', code: 'CANCELLED', undo: 'settled' })
    expect(activities.calls).toEqual(['slow', 'slow~undo'])
  })

  it('between two attempts has one more activity find out what became of the command', async () => {
    const activities = scriptActivities(
      [scriptedStep('write', { ...write, attempts: 1 })],
      async ({ name }) => {
        if (name === 'write') throw retryable('NO_REPLY')
        return name === 'write~drain' ? unknown : {}
      },
    )
    const stop = await bench.startWorker(activities)
    const requestId = await submit()
    while (!activities.calls.includes('write')) await delay(20)
    await bench.client.cancel(requestId)
    const result = await bench.client.result(requestId)
    await stop()
    expect(result).toMatchObject({ status: 'cancelled' })
    expect(result.steps[0]).toMatchObject({ outcome: 'unknown', undo: 'settled' })
    expect(activities.calls.slice(-2)).toEqual(['write~drain', 'write~undo'])
  })
})

describe('an activity that ends for good without an outcome', () => {
  it('is followed by one that finds out, so that the notary hears of it', async () => {
    const activities = scriptActivities(
      [scriptedStep('write', { ...write, attempts: 1 })],
      async ({ name }) => {
        if (name === 'write') throw retryable('NOTARY_UNAVAILABLE', 'soon')
        return name === 'write~drain' ? { outcome: 'failed', code: 'NO_REPLY' } : {}
      },
    )
    const stop = await bench.startWorker(activities)
    const result = await bench.client.result(await submit())
    await stop()
    expect(result.steps[0]).toMatchObject({ outcome: 'failed', code: 'NO_REPLY', undo: 'settled' })
  })
})
