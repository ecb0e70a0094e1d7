// Runs that an earlier release began, on a real Temporal server: its own workflows as they were kept,
// stopped in the middle, and carried on by the workflows of today.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Context } from '@temporalio/activity'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Activities } from '../../temporal/activities.ts'
import { connectAnchor } from '../../temporal/audit-anchor.ts'
import { oneKey } from '../../temporal/payload-keys.ts'
import { anchorId } from '../../workflows/contract.ts'
import { buildsOf } from '../support/builds.ts'
import { keptReleases, unpackRelease } from '../support/kept-releases.ts'
import { isHeld, whenRun } from '../support/run-states.ts'
import { failing, scriptActivities, scriptedStep, write } from '../support/scripted-activities.ts'
import { withRawClient } from '../support/temporal-histories.ts'
import { startBench, type TemporalBench, testPayloadKey } from '../support/temporal-worker.ts'

const steps = [
  scriptedStep('look'),
  scriptedStep('first', { ...write, needs: ['look'], onError: 'hold' }),
  scriptedStep('second', { ...write, needs: ['first'] }),
]

let bench: TemporalBench
let folder: string
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bulkhead-releases-'))
  bench = await startBench()
})
afterAll(async () => {
  await bench.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** As an earlier release did, that knew of no lanes. */
const submit = (requestId: string) =>
  bench.client.submit({ requestId, requestRef: 'request-ref', lane: 'regular' })

/** Works at this step until its worker is told to stop; counts what else it was asked for. */
function busyAt(step: string) {
  return scriptActivities(steps, async ({ name }) => {
    if (name === step) await atWork()
    return {}
  })
}

async function atWork(): Promise<never> {
  const context = Context.current()
  const beat = setInterval(() => context.heartbeat(), 500)
  return await context.cancelled.finally(() => clearInterval(beat))
}

it('are kept', () => {
  expect(keptReleases.length).toBeGreaterThan(0)
})

describe.each(keptReleases)('a run that %s began', (release) => {
  /** Has a worker of the release do something, and ends it. */
  async function onRelease(activities: Activities, use: () => Promise<void>): Promise<void> {
    // That of an early release polled without a build.
    const stop = await bench.startWorker(activities, {
      workflowBundle: unpackRelease(release, folder),
      build: undefined,
    })
    await use()
    await stop()
  }
  async function onToday(activities: Activities, use: () => Promise<void>): Promise<void> {
    const stop = await bench.startWorker(activities)
    await use()
    await stop()
    await forgetBuilds()
  }
  const id = (name: string) => `${name}-${release}`

  async function leaveHeld(name: string): Promise<string> {
    const failingAt = scriptActivities(steps, async (call) =>
      call.name === 'first' ? failing : {},
    )
    await onRelease(failingAt, async () => {
      await submit(id(name))
      await whenRun(bench, id(name), isHeld)
    })
    return id(name)
  }
  async function leaveAtWork(name: string, step: string): Promise<string> {
    const working = busyAt(step)
    await onRelease(working, async () => {
      await submit(id(name))
      await until(() => working.calls.includes(step))
    })
    return id(name)
  }

  it('goes on when it waited for a person', async () => {
    const requestId = await leaveHeld('held')
    const after = scriptActivities(steps)
    await onToday(after, async () => {
      expect(await bench.client.state(requestId)).toMatchObject({ status: 'held' })
      await bench.client.retry(requestId, {
        step: 'first',
        reruns: [{ step: 'first', rerun: 1 }],
      })
      expect(await bench.client.result(requestId)).toMatchObject({
        status: 'completed',
        steps: [{ outcome: 'settled' }, { outcome: 'settled', rerun: 1 }, { outcome: 'settled' }],
      })
    })
    expect(after.calls).toEqual(['first~1', 'second'])
    expect(await buildsOf(bench.temporal, requestId)).toEqual([undefined, bench.present.build])
  })

  it('undoes what it did when it is given up', async () => {
    const requestId = await leaveHeld('given-up')
    const after = scriptActivities(steps)
    await onToday(after, async () => {
      await bench.client.giveUp(requestId)
      expect(await bench.client.result(requestId)).toMatchObject({ status: 'failed' })
    })
    expect(after.calls).toEqual(['first~undo'])
  })

  it('goes on where a step was at work', async () => {
    const requestId = await leaveAtWork('running', 'first')
    const after = scriptActivities(steps)
    await onToday(after, async () => {
      expect(await bench.client.result(requestId)).toMatchObject({ status: 'completed' })
    })
    expect(after.calls).toEqual(['first', 'second'])
  })

  it('is cancelled where a step was at work, and undoes', async () => {
    const requestId = await leaveAtWork('cancelled', 'second')
    await bench.client.cancel(requestId)
    const after = scriptActivities(steps)
    await onToday(after, async () => {
      expect(await bench.client.result(requestId)).toMatchObject({ status: 'cancelled' })
    })
    expect(after.calls.slice(-2)).toEqual(['second~undo', 'first~undo'])
  })

  it('goes on when a schedule began it, and so does the schedule', async () => {
    const schedule = `job-${release.slice(-7)}`
    const working = busyAt('first')
    await onRelease(working, async () => {
      await bench.client.schedules.put({
        id: schedule,
        spec: { kind: 'every', seconds: 1, zone: 'UTC' },
        policy: { overlap: 'skip', catchUpSeconds: 60, jitterSeconds: 0 },
        note: '',
        paused: false,
        requestRef: 'request-ref',
        priority: 'MEDIUM',
      })
      await until(() => working.calls.includes('first'))
    })
    const after = scriptActivities(steps)
    await onToday(after, async () => {
      // The one that was out, and one that began since.
      await until(() => after.calls.filter((name) => name === 'second').length >= 2)
      await bench.client.schedules.remove(schedule)
      const results = await Promise.all((await firingsOf(schedule)).map(resultOf))
      expect(results.length).toBeGreaterThanOrEqual(2)
      for (const result of results) expect(result).toMatchObject({ status: 'completed' })
    })
    expect(after.calls.slice(0, 2)).toEqual(['first', 'second'])
  })

  it('leaves its head of the audit to the anchor of today', async () => {
    const { address, namespace } = bench.temporal
    const anchor = await connectAnchor({ address, namespace, payloadKeys: oneKey(testPayloadKey) })
    const show = (size: number) => anchor.show({ size, root: `root-${size}`, at: 1, jws: 'a.b.c' })
    const anchored = async () => (await bench.client.anchoredHead())?.size
    await onRelease(scriptActivities([]), async () => {
      await show(5)
      await until(async () => (await anchored()) === 5)
    })
    await onToday(scriptActivities([]), async () => {
      await show(4)
      await show(6)
      await until(async () => (await anchored()) === 6)
    })
    await anchor.close()
    await withRawClient(bench, (client) => client.workflow.getHandle(anchorId).terminate())
  })
})

async function firingsOf(schedule: string): Promise<readonly string[]> {
  return await withRawClient(bench, async (client) => {
    const ids: string[] = []
    const query = 'WorkflowType = "firing"'
    for await (const { workflowId } of client.workflow.list({ query })) {
      if (workflowId.startsWith(`firing:${schedule}-`)) ids.push(workflowId)
    }
    return ids
  })
}

async function resultOf(firing: string) {
  const [, schedule = '', time = ''] = /^firing:(.*)-(\d{4}-.*Z)$/.exec(firing) ?? []
  return await bench.client.result(`sched:${schedule}:${time.toLowerCase()}`)
}

/** So that the next worker of an earlier release gets tasks: it polls without a build. */
async function forgetBuilds(): Promise<void> {
  const { namespace } = bench.temporal
  await withRawClient(bench, ({ workflowService }) =>
    workflowService.setWorkerDeploymentCurrentVersion({
      ...{ namespace, deploymentName: 'bulkhead', buildId: '', identity: 'test' },
      ...{ allowNoPollers: true, ignoreMissingTaskQueues: true },
    }),
  )
}

async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await delay(50)
}
