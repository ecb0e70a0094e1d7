// The four priorities on a real Temporal server, with a worker whose hands are all taken but one:
// what is urgent is started first, whatever came before it. Orders only, no times.

import { Context } from '@temporalio/activity'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Priority, priorities } from '../../plan/schema.ts'
import type { Activities } from '../../temporal/activities.ts'
import { fromTaskPriority } from '../../temporal/priority.ts'
import { taskQueue } from '../../workflows/contract.ts'
import { scriptActivities, scriptedStep } from '../support/scripted-activities.ts'
import { withRawClient } from '../support/temporal-histories.ts'
import { startBench, type TemporalBench } from '../support/temporal-worker.ts'

let bench: TemporalBench
beforeAll(async () => {
  bench = await startBench()
})
afterAll(() => bench.stop())

/** Activities of the queue that wait for a hand. */
async function backlog(): Promise<number> {
  const { namespace } = bench.temporal
  const queue = { taskQueue: { name: taskQueue }, taskQueueType: 2 }
  const { stats } = await withRawClient(bench, ({ workflowService }) =>
    workflowService.describeTaskQueue({ namespace, ...queue, reportStats: true }),
  )
  return Number(stats?.approximateBacklogCount ?? 0)
}

/** As many as the worker of a deployment has. */
const hands = 200
const blockers = ['a', 'b', 'c', 'd'].map((name) => `blocks-${name}`)

it('starts what is urgent first when every hand is taken', async () => {
  const waiting: (() => void)[] = []
  const compiled: string[] = []
  const steps = new Map<string, Priority>()
  const busy = Array.from({ length: hands / blockers.length }, (_, n) => scriptedStep(`step-${n}`))
  const blocked = scriptActivities(busy)
  const free = scriptActivities([scriptedStep('read')])
  const activities: Activities = {
    ...free,
    async compilePlan(input) {
      const { requestId } = input
      if (blockers.includes(requestId)) return await blocked.compilePlan(input)
      compiled.push(requestId)
      return await free.compilePlan(input)
    },
    async default(input) {
      steps.set(input.requestId, fromTaskPriority(Context.current().info.priority))
      if (!blockers.includes(input.requestId)) return await free.default(input)
      const beat = setInterval(() => Context.current().heartbeat(), 1_000)
      await new Promise<void>((resolve) => void waiting.push(resolve))
      clearInterval(beat)
      return await blocked.default(input)
    },
  }
  const stop = await bench.startWorker(activities)
  try {
    // What runs on the fast lane waits for no hand.
    const submit = (requestId: string, priority: Priority) =>
      bench.client.submit({ requestId, requestRef: 'request-ref', priority, lane: 'regular' })
    for (const requestId of blockers) await submit(requestId, 'LOW')
    await expect.poll(() => waiting.length).toBe(hands)
    for (const priority of priorities) await submit(priority.toLowerCase(), priority)
    await expect.poll(backlog).toBe(priorities.length)
    waiting.shift()?.()
    for (const priority of priorities) {
      const run = await bench.client.result(priority.toLowerCase())
      expect(run).toMatchObject({ status: 'completed' })
    }
    expect(compiled).toEqual(['critical', 'high', 'medium', 'low'])
    // And each step has the priority of its run.
    for (const priority of priorities) expect(steps.get(priority.toLowerCase())).toBe(priority)
    expect(steps.get('blocks-a')).toBe('LOW')
  } finally {
    for (const release of waiting) release()
    for (const requestId of blockers) await bench.client.result(requestId)
    await stop()
  }
})
