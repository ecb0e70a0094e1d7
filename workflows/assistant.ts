// The `assistant` workflow: one for each person, without end, that remembers a conversation and starts its
// runs, so that neither depends on whoever says yes staying there. Wires workflows/conversation.ts to the
// SDK and holds no logic of its own. Waits for no run: what one comes to is its own to say.

import { ApplicationFailure, WorkflowExecutionAlreadyStartedError } from '@temporalio/common'
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineUpdate,
  ParentClosePolicy,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow'
import {
  type AcceptInput,
  type AnswerInput,
  acceptUpdate,
  answerUpdate,
  type BeginInput,
  beginUpdate,
  type Conversation,
  conversationQuery,
  emptyConversation,
  type SayInput,
  sayUpdate,
  type Turn,
} from './assistant-contract.ts'
import { workflowType } from './contract.ts'
import { accept, answer, begun, mayBegin, say, type Taken, updatesPerRun } from './conversation.ts'
import type { request } from './request.ts'
import { runOptions } from './run-options.ts'

const saying = defineUpdate<Turn, [SayInput]>(sayUpdate)
const answering = defineUpdate<Turn, [AnswerInput]>(answerUpdate)
const accepting = defineUpdate<Turn, [AcceptInput]>(acceptUpdate)
const beginning = defineUpdate<Turn, [BeginInput]>(beginUpdate)
const conversation = defineQuery<Conversation>(conversationQuery)

/** An old payload key is kept as long as there is a run that began with it: none is older than this. */
const runMs = 7 * 24 * 3_600_000

export async function assistant(before: Conversation = emptyConversation): Promise<never> {
  let now = before
  let updates = 0
  // Asked again where it is taken up: another update may have come in between.
  const take = (taken: Taken): Turn => {
    const { conversation: next, turn } = proven(taken)
    now = next
    updates += 1
    return turn
  }
  setHandler(conversation, () => now)
  setHandler(saying, (input) => take(say(now, input, Date.now())), {
    validator: (input) => void proven(say(now, input, Date.now())),
  })
  setHandler(answering, (input) => take(answer(now, input)), {
    validator: (input) => void proven(answer(now, input)),
  })
  setHandler(accepting, (input) => take(accept(now, input)), {
    validator: (input) => void proven(accept(now, input)),
  })
  setHandler(
    beginning,
    async (input) => {
      const turn = take(mayBegin(now, input))
      if (turn.status === 'begun') return turn
      await startRun(input)
      return take(begun(now, turn.turnId))
    },
    { validator: (input) => void proven(mayBegin(now, input)) },
  )
  await condition(() => updates >= updatesPerRun || workflowInfo().continueAsNewSuggested, runMs)
  await condition(allHandlersFinished)
  return await continueAsNew<typeof assistant>(now)
}

/** Waits until Temporal has it, and no longer. */
async function startRun({ request: input, priority, recipe }: BeginInput): Promise<void> {
  try {
    await startChild<typeof request>(workflowType, {
      ...runOptions({ priority, recipe }),
      workflowId: input.requestId,
      args: [{ lane: 'fast', ...input }],
      // It outlives this workflow, which goes on as a new one without waiting for it.
      parentClosePolicy: ParentClosePolicy.ABANDON,
    })
  } catch (error) {
    // Begun before: it is that run.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
  }
}

/** @throws ApplicationFailure whose type is a TurnRefusal; a handler must throw nothing else */
function proven(taken: Taken): Exclude<Taken, { refusal: unknown }> {
  if ('refusal' in taken) throw ApplicationFailure.nonRetryable('it is not taken up', taken.refusal)
  return taken
}
