// A person's assistant from outside. Whose it is says the account that the bus server knows the caller
// by. Every call may be repeated: the workflow takes up each turn once. Temporal itself asks nobody who
// they are (docs/adr/0048), so that what is answered is no person's word.

import {
  type Client,
  WithStartWorkflowOperation,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client'
import { ApplicationFailure, type Workflow } from '@temporalio/common'
import {
  type AcceptInput,
  type AnswerInput,
  acceptUpdate,
  answerUpdate,
  assistantWorkflowId,
  assistantWorkflowType,
  type BeginInput,
  beginUpdate,
  type Conversation,
  conversationQuery,
  emptyConversation,
  type SayInput,
  sayUpdate,
  type Turn,
  type TurnRefusal,
  turnRefusals,
} from '../workflows/assistant-contract.ts'
import { taskQueue } from '../workflows/contract.ts'
import { toTaskPriority } from './priority.ts'

/** `turn` is as it stands now, which may be further than this call asked for. */
export type TurnReply =
  | { readonly status: 'TAKEN'; readonly turn: Turn }
  | { readonly status: 'REFUSED'; readonly code: TurnRefusal }

/** Each call, repeated, answers the same. @throws RunClientError UNREACHABLE, from each */
export interface Assistant {
  /** A turn, and the assistant itself where this is the first. */
  say(input: SayInput): Promise<TurnReply>
  answer(input: AnswerInput): Promise<TurnReply>
  accept(input: AcceptInput): Promise<TurnReply>
  /** Starts the turn's run, once the notary knows its request. Resolves when Temporal has the run. */
  begin(input: BeginInput): Promise<TurnReply>
  conversation(): Promise<Conversation>
}

/** @param within bounds a call in time, and turns the SDK's errors of transport into the caller's own */
export function createAssistant(
  client: Client,
  account: string,
  within: <T>(call: () => Promise<T>) => Promise<T>,
): Assistant {
  const workflowId = assistantWorkflowId(account)
  const update = (name: string, input: unknown) =>
    within(async (): Promise<TurnReply> => {
      try {
        const turn = await client.workflow.executeUpdateWithStart<Workflow, Turn, [unknown]>(name, {
          args: [input],
          startWorkflowOperation: starting(workflowId),
        })
        return { status: 'TAKEN', turn }
      } catch (error) {
        return { status: 'REFUSED', code: refusalOf(error) }
      }
    })
  return {
    say: (input) => update(sayUpdate, input),
    answer: (input) => update(answerUpdate, input),
    accept: (input) => update(acceptUpdate, input),
    begin: (input) => update(beginUpdate, input),
    conversation: () =>
      within(async () => {
        try {
          return await client.workflow.getHandle(workflowId).query<Conversation>(conversationQuery)
        } catch (error) {
          if (error instanceof WorkflowNotFoundError) return emptyConversation
          throw error
        }
      }),
  }
}

/** One operation serves one call. */
function starting(workflowId: string): WithStartWorkflowOperation<Workflow> {
  return new WithStartWorkflowOperation(assistantWorkflowType, {
    workflowId,
    taskQueue,
    args: [emptyConversation],
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: 'a conversation',
    // A person sits and waits; a turn is one short task.
    priority: toTaskPriority('CRITICAL'),
  })
}

/** @throws the error itself, where it is no refusal of ours */
function refusalOf(error: unknown): TurnRefusal {
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : undefined
  const type = cause instanceof ApplicationFailure ? cause.type : undefined
  const code = turnRefusals.find((one) => one === type)
  if (code === undefined) throw error
  return code
}
