// One consultation as a child of the run that wants a plan: an ordinary run of type `request`, so that
// attempts, breakers, budgets, approvals and the audit are those of any step. A run that is stopped takes
// it along; a run that was reset finds that there was one, and not what it came to.

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import {
  ChildWorkflowFailure,
  executeChild,
  isCancellation,
  ParentClosePolicy,
} from '@temporalio/workflow'
import type { ConsultInput } from './consult-contract.ts'
import { type RequestInput, type RunResult, workflowType } from './contract.ts'
import { attributesAtStart } from './search-attributes.ts'

export async function runConsultation(
  requestId: string,
  { requestRef, consult }: { readonly requestRef: string; readonly consult: ConsultInput },
): Promise<RunResult | 'ran-before'> {
  const input: RequestInput = { requestId, requestRef, consult }
  try {
    return await executeChild<(input: RequestInput) => Promise<RunResult>>(workflowType, {
      workflowId: requestId,
      args: [input],
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: 'ask a model for a plan',
      typedSearchAttributes: attributesAtStart(),
    })
  } catch (error) {
    if (isCancellation(error)) throw error
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'ran-before'
    if (!(error instanceof ChildWorkflowFailure)) throw error
    // Ended from outside: whether it was answered is in no history of ours.
    return { status: 'failed', code: 'TERMINATED', steps: [], answerRef: null }
  }
}
