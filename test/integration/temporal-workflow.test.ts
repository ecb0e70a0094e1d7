// The request workflow on a real Temporal server, with scripted activities: what the SDK and the
// server make of it, which fakes cannot tell.

import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import { temporal } from '@temporalio/proto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RequestInput, RunState } from '../../workflows/contract.ts'
import { createHeld, type Held } from '../support/held.ts'
import {
  retryable,
  scriptActivities,
  scriptedStep,
  workUntil,
  write,
} from '../support/scripted-activities.ts'
import { historyOf, withRawClient } from '../support/temporal-histories.ts'
import { startBench, type TemporalBench } from '../support/temporal-worker.ts'

let bench: TemporalBench
beforeAll(async () => {
  bench = await startBench()
})
afterAll(() => bench?.stop())

let drawn = 0
/**
 * Starts a worker with this script, submits a run to it, and stops it when `use` is done.
 * @param held what the script waits for: let go however `use` ends, because a worker stops after its activities
 */
async function withRun<T>(
  activities: ReturnType<typeof scriptActivities>,
  use: (requestId: string) => Promise<T>,
  held?: Held,
): Promise<T> {
  const stopWorker = await bench.startWorker(activities)
  drawn += 1
  const requestId = `req-${drawn}`
  try {
    await bench.client.submit({ requestId, requestRef: 'request-ref', recipe: 'morning-briefing' })
    return await use(requestId)
  } finally {
    held?.release()
    await stopWorker()
  }
}

describe('a run', () => {
  const steps = [
    scriptedStep('work'),
    scriptedStep('family'),
    scriptedStep('write', { ...write, needs: ['work', 'family'] }),
  ]

  it('completes with its steps, its answer, and what Temporal shows of it', async () => {
    await withRun(scriptActivities(steps), async (requestId) => {
      const result = await bench.client.result(requestId)
      expect(result).toMatchObject({ status: 'completed', answerRef: 'answer-of-3' })
      expect(result.steps.map(({ id, outcome }) => [id, outcome])).toEqual([
        ['work', 'settled'],
        ['family', 'settled'],
        ['write', 'settled'],
      ])
      expect(await bench.client.describe(requestId)).toMatchObject({
        status: 'completed',
        recipe: 'morning-briefing',
        workflowId: requestId,
      })
      const scheduled = (await historyOf(bench, requestId)).flatMap((event) =>
        event.activityTaskScheduledEventAttributes
          ? [event.activityTaskScheduledEventAttributes]
          : [],
      )
      expect(scheduled.map(({ activityType }) => activityType?.name)).toEqual([
        'compilePlan',
        'calendar.list',
        'calendar.list',
        'notes.append',
        'composeAnswer',
      ])
      expect(scheduled.map(({ activityId }) => activityId)).toContain('write')
      const last = scheduled.find(({ activityId }) => activityId === 'write')
      expect(Number(last?.heartbeatTimeout?.seconds)).toBe(5)
      expect(Number(last?.startToCloseTimeout?.seconds)).toBeGreaterThan(0)
      expect(Number(last?.scheduleToCloseTimeout?.seconds)).toBeGreaterThan(0)
      expect(last?.retryPolicy?.nonRetryableErrorTypes).toContain('NOT_PERMITTED')
    })
  })

  it('is one run however often it is submitted, running or ended', async () => {
    const activities = scriptActivities([scriptedStep('work')])
    await withRun(activities, async (requestId) => {
      const again = () => bench.client.submit({ requestId, requestRef: 'request-ref' })
      const first = await again()
      await bench.client.result(requestId)
      expect(await again()).toEqual(first)
      expect(activities.calls).toEqual(['work'])
    })
  })

  it('can be watched from its steps to its end', async () => {
    const held = createHeld()
    const script = async () => {
      await workUntil(held)
      return {}
    }
    const watch = async (requestId: string) => {
      const states: RunState[] = []
      for await (const state of bench.client.watch(requestId)) {
        states.push(state)
        if (state.steps[0]?.outcome === 'running') held.release()
      }
      expect(states.map(({ steps: [work] }) => work?.outcome)).toContain('running')
      expect(states.at(-1)).toMatchObject({ status: 'completed', steps: [{ outcome: 'settled' }] })
    }
    await withRun(scriptActivities([scriptedStep('work')], script), watch, held)
  })

  it('tries a step again, and counts the attempts', async () => {
    const activities = scriptActivities([scriptedStep('work')], async ({ attempt }) => {
      if (attempt === 1) throw retryable('NOT_DELIVERED')
      return {}
    })
    const result = await withRun(activities, (requestId) => bench.client.result(requestId))
    expect(result.steps).toMatchObject([{ outcome: 'settled', attempts: 2 }])
  })

  it('calls a write unknown, and a read failed, when its activity fails for good', async () => {
    for (const [effect, outcome] of [
      ['write', 'unknown'],
      ['read', 'failed'],
    ] as const) {
      const activities = scriptActivities([scriptedStep('step', { effect })], async () => {
        throw retryable('NOT_PERMITTED')
      })
      const result = await withRun(activities, (requestId) => bench.client.result(requestId))
      expect(result).toMatchObject({
        status: 'failed',
        code: 'NOT_PERMITTED',
        steps: [{ outcome, code: 'NOT_PERMITTED' }],
      })
      expect(activities.calls).toEqual(['step'])
    }
  })

  it('is denied, with the code, when its plan was not admitted', async () => {
    const activities = {
      ...scriptActivities([]),
      compilePlan: async () => ({ status: 'DENIED', code: 'POLICY' }) as const,
    }
    const result = await withRun(activities, (requestId) => bench.client.result(requestId))
    expect(result).toMatchObject({ status: 'denied', code: 'POLICY', steps: [], answerRef: null })
  })
})

describe('a run that must stop', () => {
  it('undoes newest first after a failure', async () => {
    const activities = scriptActivities(
      [
        scriptedStep('first', write),
        scriptedStep('second', { ...write, needs: ['first'] }),
        scriptedStep('third', { ...write, needs: ['second'], hasUndo: false }),
      ],
      async ({ name }) =>
        name === 'third' ? { outcome: 'failed', code: 'CONFLICT', resultRef: null } : {},
    )
    const result = await withRun(activities, (requestId) => bench.client.result(requestId))
    expect(activities.calls).toEqual(['first', 'second', 'third', 'second~undo', 'first~undo'])
    expect(result).toMatchObject({ status: 'failed', code: 'CONFLICT', answerRef: null })
    expect(result.steps.map(({ undo }) => undo)).toEqual(['settled', 'settled', undefined])
  })

  it('drains, then undoes, when it is cancelled', async () => {
    const held = createHeld()
    const activities = scriptActivities(
      [scriptedStep('first', write), scriptedStep('second', { ...write, needs: ['first'] })],
      async ({ name }) => {
        if (name === 'first') await workUntil(held)
        return {}
      },
    )
    const cancel = async (requestId: string) => {
      await until(() => activities.calls.includes('first'))
      await bench.client.cancel(requestId)
      held.release()
      return await bench.client.result(requestId)
    }
    const result = await withRun(activities, cancel, held)
    expect(activities.calls).toEqual(['first', 'first~undo'])
    expect(result).toMatchObject({ status: 'cancelled' })
    expect(result.steps).toMatchObject([
      { outcome: 'settled', undo: 'settled' },
      { outcome: 'pending' },
    ])
  })

  it('ends as failed when somebody terminates it from outside', async () => {
    const held = createHeld()
    const activities = scriptActivities([scriptedStep('slow')], async () => {
      await workUntil(held)
      return {}
    })
    const terminate = async (requestId: string) => {
      await until(() => activities.calls.length > 0)
      await withRawClient(bench, (client) => client.workflow.getHandle(requestId).terminate())
      return await bench.client.result(requestId)
    }
    const result = await withRun(activities, terminate, held)
    expect(result).toMatchObject({ status: 'failed', code: 'TERMINATED' })
  })
})

describe('a worker that is replaced', () => {
  it('has its run carried on by the next one', async () => {
    const steps = [scriptedStep('first'), scriptedStep('second', { needs: ['first'] })]
    const held = createHeld()
    const before = scriptActivities(steps, async ({ name }) => {
      if (name === 'second') await held.until
      return {}
    })
    const stop = await bench.startWorker(before)
    let stopped: Promise<void> | undefined
    try {
      const requestId = 'req-replaced'
      await bench.client.submit({ requestId, requestRef: 'request-ref' })
      await until(() => before.calls.includes('second'))
      stopped = stop()
      const after = scriptActivities(steps)
      const stopAfter = await bench.startWorker(after)
      const result = await bench.client.result(requestId).finally(stopAfter)
      expect(result.status).toBe('completed')
      expect(after.calls).toEqual(['second'])
    } finally {
      held.release()
      await (stopped ?? stop())
    }
  })
})

describe('a worker that dies over the plan', () => {
  it('is missed by its heartbeats, and the plan is compiled by the next attempt', async () => {
    const scripted = scriptActivities([scriptedStep('work')])
    let attempts = 0
    const activities = {
      ...scripted,
      async compilePlan(input: RequestInput) {
        // The fast lane was tried before, and there is none.
        if (Context.current().info.isLocal) return await scripted.compilePlan(input)
        attempts += 1
        // As one that is dead: it neither answers nor beats.
        if (attempts === 1) await Context.current().cancelled
        return await scripted.compilePlan(input)
      },
    }
    await withRun(activities, async (requestId) => {
      expect(await bench.client.result(requestId)).toMatchObject({ status: 'completed' })
      const started = (await historyOf(bench, requestId)).flatMap((event) =>
        event.activityTaskStartedEventAttributes ? [event.activityTaskStartedEventAttributes] : [],
      )
      expect(started[0]).toMatchObject({
        attempt: 2,
        lastFailure: {
          timeoutFailureInfo: {
            timeoutType: temporal.api.enums.v1.TimeoutType.TIMEOUT_TYPE_HEARTBEAT,
          },
        },
      })
    })
  })
})

async function until(ready: () => boolean): Promise<void> {
  while (!ready()) await delay(20)
}
