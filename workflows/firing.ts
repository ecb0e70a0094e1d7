// The `firing` workflow: what a Temporal Schedule starts. Names the request after the time it was due,
// runs it as a child, and lives as long as it, because the schedule's overlap policy looks at this
// workflow. Decides nothing: whether that time may become a request is the notary's to say.

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import {
  ChildWorkflowFailure,
  isCancellation,
  ParentClosePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow'
import { firingPrefix } from '../plan/ids.ts'
import type { FiringInput, FiringResult } from './contract.ts'
import type { request } from './request.ts'
import { attributesAtStart } from './search-attributes.ts'

export async function firing(input: FiringInput): Promise<FiringResult> {
  const { schedule, requestRef, zone, recipe } = input
  const { workflowId, executionTimeoutMs } = workflowInfo()
  // The server ends the id with the time that was due, in whole seconds, whenever it really starts.
  const time = /-(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z)$/.exec(workflowId)?.[1]
  if (time === undefined) return { requestId: null, status: 'failed', code: 'NOT_SCHEDULED' }
  const requestId = `${firingPrefix}${schedule}:${time.toLowerCase()}`
  try {
    const run = await startChild<typeof request>('request', {
      workflowId: requestId,
      args: [
        { requestId, requestRef, firing: { schedule, at: Date.parse(time), zone }, lane: 'fast' },
      ],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      // A run that is out goes on by itself if somebody terminates this workflow.
      parentClosePolicy: ParentClosePolicy.ABANDON,
      ...(executionTimeoutMs === undefined ? {} : { workflowExecutionTimeout: executionTimeoutMs }),
      staticSummary: recipe ?? 'plan',
      typedSearchAttributes: attributesAtStart(recipe),
    })
    const { status, code } = await run.result()
    return { requestId, status, ...(code === undefined ? {} : { code }) }
  } catch (error) {
    // Asked for twice, by a backfill over what has run: it is that run.
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      return { requestId, status: 'begun-before' }
    }
    if (isCancellation(error)) return { requestId, status: 'cancelled' }
    // Terminated or timed out from outside: the run itself always returns.
    if (error instanceof ChildWorkflowFailure) {
      return { requestId, status: 'failed', code: 'TERMINATED' }
    }
    throw error
  }
}
