// Runs that wait for a person's approval on a real Temporal server: nothing is at work meanwhile, the
// wait outlives the worker, and an update wakes them.

import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { RunState } from '../../workflows/contract.ts'
import { benchSuite } from '../support/bench-suite.ts'
import { whenRun } from '../support/run-states.ts'
import {
  asksPlan,
  asksStep,
  scriptActivities,
  scriptedStep,
  write,
} from '../support/scripted-activities.ts'
import { fetchHistory, withRawClient } from '../support/temporal-histories.ts'

const { bench, submit } = await benchSuite('approval')
const isAsking = ({ status }: RunState) => status === 'waiting-approval'
const steps = [
  scriptedStep('send', write),
  scriptedStep('beside'),
  scriptedStep('after', { needs: ['send'] }),
]
const asking = async ({ name }: { readonly name: string }) =>
  name === 'send' ? asksStep('apr1') : {}

describe('a run that waits to be approved', () => {
  it('has nothing at work, waits over a change of workers, and goes on when it is woken', async () => {
    const before = scriptActivities(steps, asking)
    const stop = await bench.startWorker(before)
    const requestId = await submit()
    const state = await whenRun(bench, requestId, isAsking)
    expect(state.steps).toMatchObject([
      { outcome: 'waiting', approvals: [{ id: 'apr1' }] },
      { outcome: 'settled' },
      { outcome: 'pending' },
    ])
    expect(await bench.client.describe(requestId)).toMatchObject({
      status: 'waiting-approval',
      closed: false,
    })
    const pending = await withRawClient(bench, async (client) => {
      const { raw } = await client.workflow.getHandle(requestId).describe()
      return raw.pendingActivities ?? []
    })
    expect(pending).toEqual([])
    await stop()
    const after = scriptActivities(steps)
    const stopAfter = await bench.startWorker(after)
    await bench.client.approve(requestId, { approvals: ['apr1'] })
    const result = await bench.client.result(requestId)
    await stopAfter()
    expect(result.status).toBe('completed')
    expect(after.calls).toEqual(['send', 'after'])
    expect(result.steps[0]).toMatchObject({ outcome: 'settled', attempts: 1 })
    expect(result.steps[0]).not.toHaveProperty('rerun')
  })

  it('waits with its whole plan, and says so before it has a step', async () => {
    const decided = new Set<string>()
    const plan = () => (decided.has('aprplan') ? undefined : asksPlan('aprplan'))
    const activities = scriptActivities(steps, undefined, undefined, plan)
    const stop = await bench.startWorker(activities)
    const requestId = await submit()
    const state = await whenRun(bench, requestId, isAsking)
    expect(state).toMatchObject({ approvals: [{ id: 'aprplan' }], steps: [] })
    expect(activities.calls).toEqual([])
    decided.add('aprplan')
    await bench.client.approve(requestId, { approvals: ['aprplan'] })
    expect((await bench.client.result(requestId)).status).toBe('completed')
    await stop()
  })

  it('ends when it is cancelled, with its plan or with a step that waits', async () => {
    const plan = () => asksPlan('aprplan')
    for (const activities of [
      scriptActivities(steps, undefined, undefined, plan),
      scriptActivities(steps, asking),
    ]) {
      const stop = await bench.startWorker(activities)
      const requestId = await submit()
      await whenRun(bench, requestId, isAsking)
      await bench.client.cancel(requestId)
      const result = await bench.client.result(requestId)
      await stop()
      expect(result.status).toBe('cancelled')
      expect(activities.calls).not.toContain('send~undo')
    }
  })

  it('is not woken by what is no list of approvals, and goes on waiting', async () => {
    const stop = await bench.startWorker(scriptActivities(steps, asking))
    const requestId = await submit()
    await whenRun(bench, requestId, isAsking)
    const broken = { approvals: [{}] } as unknown as { approvals: string[] }
    await expect(bench.client.approve(requestId, broken)).rejects.toThrow(/MALFORMED/)
    await bench.client.approve(requestId, { approvals: ['another'] })
    await delay(200)
    expect((await bench.client.state(requestId)).status).toBe('waiting-approval')
    const events = await fetchHistory(bench, requestId)
    expect(JSON.stringify(events).match(/timerStarted/g) ?? []).toHaveLength(1)
    await bench.client.cancel(requestId)
    await bench.client.result(requestId)
    await stop()
  })
})
