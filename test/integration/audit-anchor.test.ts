// The anchor workflow on a real Temporal server: one for all heads, the largest kept over restarts of
// the worker and over runs, readable while no worker is there.

import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Anchor, connectAnchor } from '../../temporal/audit-anchor.ts'
import { oneKey } from '../../temporal/payload-keys.ts'
import { anchorId } from '../../workflows/contract.ts'
import { scriptActivities } from '../support/scripted-activities.ts'
import { withRawClient } from '../support/temporal-histories.ts'
import { startBench, type TemporalBench, testPayloadKey } from '../support/temporal-worker.ts'

let bench: TemporalBench
let anchor: Anchor
beforeAll(async () => {
  bench = await startBench()
  const { address, namespace } = bench.temporal
  anchor = await connectAnchor({ address, namespace, payloadKeys: oneKey(testPayloadKey) })
})
afterAll(async () => {
  await anchor.close()
  await bench.stop()
})

const head = (size: number, root = `root-${size}`) => ({ size, root, at: size, jws: 'a.b.c' })
const startWorker = () => bench.startWorker(scriptActivities([]))
const anchored = () => bench.client.anchoredHead()

it('is nothing before the first head', async () => {
  expect(await anchored()).toBeUndefined()
})

it('keeps the largest head, and no other of its size', async () => {
  const stop = await startWorker()
  await anchor.show(head(5))
  await expect.poll(anchored).toEqual(head(5))
  for (const shown of [head(9), head(7), head(9, 'other'), head(3)]) await anchor.show(shown)
  await expect.poll(anchored).toEqual(head(9))
  await delay(300)
  expect(await anchored()).toEqual(head(9))
  await stop()
})

it('is read while no worker runs, and hears later what it was shown meanwhile', async () => {
  await anchor.show(head(11))
  expect(await anchored()).toEqual(head(9))
  const stop = await startWorker()
  await expect.poll(anchored).toEqual(head(11))
  await stop()
})

it('begins a new run before its history grows long, and forgets nothing', async () => {
  const currentRun = async () => {
    const described = await withRawClient(bench, (client) =>
      client.workflow.getHandle(anchorId).describe(),
    )
    return described.runId
  }
  const runId = await currentRun()
  // All of them in one run: the next one is shown nothing that is larger.
  const heads = Array.from({ length: 600 }, (_, index) => head(100 + index))
  for (let from = 0; from < heads.length; from += 50) {
    await Promise.all(heads.slice(from, from + 50).map((shown) => anchor.show(shown)))
  }
  const stop = await startWorker()
  await expect.poll(anchored, { timeout: 20_000 }).toEqual(head(699))
  await expect.poll(currentRun).not.toBe(runId)
  await anchor.show(head(50))
  await delay(300)
  expect(await anchored()).toEqual(head(699))
  await stop()
})

it('shows nothing in clear to the server', async () => {
  const { namespace } = bench.temporal
  const { workflowExecutionInfo } = await withRawClient(bench, ({ workflowService }) =>
    workflowService.describeWorkflowExecution({ namespace, execution: { workflowId: anchorId } }),
  )
  const memo = workflowExecutionInfo?.memo?.fields?.['head']
  expect(Buffer.from(memo?.data ?? []).toString('latin1')).not.toContain('root-')
  expect(memo?.data?.length).toBeGreaterThan(0)
})
