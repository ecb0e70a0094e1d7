// Which runs there are, asked of a real Temporal server: what a run was started with, that there is none, and
// when it is over, which is what whoever asks for somebody's run is told by.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { oneKey } from '../../temporal/payload-keys.ts'
import { connectIndex, type TemporalIndex } from '../../temporal/run-index.ts'
import { scriptActivities, scriptedStep } from '../support/scripted-activities.ts'
import { startBench, type TemporalBench, testPayloadKey } from '../support/temporal-worker.ts'

let bench: TemporalBench
let index: TemporalIndex
beforeAll(async () => {
  bench = await startBench()
  index = await connectIndex({ ...bench.temporal, payloadKeys: oneKey(testPayloadKey) })
})
afterAll(async () => {
  await index.close()
  await bench.stop()
})

const { signal } = new AbortController()
const requestRef = 'a'.repeat(64)

describe('the index of runs', () => {
  it('knows what a run was started with, before anybody has taken it up and after', async () => {
    await bench.client.submit({ requestId: 'run-1', requestRef })
    expect(await index.requestOf('run-1', signal)).toBe(requestRef)
    const stop = await bench.startWorker(scriptActivities([scriptedStep('work')]))
    await index.ended('run-1', signal)
    expect(await bench.client.state('run-1')).toMatchObject({ status: 'completed' })
    expect(await index.requestOf('run-1', signal)).toBe(requestRef)
    await stop()
  })

  it('says of a run that there is not that there is none, and waits for nothing', async () => {
    expect(await index.requestOf('nobodys', signal)).toBeUndefined()
    await index.ended('nobodys', signal)
  })

  it('waits no longer for a run than whoever asks', async () => {
    await bench.client.submit({ requestId: 'run-2', requestRef })
    const over = new AbortController()
    const waiting = index.ended('run-2', over.signal)
    over.abort()
    await expect(waiting).rejects.toThrow()
  })

  it('describes the schedules that there are, without one that was removed since', async () => {
    const setup = (id: string) => ({
      ...{ id, requestRef, recipe: 'recent-notes', note: '', priority: 'LOW' as const },
      spec: { kind: 'every', seconds: 3_600, zone: 'UTC' } as const,
      policy: { overlap: 'skip', catchUpSeconds: 60, jitterSeconds: 0 } as const,
      paused: id === 's-0',
    })
    // More than are described side by side.
    const ids = Array.from({ length: 10 }, (_, at) => `s-${at}`)
    for (const id of ids) await bench.client.schedules.put(setup(id))
    const listed = async () =>
      (await index.schedules(200, signal)).toSorted((one, other) => one.id.localeCompare(other.id))
    await expect
      .poll(async () => (await listed()).map(({ id }) => id), { timeout: 60_000 })
      .toEqual(ids)
    expect((await listed()).slice(0, 2)).toEqual([
      { id: 's-0', paused: true, recipe: 'recent-notes', requestRef },
      { id: 's-1', paused: false, recipe: 'recent-notes', requestRef },
    ])
    // The list has it a moment longer.
    await bench.client.schedules.remove('s-9')
    expect((await listed()).map(({ id }) => id)).toEqual(ids.slice(0, -1))
  })
})
