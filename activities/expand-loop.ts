// Has a loop counted: brings the notary what the list is resolved from, and carries its answer back.
// Counts nothing itself, so that no worker can make a loop longer or shorter. What cannot be counted is
// settled, so that the notary knows that the step is over.

import { isOutage } from '../notary/codes.ts'
import type { SettleReply } from '../notary/contract.ts'
import { sourcesOf } from '../plan/references.ts'
import type { CompiledStep } from '../plan/schema.ts'
import type { StepInput, StepResult } from '../workflows/contract.ts'
import type { Attempt } from './attempt.ts'
import { addressOf } from './authorise-step.ts'
import type { DispatchDeps } from './dispatch-deps.ts'
import { AttemptFailure, lossOf } from './failure.ts'
import { readHandles } from './read-handles.ts'
import { readSources, type SourceDocument } from './read-sources.ts'
import { type Ended, settleFailure } from './settle-failure.ts'
import { settleFrom, settleSkip } from './settle-step.ts'

type LoopDeps = Pick<DispatchDeps, 'artifacts' | 'documents' | 'plans' | 'notary' | 'now'>

/** A workflow's timer and the notary's clock may differ by a little. */
const earlyMs = 60_000
const pollMs = 1_000

/** @throws AttemptFailure, ArtifactError when another attempt may help */
export async function expandLoop(
  input: StepInput,
  attempt: Attempt,
  deps: LoopDeps,
): Promise<{ readonly count: number } | StepResult> {
  const counted = await countOrEnd(input, attempt, deps)
  if ('count' in counted) return counted
  const durationMs = Math.max(0, deps.now() - attempt.scheduledAtMs)
  return { ...counted, attempts: attempt.number, durationMs }
}

async function countOrEnd(
  input: StepInput,
  attempt: Attempt,
  deps: LoopDeps,
): Promise<{ readonly count: number } | Ended> {
  try {
    return await count(input, attempt, deps)
  } catch (error) {
    const code = lossOf(error)
    if (code === undefined) throw error
    return await settleFailure(input, { code, isRead: true }, { ...deps, attempt })
  }
}

async function count(
  input: StepInput,
  attempt: Attempt,
  deps: LoopDeps,
): Promise<{ readonly count: number } | Ended> {
  const loaded = await deps.plans.load(input)
  const { steps } = loaded
  const step = steps.get(input.step)
  if (step?.forEach === undefined) throw new AttemptFailure('PLAN_MISMATCH')
  // Those of its arguments and its guard too: where a person is asked about the list, they are shown them.
  const wanted = new Set(sourcesOf(step))
  const own = await readSources(input, { wanted, steps }, deps)
  const documents = [...own, ...(await readHandles(loaded, wanted, deps))]
  const answer = await ask(input, documents, { ...deps, attempt })
  if (answer === 'LIMIT') {
    return await settleFailure(input, { code: answer, isRead: true }, { ...deps, attempt })
  }
  switch (answer.status) {
    case 'LOOP':
      return { count: answer.count }
    case 'SETTLED': {
      const { outcome, code } = answer
      return { outcome, ...(code === undefined ? {} : { code }), resultRef: null }
    }
    case 'APPROVAL': {
      const { id, expiresAt } = answer
      return { outcome: 'waiting', resultRef: null, approvals: [{ id, expiresAt }] }
    }
    case 'REFUSED':
      return await endRefused(input, { step, code: answer.code }, { ...deps, attempt })
    default:
      throw new AttemptFailure('NOTARY_UNAVAILABLE')
  }
}

/** Waits for the step's time, where the notary says that it has not come. */
async function ask(
  input: StepInput,
  documents: readonly SourceDocument[],
  { notary, attempt, now }: LoopDeps & { readonly attempt: Attempt },
): Promise<SettleReply | 'LIMIT'> {
  const deadline = now() + earlyMs
  for (;;) {
    const answer = await settleFrom(documents, notary, (sources) => ({
      type: 'loop',
      ...addressOf(input),
      sources,
    }))
    const isEarly = answer !== 'LIMIT' && answer.status === 'REFUSED' && answer.code === 'NOT_YET'
    if (!isEarly || now() >= deadline) return answer
    await attempt.sleep(pollMs)
  }
}

async function endRefused(
  input: StepInput,
  { step, code }: { readonly step: CompiledStep; readonly code: string },
  deps: LoopDeps & { readonly attempt: Attempt },
): Promise<Ended> {
  if (isOutage(code)) throw new AttemptFailure('NOTARY_UNAVAILABLE')
  // Each of its needs is over and none has settled, or the workflow would not have asked.
  if (code === 'NEEDS_UNSETTLED' && step.join === 'any') {
    return await settleSkip(input, [], deps.notary)
  }
  // The list is there and in no form that one call could bring.
  if (code === 'SOURCE_MISSING') {
    return await settleFailure(input, { code: 'NO_RESULT', isRead: true }, deps)
  }
  return { outcome: 'denied', code, resultRef: null }
}
