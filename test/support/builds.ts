// Which build of the worker took the workflow tasks of a run, as its history says.

import { Client, Connection } from '@temporalio/client'

export interface ServerAddress {
  /** host:port */
  readonly address: string
  readonly namespace: string
}

/** One for each change of builds, in order; undefined for a worker without one. */
export async function buildsOf(
  { address, namespace }: ServerAddress,
  workflowId: string,
): Promise<readonly (string | undefined)[]> {
  const connection = await Connection.connect({ address })
  const client = new Client({ connection, namespace })
  const { events } = await client.workflow.getHandle(workflowId).fetchHistory()
  await connection.close()
  const builds = (events ?? []).flatMap(({ workflowTaskCompletedEventAttributes: completed }) =>
    completed ? [completed.deploymentVersion?.buildId ?? undefined] : [],
  )
  return builds.filter((build, at) => at === 0 || build !== builds[at - 1])
}
