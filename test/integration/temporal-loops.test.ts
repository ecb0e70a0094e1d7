// Loops and times on a real Temporal server, with scripted activities: chunks as workflows of their
// own, what reaches them, and what a person sees of them.

import { Context } from '@temporalio/activity'
import { describe, expect, it } from 'vitest'
import type { SkeletonStep } from '../../plan/schema.ts'
import { stopSignal } from '../../workflows/chunk-contract.ts'
import type { CompileOutcome, RunState, StepResult } from '../../workflows/contract.ts'
import { benchSuite } from '../support/bench-suite.ts'
import { createHeld, type Held } from '../support/held.ts'
import { isHeld, whenRun } from '../support/run-states.ts'
import {
  failing,
  retryable,
  type ScriptedCall,
  scriptActivities,
  scriptedStep,
  workUntil,
  write,
} from '../support/scripted-activities.ts'
import { historyOf, withRawClient } from '../support/temporal-histories.ts'

const { bench, submit } = await benchSuite('loop')

const loop = (id: string, more: Partial<SkeletonStep> = {}) =>
  scriptedStep(id, { ...write, forEachMax: 5_000, ...more })
const iterations = (calls: readonly string[]) => calls.filter((name) => /^mail:\d+$/.test(name))
const numberOf = (name: string) => Number(/^mail:(\d+)$/.exec(name)?.[1] ?? -1)
const undos = (calls: readonly string[]) => calls.filter((name) => /^mail:\d+~undo$/.test(name))

async function withRun<T>(
  given: {
    readonly steps: readonly SkeletonStep[]
    readonly items: number
    readonly script?: (call: ScriptedCall) => Promise<Partial<StepResult>>
    /** What the script waits for: let go however `use` ends, because a worker stops after its activities. */
    readonly held?: Held
  },
  use: (requestId: string, calls: string[]) => Promise<T>,
): Promise<T> {
  const activities = scriptActivities(given.steps, given.script, { mail: given.items })
  const stop = await bench.startWorker(activities)
  try {
    return await use(await submit(), activities.calls)
  } finally {
    given.held?.release()
    await stop()
  }
}

type Event = Awaited<ReturnType<typeof historyOf>>[number]

/** Resolves when each of these chunks has been told so: from then on it begins nothing more. */
async function whenTold(
  chunks: readonly string[],
  isTold: (event: Event) => boolean,
): Promise<void> {
  for (const chunk of chunks) {
    await expect.poll(async () => (await historyOf(bench, chunk)).some(isTold)).toBe(true)
  }
}

const done = ({ steps }: RunState) => {
  const outcomes = steps.find(({ id }) => id === 'mail')?.loop?.outcomes
  return outcomes?.settled ?? 0
}

describe('a loop', () => {
  const steps = [
    scriptedStep('list'),
    loop('mail', { needs: ['list'] }),
    scriptedStep('last', { needs: ['mail'] }),
  ]

  it('runs in chunks with histories of their own, and Temporal shows each iteration by its number', async () => {
    await withRun({ steps, items: 120 }, async (requestId, calls) => {
      const result = await bench.client.result(requestId)
      expect(result).toMatchObject({ status: 'completed', answerRef: 'answer-of-3' })
      expect(result.steps[1]).toMatchObject({
        outcome: 'settled',
        loop: { total: 120, outcomes: { settled: 120 }, failed: [] },
      })
      expect(new Set(iterations(calls)).size).toBe(120)
      expect(calls).toHaveLength(122)
      const events = await historyOf(bench, requestId)
      const children = events.flatMap(
        ({ startChildWorkflowExecutionInitiatedEventAttributes: one }) =>
          one ? [one.workflowId ?? ''] : [],
      )
      expect(children).toEqual([
        `${requestId}~mail~1`,
        `${requestId}~mail~2`,
        `${requestId}~mail~3`,
      ])
      const ids = (await historyOf(bench, children[1] ?? '')).flatMap(
        ({ activityTaskScheduledEventAttributes: one }) =>
          one ? [`${one.activityType?.name} ${one.activityId}`] : [],
      )
      expect(ids).toHaveLength(50)
      expect(ids[0]).toBe('notes.append mail:50')
    })
  })

  it('tells how far it is, from the chunks that are at work', async () => {
    const held = createHeld()
    const script = async ({ name }: ScriptedCall) => {
      if (name === 'mail:119') await workUntil(held)
      return name === 'mail:7' ? failing : {}
    }
    const forgiving = [loop('mail', { onError: 'continue' })]
    await withRun({ steps: forgiving, items: 120, script, held }, async (requestId) => {
      const state = await whenRun(bench, requestId, (now) => done(now) === 118)
      expect(state.steps[0]).toMatchObject({
        outcome: 'running',
        loop: {
          total: 120,
          outcomes: { settled: 118, failed: 1, running: 1 },
          failed: [{ iteration: 7, outcome: 'failed', code: 'UNAVAILABLE' }],
        },
      })
      held.release()
      expect(await bench.client.result(requestId)).toMatchObject({ status: 'completed' })
    })
  })

  it('begins nothing more in any chunk once an iteration has failed, and is undone, newest first', async () => {
    const held = createHeld()
    // Of eight chunks the first fails; the others are held until they have been told to stop.
    const script = async ({ name }: ScriptedCall) => {
      if (numberOf(name) >= 125) await workUntil(held)
      return name === 'mail:5' ? failing : {}
    }
    await withRun({ steps, items: 1_000, script, held }, async (requestId, calls) => {
      const others = [2, 3, 4, 5, 6, 7, 8].map((nth) => `${requestId}~mail~${nth}`)
      await whenRun(bench, requestId, ({ status }) => status === 'running')
      await whenTold(
        others,
        ({ workflowExecutionSignaledEventAttributes: one }) => one?.signalName === stopSignal,
      )
      held.release()
      const result = await bench.client.result(requestId)
      expect(result).toMatchObject({ status: 'failed', code: 'UNAVAILABLE', answerRef: null })
      const begun = iterations(calls)
      // Eight of each chunk are out at once.
      expect(new Set(begun.filter((name) => numberOf(name) >= 125)).size).toBeLessThanOrEqual(56)
      expect(new Set(undos(calls))).toEqual(new Set(begun.map((name) => `${name}~undo`)))
      expect(calls.indexOf('mail:5~undo')).toBeGreaterThan(calls.lastIndexOf(begun.at(-1) ?? ''))
      expect(result.steps[1]).toMatchObject({
        outcome: 'failed',
        undo: 'settled',
        loop: { undos: { outcomes: { settled: new Set(begun).size }, failed: [] } },
      })
    })
  })

  it('hands a cancellation to what is at work, drains, and undoes', async () => {
    const told: string[] = []
    const heard = createHeld()
    const script = async ({ name }: ScriptedCall) => {
      if (name === 'mail:3') {
        const context = Context.current()
        const beat = setInterval(() => context.heartbeat(), 200)
        await context.cancelled.catch(() => undefined)
        clearInterval(beat)
        told.push(name)
        heard.release()
      } else if (numberOf(name) >= 200) await workUntil(heard)
      return {}
    }
    await withRun({ steps, items: 400, script, held: heard }, async (requestId, calls) => {
      await whenRun(bench, requestId, (state) => done(state) > 20)
      await bench.client.cancel(requestId)
      const result = await bench.client.result(requestId)
      expect(result.status).toBe('cancelled')
      expect(told).toEqual(['mail:3'])
      const begun = iterations(calls)
      expect(begun.length).toBeLessThan(400)
      expect(new Set(undos(calls))).toEqual(new Set(begun.map((name) => `${name}~undo`)))
      expect(calls).not.toContain('last')
    })
  })

  it('is held by the iteration that failed, which alone runs again', async () => {
    const script = async ({ name }: ScriptedCall) => (name === 'mail:60' ? failing : {})
    const holding = [loop('mail', { onError: 'hold' }), scriptedStep('last', { needs: ['mail'] })]
    await withRun({ steps: holding, items: 120, script }, async (requestId, calls) => {
      const { steps: held } = await whenRun(bench, requestId, isHeld)
      expect(held[0]).toMatchObject({
        outcome: 'failed',
        code: 'UNAVAILABLE',
        loop: { outcomes: { settled: 119, failed: 1 }, failed: [{ iteration: 60 }] },
      })
      const reruns = [{ step: 'mail', iteration: 60, rerun: 1 }]
      await bench.client.retry(requestId, { step: 'mail', reruns })
      expect(await bench.client.result(requestId)).toMatchObject({ status: 'completed' })
      expect(calls.slice(120)).toEqual(['mail:60~1', 'last'])
    })
  })

  it('of which a chunk was ended from outside is of unknown outcome, and is undone', async () => {
    const held = createHeld()
    const script = async ({ name }: ScriptedCall) => {
      if (numberOf(name) >= 20 && numberOf(name) < 50) await workUntil(held)
      return {}
    }
    await withRun({ steps, items: 100, script, held }, async (requestId, calls) => {
      await whenRun(bench, requestId, (state) => done(state) > 10)
      await withRawClient(bench, (client) =>
        client.workflow.getHandle(`${requestId}~mail~1`).terminate(),
      )
      held.release()
      const result = await bench.client.result(requestId)
      expect(result).toMatchObject({ status: 'failed', code: 'TERMINATED' })
      expect(result.steps[1]).toMatchObject({ outcome: 'unknown', undo: 'settled' })
      expect(new Set(undos(calls)).size).toBeGreaterThanOrEqual(50)
    })
  })

  it('ends with the run that is ended from outside: its chunks begin nothing more', async () => {
    const held = createHeld()
    const script = async ({ name }: ScriptedCall) => {
      if (numberOf(name) >= 200) await workUntil(held)
      return {}
    }
    await withRun({ steps: [loop('mail')], items: 400, script, held }, async (requestId, calls) => {
      // Of eight chunks four are through, and of each other eight iterations are out.
      await whenRun(bench, requestId, (state) => done(state) === 200)
      const begun = () => new Set(iterations(calls))
      await expect.poll(() => begun().size).toBe(200 + 4 * 8)
      const before = begun()
      const atWork = [5, 6, 7, 8].map((nth) => `${requestId}~mail~${nth}`)
      await withRawClient(bench, async (client) => {
        await client.workflow.getHandle(requestId).terminate()
        await whenTold(atWork, ({ workflowExecutionCancelRequestedEventAttributes: one }) =>
          Boolean(one),
        )
        held.release()
        // Each returns what its iterations have come to.
        for (const chunk of atWork) await client.workflow.getHandle(chunk).result()
      })
      expect(begun()).toEqual(before)
      expect(undos(calls)).toEqual([])
    })
  })
})

describe('a reset in the middle of a loop', () => {
  it('does no iteration that has an outcome again by another effect', async () => {
    const held = createHeld()
    const script = async ({ name }: ScriptedCall) => {
      if (numberOf(name) >= 40) await workUntil(held)
      return {}
    }
    await withRun({ steps: [loop('mail')], items: 100, script, held }, async (requestId, calls) => {
      await whenRun(bench, requestId, (state) => done(state) > 30)
      await withRawClient(bench, async (client) => {
        const events = await historyOf(bench, requestId)
        const first = events.find((event) => event.workflowTaskCompletedEventAttributes)
        await client.workflowService.resetWorkflowExecution({
          namespace: bench.temporal.namespace,
          workflowExecution: { workflowId: requestId },
          workflowTaskFinishEventId: first?.eventId ?? null,
          requestId: 'reset-1',
          reason: 'test',
        })
      })
      expect(iterations(calls).length).toBeLessThan(100)
      held.release()
      const result = await bench.client.result(requestId)
      expect(result).toMatchObject({ status: 'completed' })
      expect(result.steps[0]).toMatchObject({ loop: { total: 100, outcomes: { settled: 100 } } })
      // The same effects by the same names: what the notary and the ledgers answer without doing it.
      expect(new Set(calls).size).toBe(100)
    })
  })
})

describe('a step with a time', () => {
  it('is waited for over a change of workers, while the answer to the rest is there', async () => {
    // Counted from when its plan is there, however long a worker takes to begin.
    let at = 0
    const compiled = (): CompileOutcome => {
      at = Date.now() + 10_000
      const steps = [scriptedStep('now'), scriptedStep('later', { at, needs: ['now'] })]
      const skeleton = { planRef: 'plan-ref', digest: 'plan-digest', steps }
      return { status: 'ADMITTED', skeleton }
    }
    const requestId = 'timed-1'
    const stop = await bench.startWorker(scriptActivities([], undefined, {}, compiled))
    try {
      await bench.client.submit({ requestId, requestRef: 'request-ref' })
      const state = await whenRun(bench, requestId, ({ status }) => status === 'scheduled')
      expect(state).toMatchObject({
        answerRef: 'answer-of-1',
        steps: [{ outcome: 'settled' }, { outcome: 'pending', at }],
      })
      expect(await bench.client.describe(requestId)).toMatchObject({
        status: 'scheduled',
        closed: false,
      })
    } finally {
      await stop()
    }
    const began: number[] = []
    const after = scriptActivities([], async () => {
      began.push(Date.now())
      return {}
    })
    const stopAfter = await bench.startWorker(after)
    const result = await bench.client.result(requestId).finally(stopAfter)
    expect(began[0]).toBeGreaterThanOrEqual(at)
    expect(result).toMatchObject({ status: 'completed', answerRef: 'answer-of-2' })
    expect(after.calls).toEqual(['later'])
  })

  it('leaves the run cancellable, and what was done undone', async () => {
    const steps = [
      scriptedStep('now', write),
      scriptedStep('later', { at: Date.now() + 3_600_000, needs: ['now'] }),
    ]
    await withRun({ steps, items: 0 }, async (requestId, calls) => {
      await whenRun(bench, requestId, ({ status }) => status === 'scheduled')
      await bench.client.cancel(requestId)
      const result = await bench.client.result(requestId)
      expect(result.status).toBe('cancelled')
      expect(calls).toEqual(['now', 'now~undo'])
    })
  })
})

describe('an iteration whose attempts are cut off', () => {
  it('is asked about once more, by its own number', async () => {
    const script = async ({ name }: ScriptedCall) => {
      if (name === 'mail:1') throw retryable('NO_REPLY', 'soon')
      return name === 'mail:1~drain' ? { outcome: 'already-settled' as const } : {}
    }
    await withRun(
      { steps: [loop('mail', { attempts: 1 })], items: 2, script },
      async (id, calls) => {
        const result = await bench.client.result(id)
        expect(result).toMatchObject({ status: 'completed' })
        expect(result.steps[0]).toMatchObject({ loop: { outcomes: { 'already-settled': 1 } } })
        expect(calls).toContain('mail:1~drain')
      },
    )
  })
})
