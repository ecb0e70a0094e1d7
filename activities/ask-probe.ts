// Asks an action's probe whether the action happened, when its own answer was lost. Tried a few times
// and then recorded as unanswered, so that the step comes to its end and a person is asked instead.
// Decides nothing: the notary reads the answer from the agent's receipt.

import { limits } from '../plan/limits.ts'
import { resolveUndo } from '../plan/undo.ts'
import type { StepInput } from '../workflows/contract.ts'
import type { Attempt } from './attempt.ts'
import { type Addressed, addressOf, authoriseStep } from './authorise-step.ts'
import type { DispatchDeps } from './dispatch-deps.ts'
import { AttemptFailure } from './failure.ts'
import type { LoadedStep } from './load-step.ts'
import { settleFailure } from './settle-failure.ts'
import { ReplyError, verifyReply } from './verify-reply.ts'

type ProbeDeps = DispatchDeps & { readonly attempt: Attempt }

const tries = 3
const pauseMs = 2_000
const timeoutMs = limits.replyMs + 2_000

/** @throws AttemptFailure NOTARY_UNAVAILABLE */
export async function askProbe(
  input: StepInput,
  about: {
    readonly loaded: LoadedStep
    readonly args: Readonly<Record<string, unknown>>
    readonly idem: string
  },
  deps: ProbeDeps,
): Promise<void> {
  const { loaded, idem } = about
  const declared = loaded.action.probe
  if (declared === undefined) return
  const probe = { ...input, kind: 'probe' } as const
  const args = resolveUndo(declared, { args: about.args, result: undefined, idem })
  for (let round = 0; args !== 'NO_RESULT' && round < tries; round += 1) {
    if (round > 0) await deps.attempt.sleep(pauseMs)
    if (await ended(() => ask(probe, { args, loaded }, deps))) return
  }
  await settleFailure(probe, { code: 'NO_ANSWER', isRead: true }, deps)
}

/** Whether the probe has come to an end; anything but the notary's absence may be tried again. */
async function ended(work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work()
  } catch (error) {
    const again =
      error instanceof ReplyError ||
      (error instanceof AttemptFailure && error.type !== 'NOTARY_UNAVAILABLE')
    if (!again) throw error
    return false
  }
}

async function ask(
  probe: Addressed,
  {
    args,
    loaded,
  }: { readonly args: Readonly<Record<string, unknown>>; readonly loaded: LoadedStep },
  deps: ProbeDeps,
): Promise<boolean> {
  const answer = await authoriseStep(probe, { args, sources: loaded.sources }, deps)
  if (answer.status !== 'AUTHORISED') return answer.status === 'SETTLED'
  const { subject, token, salt } = answer
  const correlationId = probe.requestId
  const reply = await deps.agents.run({ subject, token, args, salt, correlationId, timeoutMs })
  if (reply.status !== 'DONE') return false
  await verifyReply(reply, answer)
  const { receipt, envelope, result } = reply
  const settled = await deps.notary.settle({
    ...{ type: 'receipt', ...addressOf(probe) },
    ...{ receipt, envelope, result, invalidResult: false },
  })
  return settled.status === 'SETTLED'
}
