// `node test/support/keep-history.ts`: records one history per scenario from a real server into
// test/histories, sealed with the fixed test key. A kept history is never recorded again: it stands
// for runs that were under way when the workflow's code changed. A change of the workflow's commands
// gets a new scenario, or none of the old ones replays any more.

import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { connectAnchor } from '../../temporal/audit-anchor.ts'
import { oneKey } from '../../temporal/payload-keys.ts'
import { chunkWorkflowId } from '../../workflows/chunk-contract.ts'
import {
  anchorId,
  type FiringInput,
  firingWorkflowType,
  taskQueue,
} from '../../workflows/contract.ts'
import { approvalRuns } from './kept-approvals.ts'
import { consultedRuns, converse, keptAssistantId } from './kept-conversations.ts'
import { keep, testFolder } from './kept-files.ts'
import { laneRuns } from './kept-lanes.ts'
import { type KeptRun, keptRuns } from './kept-scenarios.ts'
import { wordRuns } from './kept-words.ts'
import { scriptActivities, scriptedStep } from './scripted-activities.ts'
import { scriptWords } from './scripted-words.ts'
import { fetchHistory, withRawClient } from './temporal-histories.ts'
import { startBench, type TemporalBench, testPayloadKey } from './temporal-worker.ts'

/** What is kept, by name; each starts its own worker and ends it. */
const recorders: Readonly<Record<string, (bench: TemporalBench) => Promise<string>>> = {
  ...Object.fromEntries(
    [...keptRuns, ...laneRuns, ...approvalRuns, ...wordRuns, ...consultedRuns].map((run) => [
      run.name,
      (bench: TemporalBench) => recordRun(run, bench),
    ]),
  ),
  'assistant-1-open': recordAssistant,
  'audit-anchor-1': recordAnchor,
  'firing-1-completed': (bench) => recordFiring('completed', bench),
  'firing-1-begun-before': (bench) => recordFiring('begun-before', bench),
  'firing-1-not-scheduled': (bench) => recordFiring('not-scheduled', bench),
}

async function recordRun(run: KeptRun, bench: TemporalBench): Promise<string> {
  const { name: requestId, steps, script, lists, plan, meanwhile, open, chunk, child, words } = run
  const plain = scriptActivities(steps, script, lists, plan)
  const activities = words === undefined ? plain : scriptWords(plain, words)
  const stop = await bench.startWorker(activities)
  const { client } = bench
  const asked = words === undefined ? ({ recipe: 'kept' } as const) : ({ text: true } as const)
  await client.submit({ requestId, requestRef: 'request-ref', ...asked })
  await meanwhile?.({
    client,
    requestId,
    async called(name) {
      while (!activities.calls.includes(name)) await delay(20)
    },
    async held() {
      const status = () => client.state(requestId).catch(() => undefined)
      while ((await status())?.status !== 'held') await delay(20)
    },
    async asked(approval) {
      const state = () => client.state(requestId).catch(() => undefined)
      while (!JSON.stringify((await state()) ?? {}).includes(approval)) await delay(20)
    },
  })
  if (open !== true) await client.result(requestId)
  await stop()
  const workflowId = chunk === undefined ? (child ?? requestId) : chunkWorkflowId(requestId, chunk)
  return await textOf(workflowId, bench)
}

async function recordAssistant(bench: TemporalBench): Promise<string> {
  const stop = await bench.startWorker(scriptActivities([scriptedStep('work')]))
  await converse(bench.client)
  await stop()
  return await textOf(keptAssistantId, bench)
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
  return await textOf(anchorId, bench)
}

/** Started as a schedule starts it: the id ends with the time that was due. */
async function recordFiring(
  what: 'completed' | 'begun-before' | 'not-scheduled',
  bench: TemporalBench,
): Promise<string> {
  const input: FiringInput = {
    ...{ schedule: what, requestRef: 'request-ref', zone: 'Europe/Vienna', recipe: 'kept' },
  }
  const due = what === 'not-scheduled' ? '' : '-2026-03-29T01:00:00Z'
  const workflowId = `firing:${what}${due}`
  const stop = await bench.startWorker(scriptActivities([scriptedStep('work')]))
  if (what === 'begun-before') {
    const requestId = `sched:${what}${due.replace('-', ':').toLowerCase()}`
    await bench.client.submit({ requestId, requestRef: 'request-ref' })
    await bench.client.result(requestId)
  }
  await withRawClient(bench, (client) =>
    client.workflow.execute(firingWorkflowType, { workflowId, taskQueue, args: [input] }),
  )
  await stop()
  return await textOf(workflowId, bench)
}

async function textOf(workflowId: string, bench: TemporalBench): Promise<string> {
  const history = await fetchHistory(bench, workflowId)
  // Process and machine that recorded it are nobody's business; Temporal names them in two ways.
  return `${historyToJSON(history).replaceAll(/"\d+@[^"]*"/g, '"kept"')}\n`
}

const pathOf = (name: string) => `histories/${name}.json`
mkdirSync(join(testFolder, 'histories'), { recursive: true })
const missing = Object.entries(recorders).filter(
  ([name]) => !existsSync(join(testFolder, pathOf(name))),
)
if (missing.length > 0) {
  const bench = await startBench()
  try {
    for (const [name, record] of missing) {
      keep(pathOf(name), await record(bench))
      process.stderr.write(`kept ${name}\n`)
    }
  } finally {
    await bench.stop()
  }
}
