// The fast lane on a real Temporal server: what the server gets to see of it, what a regular activity
// takes up, and that histories replay in whatever order and grouping the results had come.

import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import { Worker } from '@temporalio/worker'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SkeletonStep } from '../../plan/schema.ts'
import { createDataConverter } from '../../temporal/data-converter.ts'
import { oneKey } from '../../temporal/payload-keys.ts'
import type { RequestInput, RunResult, StepResult } from '../../workflows/contract.ts'
import { until } from '../support/observer.ts'
import {
  asksStep,
  retryable,
  type ScriptedCall,
  scriptActivities,
  scriptedStep,
} from '../support/scripted-activities.ts'
import { fetchHistory } from '../support/temporal-histories.ts'
import { startBench, type TemporalBench, testPayloadKey } from '../support/temporal-worker.ts'

let bench: TemporalBench
beforeAll(async () => {
  bench = await startBench()
})
afterAll(() => bench.stop())

const fast = (id: string, needs: readonly string[] = [], more: Partial<SkeletonStep> = {}) =>
  scriptedStep(id, { lane: 'fast', needs, ...more })

interface Performed {
  readonly result: RunResult
  readonly calls: readonly string[]
  /** Kinds of events, with how many there were. */
  readonly events: Readonly<Record<string, number>>
}

type Scripted = ReturnType<typeof scriptActivities>

/** Runs it to its end and replays what the server kept of it. @param change of the activities */
async function perform(
  steps: readonly SkeletonStep[],
  script: (call: ScriptedCall) => Promise<Partial<StepResult>> = async () => ({}),
  input: Partial<RequestInput> = {},
  change: (scripted: Scripted) => Partial<Scripted> = () => ({}),
): Promise<Performed> {
  const scripted = scriptActivities(steps, script)
  const activities: Scripted = { ...scripted, ...change(scripted) }
  const requestId = `lane-${randomUUID()}`
  const stop = await bench.startWorker(activities)
  await bench.client.submit({ requestId, requestRef: 'request-ref', ...input })
  const result = await bench.client.result(requestId)
  await stop()
  const history = await fetchHistory(bench, requestId)
  const dataConverter = createDataConverter({
    keys: oneKey(testPayloadKey),
    namespace: bench.temporal.namespace,
  })
  const workflowBundle = { codePath: bench.present.workflowBundle }
  await Worker.runReplayHistory({ workflowBundle, dataConverter }, history, requestId)
  const events: Record<string, number> = {}
  for (const event of history.events ?? []) {
    const kind = Object.entries(event).find(([name, value]) => name.endsWith('Attributes') && value)
    const name = kind?.[0].replace('EventAttributes', '') ?? 'none'
    events[name] = (events[name] ?? 0) + 1
  }
  return { result, calls: activities.calls, events }
}

/** A plan of before one local activity could carry on. */
const withoutAhead = ({ compilePlan }: Scripted): Partial<Scripted> => ({
  async compilePlan(asked) {
    const compiled = await compilePlan(asked)
    if (compiled.status !== 'ADMITTED') return compiled
    const { ahead: _, ...skeleton } = compiled.skeleton
    return { ...compiled, skeleton }
  },
})

const sorted = (names: readonly string[]) =>
  names.toSorted((one, other) => one.localeCompare(other))

const middles = ['a', 'b', 'c', 'd']
const diamond = [fast('first'), ...middles.map((id) => fast(id, ['first'])), fast('last', middles)]

describe('a run on the fast lane', () => {
  it('takes one workflow task from its plan to its answer', async () => {
    const { result, events, calls } = await perform(diamond)
    expect(result.status).toBe('completed')
    expect(result.steps.map(({ lane, outcome }) => [lane, outcome])).toEqual(
      diamond.map(() => ['fast', 'settled']),
    )
    expect(sorted(calls)).toEqual(['a', 'b', 'c', 'd', 'first', 'last'])
    expect(events['activityTaskScheduled']).toBeUndefined()
    expect(events['workflowTaskCompleted']).toBe(1)
    // The patch, the plan, and all the rest in one.
    expect(events['markerRecorded']).toBe(3)
  })

  it('takes a local activity for each wave, where it began before it could look ahead', async () => {
    const { result, events, calls } = await perform(diamond, undefined, {}, withoutAhead)
    expect(result.status).toBe('completed')
    expect(sorted(calls)).toEqual(['a', 'b', 'c', 'd', 'first', 'last'])
    expect(events['markerRecorded']).toBe(6)
    expect(events['workflowTaskCompleted']).toBe(1)
  })

  const ends: Readonly<Record<string, () => Partial<StepResult>>> = {
    failed: () => ({ outcome: 'failed', code: 'NO_RESULT', resultRef: null }),
    'refused because it was cancelled': () => ({
      ...{ outcome: 'denied', code: 'REQUEST_CANCELLED', resultRef: null },
    }),
    'turned away, and then failed': () => {
      if (Context.current().info.isLocal) throw retryable('AGENT_BUSY')
      return { outcome: 'failed', code: 'NO_RESULT', resultRef: null }
    },
    'left undone, and then failed': () => {
      if (Context.current().info.isLocal) throw retryable('UNFINISHED')
      return { outcome: 'failed', code: 'NO_RESULT', resultRef: null }
    },
  }
  it.each(Object.entries(ends))('begins nothing behind a step that was %s', async (_, end) => {
    const script = async ({ name }: ScriptedCall) => (name.startsWith('b') ? end() : {})
    const { result, calls } = await perform(diamond, script)
    expect(['failed', 'cancelled']).toContain(result.status)
    expect(calls.filter((name) => name.startsWith('b')).length).toBeGreaterThan(0)
    expect(calls).not.toContain('last')
    expect(result.steps.find(({ id }) => id === 'last')?.outcome).toBe('pending')
  })

  it('begins nothing behind a step that a person is asked about, and all of it once they have', async () => {
    let asked = false
    const script = async ({ name }: ScriptedCall): Promise<Partial<StepResult>> => {
      if (name !== 'b' || asked) return {}
      asked = true
      return asksStep('aprb')
    }
    const activities = scriptActivities(diamond, script)
    const requestId = `lane-${randomUUID()}`
    const stop = await bench.startWorker(activities)
    await bench.client.submit({ requestId, requestRef: 'request-ref' })
    const isAsked = async () => (await bench.client.state(requestId)).status === 'waiting-approval'
    await until('the question', isAsked)
    expect(sorted(activities.calls)).toEqual(['a', 'b', 'c', 'd', 'first'])
    await bench.client.approve(requestId, { approvals: ['aprb'] })
    const { status } = await bench.client.result(requestId)
    await stop()
    expect(status).toBe('completed')
    expect(activities.calls.slice(5)).toEqual(['b', 'last'])
  })

  it('is not taken by a run that shall not, nor where the worker has none', async () => {
    const steps = [scriptedStep('work')]
    const { result, events } = await perform(steps)
    expect(result.steps[0]).not.toHaveProperty('lane')
    expect(events['activityTaskScheduled']).toBe(3)
    const asked = await perform(steps, undefined, { lane: 'regular' })
    expect(asked.events['activityTaskScheduled']).toBe(3)
    // The mark of the patch alone: nothing local was tried.
    expect(asked.events['markerRecorded']).toBe(1)
  })

  it('leaves a step that comes to no outcome to a regular activity, and only that one', async () => {
    const script = async ({ name }: ScriptedCall) => {
      if (name === 'b') throw retryable('UNFINISHED')
      return {}
    }
    const { result, calls } = await perform(diamond, script)
    expect(result.status).toBe('completed')
    const lanes = Object.fromEntries(result.steps.map(({ id, lane }) => [id, lane ?? 'regular']))
    expect(lanes).toMatchObject({ first: 'fast', a: 'fast', b: 'regular', c: 'fast', d: 'fast' })
    expect(calls).toContain('b~tried')
    expect(calls.filter((name) => name.startsWith('b'))).toEqual(['b', 'b~tried'])
  })

  it('leaves a wave that takes too long, and the step behind it still runs once', async () => {
    const script = async ({ name }: ScriptedCall) => {
      if (name === 'a') await Context.current().cancelled
      return {}
    }
    const { result, calls } = await perform([fast('a'), fast('z', ['a'])], script)
    expect(result.status).toBe('completed')
    expect(calls).toEqual(['a', 'a~tried', 'z'])
  })

  it('keeps what has settled beside a step that takes too long', async () => {
    const script = async ({ name }: ScriptedCall) => {
      if (name === 'c') await Context.current().cancelled
      return {}
    }
    const { result, calls } = await perform(diamond, script)
    expect(result.status).toBe('completed')
    expect(sorted(calls.slice(0, 6))).toEqual(['a', 'b', 'c', 'c~tried', 'd', 'first'])
    expect(calls.slice(6)).toEqual(['last'])
  })

  it('asks again for all that followed, where the activity came to no end', async () => {
    const lost = ({ dispatchAhead }: Scripted): Partial<Scripted> => ({
      async dispatchAhead(call) {
        await dispatchAhead(call)
        throw retryable('UNFINISHED')
      },
    })
    const { result, calls } = await perform(diamond, undefined, {}, lost)
    expect(result.status).toBe('completed')
    // What was not begun may have been, for all that the run knows.
    const tried = diamond.map(({ id }) => `${id}~tried`)
    expect(sorted(calls.slice(tried.length))).toEqual(sorted(tried))
  })

  it('undoes what it did by regular activities', async () => {
    const steps = [
      fast('write', [], { effect: 'write', hasUndo: true }),
      fast('check', ['write'], { attempts: 1 }),
    ]
    const script = async ({ name }: ScriptedCall): Promise<Partial<StepResult>> =>
      name === 'check' ? { outcome: 'failed', code: 'NO_RESULT' } : {}
    const { result, calls, events } = await perform(steps, script)
    expect(result.status).toBe('failed')
    expect(calls).toEqual(['write', 'check', 'write~undo'])
    expect(events['activityTaskScheduled']).toBe(1)
  })

  it('keeps both lanes in step: whatever ends first, and fails, the history replays', async () => {
    // A step that aborts stops what others would have begun: the order of ends matters then.
    for (let seed = 1; seed <= 8; seed += 1) {
      const delays = new Map<string, number>()
      const steps = [
        ...['a', 'b', 'c', 'd', 'e', 'f'].map((id, index) =>
          index % 3 === seed % 3 ? scriptedStep(id) : fast(id),
        ),
        ...['a', 'b', 'c', 'd', 'e', 'f'].flatMap((id, index) => [
          fast(`${id}1`, [id]),
          (index + seed) % 2 === 0 ? scriptedStep(`${id}2`, { needs: [id] }) : fast(`${id}2`, [id]),
        ]),
        fast('last', ['a1', 'b2']),
      ]
      for (const [index, { id }] of steps.entries())
        delays.set(id, ((index * 7 + seed * 5) % 11) * 9)
      const failing = seed % 2 === 0 ? `${'abcdef'[seed % 6]}1` : 'nobody'
      const script = async ({ name }: ScriptedCall): Promise<Partial<StepResult>> => {
        await delay(delays.get(name.replace('~tried', '')) ?? 0)
        if (name === failing) return { outcome: 'failed', code: 'NO_RESULT' }
        const left = name === `${'abcdef'[(seed + 1) % 6]}2`
        if (left && Context.current().info.isLocal) throw retryable('UNFINISHED')
        return {}
      }
      const { result } = await perform(steps, script, {}, seed % 3 === 0 ? withoutAhead : undefined)
      expect(result.status).toBe(failing === 'nobody' ? 'completed' : 'failed')
    }
  })
})
