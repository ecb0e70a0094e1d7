// Builds of the worker on a real Temporal server: who gets the tasks, what a history says of it, and
// what becomes of a server that knows no builds.

import { afterEach, describe, expect, it } from 'vitest'
import { buildsOf } from '../support/builds.ts'
import { isHeld, whenRun } from '../support/run-states.ts'
import { scriptActivities, scriptedStep } from '../support/scripted-activities.ts'
import { startBench, type TemporalBench } from '../support/temporal-worker.ts'

let bench: TemporalBench
afterEach(() => bench.stop())

const steps = [
  scriptedStep('first'),
  scriptedStep('second', { needs: ['first'] }),
  scriptedStep('third', { needs: ['second'] }),
]
const submit = (requestId: string) => bench.client.submit({ requestId, requestRef: 'request-ref' })

describe('the build that is current', () => {
  it('gets every task, and one that is still about none', async () => {
    bench = await startBench()
    const before = scriptActivities(steps)
    const stopBefore = await bench.startWorker(before, { ...bench.present, build: 'before' })
    await submit('begun-before')
    await bench.client.result('begun-before')
    const seen = before.calls.length
    // Not stopped: as a worker that was forgotten, or that wakes up late.
    const after = scriptActivities(steps)
    const stopAfter = await bench.startWorker(after, { ...bench.present, build: 'after' })
    const ids = Array.from({ length: 10 }, (_, at) => `begun-after-${at}`)
    for (const id of ids) await submit(id)
    for (const id of ids) {
      expect(await bench.client.result(id)).toMatchObject({ status: 'completed' })
    }
    expect(before.calls.length).toBe(seen)
    expect(after.calls.length).toBe(ids.length * steps.length)
    expect(await buildsOf(bench.temporal, 'begun-before')).toEqual(['before'])
    expect(await buildsOf(bench.temporal, 'begun-after-0')).toEqual(['after'])
    await stopBefore()
    await stopAfter()
  })

  it('carries on a run that another began, and may be one that was current before', async () => {
    bench = await startBench()
    const builds = ['one', 'two', 'one'] as const
    const holding = [scriptedStep('first', { effect: 'write', onError: 'hold' })]
    await withWorker(builds[0], async () => {
      await submit('moving')
      await whenHeld('moving')
    })
    await withWorker(builds[1], async () => {
      await bench.client.retry('moving', { step: 'first', reruns: [{ step: 'first', rerun: 1 }] })
      await whenHeld('moving', 1)
    })
    await withWorker(builds[2], async () => {
      await bench.client.giveUp('moving')
      expect(await bench.client.result('moving')).toMatchObject({ status: 'failed' })
    })
    expect(await buildsOf(bench.temporal, 'moving')).toEqual(builds)

    async function withWorker(build: string, use: () => Promise<void>): Promise<void> {
      const failing = { outcome: 'failed', code: 'CONFLICT', resultRef: null } as const
      const activities = scriptActivities(holding, async () => failing)
      const stop = await bench.startWorker(activities, { ...bench.present, build })
      await use()
      await stop()
    }
  })
})

describe('a server that knows no builds', () => {
  it('is served by a worker without one', async () => {
    bench = await startBench(['system.enableDeploymentVersions=false'])
    const stop = await bench.startWorker(scriptActivities(steps))
    await submit('plain')
    expect(await bench.client.result('plain')).toMatchObject({ status: 'completed' })
    expect(await buildsOf(bench.temporal, 'plain')).toEqual([undefined])
    await stop()
  })
})

async function whenHeld(requestId: string, rerun?: number): Promise<void> {
  await whenRun(bench, requestId, (state) => isHeld(state) && state.steps[0]?.rerun === rerun)
}
