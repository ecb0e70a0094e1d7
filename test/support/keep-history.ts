// `node test/support/keep-history.ts`: records one history per scenario below from a real server into
// test/histories, sealed with the fixed test key. A kept history is never recorded again: it stands
// for runs that were under way when the workflow's code changed. A change of the workflow's commands
// gets a new scenario, or none of the old ones replays any more.

import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client, Connection } from '@temporalio/client'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import type { SkeletonStep } from '../../plan/schema.ts'
import { connectAnchor } from '../../temporal/audit-anchor.ts'
import { oneKey } from '../../temporal/payload-keys.ts'
import { anchorId, type StepResult } from '../../workflows/contract.ts'
import { retryable, scriptActivities, scriptedStep } from './scripted-activities.ts'
import { startBench, type TemporalBench, testPayloadKey } from './temporal-worker.ts'

export const historiesFolder = join(import.meta.dirname, '..', 'histories')

interface Scenario {
  readonly name: string
  readonly steps: readonly SkeletonStep[]
  readonly script?: (call: {
    readonly name: string
    readonly attempt: number
  }) => Promise<Partial<StepResult>>
  /** Cancels the run as soon as this step has started. */
  readonly cancelAt?: string
}

const write = { type: 'notes.append', effect: 'write', hasUndo: true } as const
const scenarios: readonly Scenario[] = [
  {
    name: 'request-1-completed',
    steps: [
      scriptedStep('work'),
      scriptedStep('family'),
      scriptedStep('notes', { type: 'notes.read', hasWhen: true }),
      scriptedStep('write', { ...write, needs: ['work', 'family', 'notes'] }),
    ],
    script: async ({ name, attempt }) => {
      if (name === 'work' && attempt === 1) throw retryable('NO_REPLY')
      return name === 'notes' ? { outcome: 'skipped', resultRef: null } : {}
    },
  },
  {
    name: 'request-1-aborted',
    steps: [
      scriptedStep('first', write),
      scriptedStep('second', { ...write, needs: ['first'] }),
      scriptedStep('third', { ...write, needs: ['second'] }),
    ],
    script: async ({ name }) => {
      if (name === 'third') return { outcome: 'unknown', resultRef: null }
      return name === 'second~undo' ? { outcome: 'failed', code: 'CONFLICT', resultRef: null } : {}
    },
  },
  {
    name: 'request-1-cancelled',
    steps: [scriptedStep('first', write), scriptedStep('second', { ...write, needs: ['first'] })],
    script: async ({ name }) => {
      if (name === 'first') await delay(1_000)
      return {}
    },
    cancelAt: 'first',
  },
]

async function record(scenario: Scenario, bench: TemporalBench): Promise<string> {
  const { name, steps, script, cancelAt } = scenario
  const activities = scriptActivities(steps, script)
  const stop = await bench.startWorker(activities)
  await bench.client.submit({ requestId: name, requestRef: 'request-ref', recipe: 'kept' })
  if (cancelAt !== undefined) {
    while (!activities.calls.includes(cancelAt)) await delay(20)
    await bench.client.cancel(name)
  }
  await bench.client.result(name)
  await stop()
  return await fetchHistory(name, bench)
}

/** The audit's anchor, which never ends: three heads of which it keeps two. */
async function recordAnchor(bench: TemporalBench): Promise<string> {
  const { address, namespace } = bench.temporal
  const stop = await bench.startWorker(scriptActivities([]))
  const anchor = await connectAnchor({ address, namespace, payloadKeys: oneKey(testPayloadKey) })
  for (const size of [5, 3, 9]) {
    await anchor.show({ size, root: `root-${size}`, at: size, jws: 'a.b.c' })
    while ((await bench.client.anchoredHead()) === undefined) await delay(20)
  }
  while ((await bench.client.anchoredHead())?.size !== 9) await delay(20)
  await anchor.close()
  await stop()
  return await fetchHistory(anchorId, bench)
}

async function fetchHistory(workflowId: string, { temporal }: TemporalBench): Promise<string> {
  const { address, namespace } = temporal
  const connection = await Connection.connect({ address })
  const history = await new Client({ connection, namespace }).workflow
    .getHandle(workflowId)
    .fetchHistory()
  await connection.close()
  // Process and machine that recorded it are nobody's business; Temporal names them in two ways.
  return `${historyToJSON(history).replaceAll(/"\d+@[^"]*"/g, '"kept"')}\n`
}

async function main(): Promise<void> {
  await mkdir(historiesFolder, { recursive: true })
  const missing = scenarios.filter(({ name }) => !existsSync(fileOf(name)))
  const hasAnchor = existsSync(fileOf(anchorHistory))
  if (missing.length === 0 && hasAnchor) return
  const bench = await startBench()
  try {
    for (const scenario of missing) {
      await writeFile(fileOf(scenario.name), await record(scenario, bench), { flag: 'wx' })
      process.stderr.write(`kept ${scenario.name}\n`)
    }
    if (!hasAnchor)
      await writeFile(fileOf(anchorHistory), await recordAnchor(bench), { flag: 'wx' })
  } finally {
    await bench.stop()
  }
}

const anchorHistory = 'audit-anchor-1'
const fileOf = (name: string) => join(historiesFolder, `${name}.json`)

if (process.argv[1] === import.meta.filename) await main()
