// The worker's whole side on a real Temporal server: compile, interpret, dispatch, settle, compose,
// with a notary and agents in memory that sign real receipts. What Temporal shows and keeps of it.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type ArtifactStore, openArtifactStore } from '../../activities/artifacts.ts'
import type { CrashPoint } from '../../activities/dispatch-deps.ts'
import { createDocumentStore } from '../../activities/documents.ts'
import { AttemptFailure } from '../../activities/failure.ts'
import {
  createAgentCalls,
  createNotaryCalls,
  createSharedNotaryCalls,
} from '../../activities/notary-calls.ts'
import { createPlanStore } from '../../activities/plan-store.ts'
import { createPools, type Pools } from '../../activities/pools.ts'
import { noPlanner } from '../../planner/propose.ts'
import { createActivities } from '../../temporal/activities.ts'
import { oneKey } from '../../temporal/payload-keys.ts'
import { fakeCatalogue } from '../support/fake-catalogue.ts'
import { createFakeWorld, type FakeWorld } from '../support/fake-world.ts'
import { createHeld } from '../support/held.ts'
import { decide } from '../support/policy.ts'
import { withRawClient } from '../support/temporal-histories.ts'
import { startBench, type TemporalBench } from '../support/temporal-worker.ts'

const title = 'Dentist on Harley Street'
const source = `
version: 1
goal: Write down what is on at ${title}
steps:
  - { id: work, agent: calendar, action: list, timeoutMs: 1500, args: { calendar: work } }
  - { id: family, agent: calendar, action: list, timeoutMs: 1500, args: { calendar: family } }
  - id: write
    agent: notes
    action: append
    args:
      text:
        $text: "Today: {{#events}}{{summary}} {{/events}}"
        with: { events: { $from: "work#/events" } }
    needs: [family]
  - id: again
    agent: notes
    action: append
    args: { text: { $from: "write#/entry" } }
answer: { from: [work], template: "On today: {{#work}}{{#events}}{{summary}}{{/events}}{{/work}}" }
`

let bench: TemporalBench
let folder: string
let artifacts: ArtifactStore
let world: FakeWorld
/** Awaited by each action before it runs. */
let beforeAct: (step: string) => Promise<void>
let onPoint: (point: CrashPoint) => Promise<void>
let pools: Pools

beforeAll(async () => {
  bench = await startBench()
  folder = await mkdtemp(join(tmpdir(), 'bulkhead-run-'))
  artifacts = await openArtifactStore({
    folder,
    key: Buffer.alloc(32, 6),
    sealing: oneKey(Buffer.alloc(32, 6)),
  })
})
afterAll(async () => {
  await bench.stop()
  await rm(folder, { recursive: true, force: true })
})
beforeEach(async () => {
  beforeAct = async () => undefined
  onPoint = async () => undefined
  pools = createPools({ catalogue: fakeCatalogue, now: () => Date.now() })
  world = await createFakeWorld(
    async ({ action, args, idem }) => {
      await beforeAct(action)
      if (action === 'list')
        return { count: 1, events: [{ summary: `${title} ${args['calendar']}` }] }
      return action === 'append' ? { entry: `${title} ${idem}` } : { removed: true }
    },
    ({ step, kind }) => {
      if (step === 'work' || step === 'family') return { agent: 'calendar', action: 'list' }
      return { agent: 'notes', action: kind === 'do' ? 'append' : 'retract' }
    },
  )
})

const startWorker = (fastLane = false) =>
  bench.startWorker(
    createActivities({
      artifacts,
      plans: createPlanStore(artifacts),
      documents: createDocumentStore(artifacts),
      notary: createNotaryCalls(world.bus),
      sharedNotary: createSharedNotaryCalls(world.bus),
      agents: createAgentCalls(world.bus),
      pools,
      fastLane,
      catalogue: fakeCatalogue,
      decide,
      propose: noPlanner,
      zone: 'UTC',
      now: () => Date.now(),
      onPoint: (point) => onPoint(point),
    }),
  )

let drawn = 0
async function submit(): Promise<string> {
  drawn += 1
  const requestId = `dispatch-${drawn}`
  const document = JSON.stringify({ kind: 'plan', name: 'today', source, inputs: {} })
  const requestRef = await artifacts.put(Buffer.from(document), {
    kind: 'request',
    requestId,
    readers: ['user:owner'],
    createdAt: Date.now(),
  })
  await bench.client.submit({ requestId, requestRef })
  return requestId
}

async function hasBeaten(workflowId: string): Promise<boolean> {
  const { namespace } = bench.temporal
  const { pendingActivities } = await withRawClient(bench, ({ workflowService }) =>
    workflowService.describeWorkflowExecution({ namespace, execution: { workflowId } }),
  )
  const [compiling] = pendingActivities
  const { lastHeartbeatTime: beat, lastStartedTime: start } = compiling ?? {}
  const at = (time: typeof beat) => Number(time?.seconds ?? 0) + (time?.nanos ?? 0) / 1e9
  return compiling?.activityType?.name === 'compilePlan' && at(beat) > at(start)
}

async function until(ready: () => boolean): Promise<void> {
  while (!ready()) await delay(20)
}

describe('a run through the whole worker', () => {
  it('lets the server know that it lives while the notary takes its time over a plan', async () => {
    const held = createHeld()
    world.override.deliver = (subject) => (subject === 'notary.admit' ? held.until : undefined)
    const stop = await startWorker()
    try {
      const requestId = await submit()
      // It beats later than it starts, or never.
      await expect.poll(() => hasBeaten(requestId)).toBe(true)
      held.release()
      expect(await bench.client.result(requestId)).toMatchObject({ status: 'completed' })
    } finally {
      held.release()
      await stop()
    }
  })

  it('settles every step, and gives an answer that the owner may read', async () => {
    const stop = await startWorker()
    const result = await bench.client.result(await submit())
    await stop()
    expect(result.steps.map(({ id, type, outcome }) => [id, type, outcome])).toEqual([
      ['work', 'calendar.list', 'settled'],
      ['family', 'calendar.list', 'settled'],
      ['write', 'notes.append', 'settled'],
      ['again', 'notes.append', 'settled'],
    ])
    expect(result.status).toBe('completed')
    const { bytes, meta } = await artifacts.get(result.answerRef ?? '')
    expect(Buffer.from(bytes).toString()).toBe(`On today: ${title} work`)
    expect(meta.readers).toEqual(['user:owner'])
  })

  it.each([false, true])(
    'is charged for no attempt that the door of a pool turned away, fast lane %s',
    async (fastLane) => {
      // More often than a step has attempts.
      let left = 12
      const { within, ...rest } = pools
      pools = {
        ...rest,
        within(agent, about, work) {
          if (agent !== 'calendar' || left === 0) return within(agent, about, work)
          left -= 1
          return Promise.reject(new AttemptFailure('AGENT_BUSY', { retryMs: 50 }))
        },
      }
      const stop = await startWorker(fastLane)
      const result = await bench.client.result(await submit())
      await stop()
      expect(left).toBe(0)
      expect(result.status).toBe('completed')
      expect(result.steps.map(({ outcome, attempts }) => [outcome, attempts])).toEqual(
        Array(4).fill(['settled', 1]),
      )
    },
  )

  it('leaves no content in the files of Temporal nor of the store', async () => {
    const stop = await startWorker()
    // A failure's message, a retried attempt and a running query must not leak either.
    let failed = false
    world.override.deliver = (subject) => {
      if (failed || subject !== 'agent.notes.0.exec') return
      failed = true
      throw new Error(`a bug that quotes ${title}`)
    }
    const requestId = await submit()
    const result = await bench.client.result(requestId)
    await stop()
    expect(result.status).toBe('completed')
    const stored = await allFiles(bench.temporal.databaseFolder)
    expect(stored.includes(requestId)).toBe(true)
    expect(stored.includes('calendar.list')).toBe(true)
    const store = await allFiles(folder)
    for (const secret of ['Dentist', 'Harley', 'On today', 'user:owner', 'token.']) {
      expect(stored.includes(secret)).toBe(false)
      expect(store.includes(secret)).toBe(false)
    }
  })

  it('undoes newest first when a step fails for good', async () => {
    const stop = await startWorker()
    world.override.authorize = ({ step }) =>
      step === 'again'
        ? { status: 'SETTLED', outcome: 'failed', code: 'CONFLICT', idem: 'i'.repeat(43), rerun: 0 }
        : undefined
    const result = await bench.client.result(await submit())
    await stop()
    expect(result).toMatchObject({ status: 'failed', code: 'CONFLICT', answerRef: null })
    const executed = world.log.filter((line) => line.startsWith('exec:'))
    expect(executed.slice(-2)).toEqual(['exec:write', 'exec:write~undo'])
    expect(result.steps.map(({ id, undo }) => [id, undo])).toEqual([
      ['work', undefined],
      ['family', undefined],
      ['write', 'settled'],
      // It failed before a command was sent, so there was nothing to take back.
      ['again', 'skipped'],
    ])
  })

  it('finishes the command that is out, and undoes it, when it is cancelled', async () => {
    const held = createHeld()
    let appending = false
    beforeAct = async (action) => {
      if (action !== 'append') return
      appending = true
      await held.until
    }
    const stop = await startWorker()
    const cancelled = async () => {
      try {
        const requestId = await submit()
        await expect.poll(() => appending).toBe(true)
        await bench.client.cancel(requestId)
        // The agent is told as well, which is at work on it.
        await expect.poll(() => world.log).toContain('cancel:write')
        held.release()
        return await bench.client.result(requestId)
      } finally {
        held.release()
        await stop()
      }
    }
    const result = await cancelled()
    expect(result.status).toBe('cancelled')
    expect(result.steps.map(({ outcome, undo }) => [outcome, undo])).toEqual([
      ['settled', undefined],
      ['settled', undefined],
      ['settled', 'settled'],
      ['pending', undefined],
    ])
  })

  it('is carried on by another worker, and no effect happens twice', async () => {
    const stopFirst = await startWorker()
    // The reply of the first append never reaches the worker that asked for it.
    let hung = false
    onPoint = async (point) => {
      const appended = world.executions.has('write') && point === 'after-reply'
      if (!appended || hung) return
      hung = true
      await new Promise(() => undefined)
    }
    const requestId = await submit()
    await until(() => hung)
    const stopped = stopFirst().catch(() => undefined)
    const stopSecond = await startWorker()
    const result = await bench.client.result(requestId)
    await stopSecond()
    await stopped
    expect(result.status).toBe('completed')
    expect(result.steps.every(({ outcome }) => outcome === 'settled')).toBe(true)
    expect(result.steps[2]?.attempts).toBeGreaterThan(1)
    expect(Object.fromEntries(world.executions)).toEqual({ work: 1, family: 1, write: 1, again: 1 })
  })
})

/** Every byte below a folder as one string; SQLite keeps texts and blobs uncompressed. */
async function allFiles(below: string): Promise<string> {
  const entries = await readdir(below, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const texts = await Promise.all(
    files.map(({ parentPath, name }) => readFile(join(parentPath, name), 'latin1')),
  )
  return texts.join('\n')
}
