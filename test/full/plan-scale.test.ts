// Plans as large as they may be, on a real Temporal server, with scripted activities: every step once,
// no history or payload near the sizes at which the server warns, few workflow tasks. Counts, no times.

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { limits } from '../../plan/limits.ts'
import type { SkeletonStep } from '../../plan/schema.ts'
import { scriptActivities, scriptedStep } from '../support/scripted-activities.ts'
import { type Counted, countHistories, withRawClient } from '../support/temporal-histories.ts'
import { startBench, type TemporalBench } from '../support/temporal-worker.ts'

/** At which the server warns: events and bytes of a history, bytes of one payload. */
const warnings = { events: 10_240, historyBytes: 10 * 1024 * 1024, payloadBytes: 256 * 1024 }

let bench: TemporalBench
beforeAll(async () => {
  bench = await startBench()
})
afterAll(() => bench.stop())

async function run(
  steps: readonly SkeletonStep[],
  lists: Readonly<Record<string, number>>,
  requestId: string,
) {
  const activities = scriptActivities(steps, undefined, lists)
  const stop = await bench.startWorker(activities)
  try {
    await bench.client.submit({ requestId, requestRef: 'request-ref' })
    const result = await bench.client.result(requestId)
    const histories = await withRawClient(bench, (client) => countHistories(client, requestId))
    return { result, calls: activities.calls, histories }
  } finally {
    await stop()
  }
}

/** Of each history, so that what one run of many steps costs does not hide in a sum. */
function expectSmall(histories: readonly Counted[], part: number): void {
  for (const { workflowId, events, bytes, largestPayload } of histories) {
    expect(events, workflowId).toBeLessThan(warnings.events * part)
    expect(bytes, workflowId).toBeLessThan(warnings.historyBytes * part)
    expect(largestPayload, workflowId).toBeLessThan(warnings.payloadBytes)
  }
}
const tasksPerStep = (histories: readonly Counted[]) => {
  const sum = (of: (one: Counted) => number) => histories.reduce((all, one) => all + of(one), 0)
  return sum(({ tasks }) => tasks) / sum(({ activities }) => activities)
}

describe('ten thousand steps', () => {
  it('in two loops of five thousand are each done once, in histories of a quarter of the size', async () => {
    const loop = { effect: 'write', hasUndo: true, forEachMax: 5_000 } as const
    const steps = [
      scriptedStep('one', loop),
      scriptedStep('other', { ...loop, needs: ['one'] }),
      scriptedStep('last', { needs: ['other'] }),
    ]
    const lists = { one: 5_000, other: 5_000 }
    const { result, calls, histories } = await run(steps, lists, 'scale-loops')
    expect(result).toMatchObject({ status: 'completed' })
    expect(result.steps.map(({ loop: one }) => one?.outcomes)).toEqual([
      { settled: 5_000 },
      { settled: 5_000 },
      undefined,
    ])
    expect(calls).toHaveLength(10_001)
    expect(new Set(calls).size).toBe(10_001)
    expect(histories).toHaveLength(41)
    expectSmall(histories, 0.25)
    expect(tasksPerStep(histories)).toBeLessThanOrEqual(0.5)
  })
})

describe('a thousand written steps', () => {
  it('eight wide fit into one history, with at most one workflow task for two steps', async () => {
    const steps = Array.from({ length: limits.writtenSteps }, (_, index) =>
      scriptedStep(`step-${index}`, { needs: index < 8 ? [] : [`step-${index - 8}`] }),
    )
    const { result, calls, histories } = await run(steps, {}, 'scale-written')
    expect(result).toMatchObject({ status: 'completed' })
    expect(new Set(calls).size).toBe(limits.writtenSteps)
    expect(calls).toHaveLength(limits.writtenSteps)
    expect(histories).toHaveLength(1)
    expectSmall(histories, 0.75)
    expect(tasksPerStep(histories)).toBeLessThanOrEqual(0.5)
  })

  it('with names as long as they may be are no payload that the server would warn of', async () => {
    const id = (index: number) => `${'a'.repeat(36)}${index.toString().padStart(4, '0')}`
    const steps = Array.from({ length: limits.writtenSteps }, (_, index) =>
      scriptedStep(id(index), {
        type: `${'g'.repeat(40)}.${'h'.repeat(40)}`,
        needs: [index - 64, index - 65, index - 66].filter((need) => need >= 0).map(id),
      }),
    )
    const { result, histories } = await run(steps, {}, 'scale-names')
    expect(result).toMatchObject({ status: 'completed' })
    expectSmall(histories, 0.75)
  })
})
