// What a real server has kept of a workflow, for tests that count or name its events.

import { Client, Connection } from '@temporalio/client'
import proto from '@temporalio/proto'
import { createDataConverter } from '../../temporal/data-converter.ts'
import { oneKey } from '../../temporal/payload-keys.ts'
import { type TemporalBench, testPayloadKey } from './temporal-worker.ts'

export async function withRawClient<T>(
  { temporal: { address, namespace } }: Pick<TemporalBench, 'temporal'>,
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const connection = await Connection.connect({ address })
  const dataConverter = createDataConverter({ keys: oneKey(testPayloadKey), namespace })
  try {
    return await use(new Client({ connection, namespace, dataConverter }))
  } finally {
    await connection.close()
  }
}

export async function fetchHistory(bench: Pick<TemporalBench, 'temporal'>, workflowId: string) {
  return await withRawClient(bench, (client) =>
    client.workflow.getHandle(workflowId).fetchHistory(),
  )
}

/** Its events alone. */
export async function historyOf(bench: Pick<TemporalBench, 'temporal'>, workflowId: string) {
  return (await fetchHistory(bench, workflowId)).events ?? []
}

/** How large a workflow's history is. */
export interface Counted {
  readonly workflowId: string
  readonly events: number
  readonly bytes: number
  /** Workflow tasks that were completed. */
  readonly tasks: number
  /** Activities that came to an end. */
  readonly activities: number
  readonly largestPayload: number
}

/** Of a workflow and its children. */
export async function countHistories(
  client: Client,
  workflowId: string,
): Promise<readonly Counted[]> {
  const history = await client.workflow.getHandle(workflowId).fetchHistory()
  const events = history.events ?? []
  const children = events.flatMap(
    ({ startChildWorkflowExecutionInitiatedEventAttributes: one }) => one?.workflowId ?? [],
  )
  const bytesOf = (event: proto.temporal.api.history.v1.IHistoryEvent) =>
    proto.temporal.api.history.v1.HistoryEvent.encode(event).finish().length
  const own = {
    workflowId,
    events: events.length,
    bytes: events.reduce((sum, event) => sum + bytesOf(event), 0),
    tasks: events.filter((event) => event.workflowTaskCompletedEventAttributes).length,
    activities: events.filter((event) => event.activityTaskCompletedEventAttributes).length,
    // No event of ours has more than one payload of any size.
    largestPayload: Math.max(...events.map(bytesOf)),
  }
  const below: Counted[] = []
  for (const child of children) below.push(...(await countHistories(client, child)))
  return [own, ...below]
}
