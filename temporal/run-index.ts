// Which runs and schedules there are, as Temporal knows them, for the retriever: ids, statuses, references.
// What a run was started with and came to is read from the first and the last event of its history, so that
// no worker has to replay it. Says nothing of whose they are.

import {
  type Client,
  ScheduleNotFoundError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client'
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js'
import { z } from 'zod'
import type { ListedSchedule } from '../activities/retrieve-configuration.ts'
import type { IndexedRun, RunIndex, RunRefs } from '../activities/retrieve-history.ts'
import type { MemoryRuns } from '../activities/retrieve-memory.ts'
import { workflowType } from '../workflows/contract.ts'
import { statusAttribute } from '../workflows/search-attributes.ts'
import { type ClientOptions, connectClient } from './connect-client.ts'
import { schedulePrefix } from './schedules.ts'

export interface TemporalIndex extends RunIndex, MemoryRuns {
  schedules(most: number, signal: AbortSignal): Promise<readonly ListedSchedule[]>
  close(): Promise<void>
}

/** Schedules that are described side by side: a call each, within a few seconds for all. */
const atOnce = 8
/** In `HistoryEventFilterType` of the server's interface. */
const closeEventOnly = 2

const started = z.looseObject({
  requestRef: z.string(),
  firing: z.looseObject({ schedule: z.string() }).optional(),
})
const result = z.looseObject({
  answerRef: z.string().nullable(),
  steps: z.array(z.looseObject({ type: z.string() })),
})
const firing = z.looseObject({ requestRef: z.string(), recipe: z.string().optional() })

export async function connectIndex(options: ClientOptions): Promise<TemporalIndex> {
  const { connection, client } = await connectClient(options)
  const within = <T>(signal: AbortSignal, call: () => Promise<T>) =>
    connection.withAbortSignal(signal, call)
  return {
    latest: (most, signal) => within(signal, () => latestRuns(client, most)),
    refsOf: (run, signal) => within(signal, () => refsOf(client, run)),
    schedules: (most, signal) => within(signal, () => listSchedules(client, most)),
    requestOf: (requestId, signal) => within(signal, () => requestOf(client, requestId)),
    ended: (requestId, signal) =>
      within(signal, () => untilOver(client.workflow.getHandle(requestId))),
    close: () => connection.close(),
  }
}

async function latestRuns(client: Client, most: number): Promise<readonly IndexedRun[]> {
  const runs: IndexedRun[] = []
  const query = `WorkflowType = '${workflowType}'`
  for await (const found of client.workflow.list({ query, pageSize: most })) {
    const { workflowId: requestId, runId, startTime, status } = found
    runs.push({
      ...{ requestId, runId, startedAt: startTime.getTime() },
      status: found.typedSearchAttributes.get(statusAttribute) ?? status.name.toLowerCase(),
      isOver: status.name !== 'RUNNING',
    })
    if (runs.length === most) break
  }
  return runs.toSorted((one, other) => other.startedAt - one.startedAt)
}

type Payloads = Parameters<typeof decodeArrayFromPayloads>[1]

async function firstOf(client: Client, payloads: Payloads): Promise<unknown> {
  const [first] = await decodeArrayFromPayloads(client.options.loadedDataConverter, payloads)
  return first
}

type Execution = Pick<IndexedRun, 'requestId' | 'runId'>

/** Undefined: a start that is no request's. */
async function startOf(client: Client, run: Execution) {
  const first = await eventOf(client, run, 'first')
  const input = await firstOf(
    client,
    first?.workflowExecutionStartedEventAttributes?.input?.payloads,
  )
  return started.safeParse(input).data
}

async function requestOf(client: Client, requestId: string): Promise<string | undefined> {
  try {
    const { runId } = await client.workflow.getHandle(requestId).describe()
    return (await startOf(client, { requestId, runId }))?.requestRef
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined
    throw error
  }
}

async function refsOf(client: Client, run: IndexedRun): Promise<RunRefs | undefined> {
  const begun = await startOf(client, run)
  if (begun === undefined) return undefined
  const { requestRef, firing: due } = begun
  const refs = { requestRef, schedule: due?.schedule ?? null }
  if (!run.isOver) return { ...refs, end: null }
  const last = await eventOf(client, run, 'last')
  const output = await firstOf(
    client,
    last?.workflowExecutionCompletedEventAttributes?.result?.payloads,
  )
  const ended = result.safeParse(output)
  // Ended from outside: there is no answer.
  if (!ended.success) return { ...refs, end: null }
  const { answerRef, steps } = ended.data
  return { ...refs, end: { answerRef, steps: steps.map(({ type }) => type) } }
}

async function eventOf(client: Client, run: Execution, which: 'first' | 'last') {
  const { history } = await client.workflowService.getWorkflowExecutionHistory({
    namespace: client.options.namespace,
    execution: { workflowId: run.requestId, runId: run.runId },
    maximumPageSize: 1,
    ...(which === 'last' ? { historyEventFilterType: closeEventOnly } : {}),
  })
  return history?.events?.at(which === 'first' ? 0 : -1)
}

async function listSchedules(client: Client, most: number): Promise<readonly ListedSchedule[]> {
  const ids: string[] = []
  for await (const { scheduleId } of client.schedule.list({ pageSize: most })) {
    if (scheduleId.startsWith(schedulePrefix)) ids.push(scheduleId)
    if (ids.length === most) break
  }
  const listed: (ListedSchedule | undefined)[] = []
  for (let at = 0; at < ids.length; at += atOnce) {
    const some = ids.slice(at, at + atOnce)
    listed.push(...(await Promise.all(some.map((id) => describeSchedule(client, id)))))
  }
  return listed.filter((one) => one !== undefined)
}

/** Undefined: removed meanwhile, or none of ours. */
async function describeSchedule(
  client: Client,
  scheduleId: string,
): Promise<ListedSchedule | undefined> {
  try {
    const { action, state } = await client.schedule.getHandle(scheduleId).describe()
    const input = firing.safeParse(action.args?.[0])
    if (!input.success) return undefined
    const { requestRef, recipe } = input.data
    return { id: scheduleId.slice(schedulePrefix.length), paused: state.paused, recipe, requestRef }
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined
    throw error
  }
}

/** However it ended. Ended from outside is over too; whether there is a result, the store knows. */
export async function untilOver(
  handle: Pick<WorkflowHandle, 'result' | 'describe'>,
): Promise<void> {
  try {
    await handle.result()
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return
    const { status } = await handle.describe()
    if (status.name === 'RUNNING') throw error
  }
}
