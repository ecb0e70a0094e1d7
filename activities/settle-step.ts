// Reports to the notary what has become of a step, and turns its answer into the step's outcome. The
// notary's word is final: where it has recorded another outcome than the one reported, that one is
// returned. A failure without a receipt is reported only when no token of the effect can be used any
// more, because an agent could otherwise still act on one.

import type { SettleCall, SettleReply } from '../notary/contract.ts'
import { limits } from '../plan/limits.ts'
import type { StepInput, StepResult } from '../workflows/contract.ts'
import type { Attempt } from './attempt.ts'
import { addressOf, toSources } from './authorise-step.ts'
import { AttemptFailure } from './failure.ts'
import type { SourceDocument } from './load-step.ts'
import type { NotaryCalls } from './notary-calls.ts'
import type { OutcomeReply } from './verify-reply.ts'

/** What a step has come to; attempts and duration are added where the attempt is known. */
export type Ended = Pick<StepResult, 'outcome' | 'code' | 'resultRef'>

type Settled = Extract<SettleReply, { status: 'SETTLED' }>

/** @throws AttemptFailure NOTARY_UNAVAILABLE, or REPLY_INVALID when the notary refuses the receipt */
export async function settleReceipt(
  input: StepInput,
  reply: OutcomeReply,
  options: { readonly invalidResult: boolean; readonly notary: NotaryCalls },
): Promise<Settled> {
  const answer = await options.notary.settle({
    type: 'receipt',
    ...addressOf(input),
    receipt: reply.receipt,
    envelope: reply.envelope,
    invalidResult: options.invalidResult,
  })
  if (answer.status === 'SETTLED') return answer
  const refused =
    answer.status === 'REFUSED' &&
    (answer.code === 'RECEIPT_INVALID' || answer.code === 'RECEIPT_CONFLICT')
  throw new AttemptFailure(refused ? 'REPLY_INVALID' : 'NOTARY_UNAVAILABLE')
}

/** Reports a false guard; the notary evaluates it again. */
export async function settleSkip(
  input: StepInput,
  documents: readonly SourceDocument[],
  notary: NotaryCalls,
): Promise<Ended> {
  let brought: ReadonlySet<string> = new Set()
  // Twice: once by hash, once with the contents it asks for.
  for (let round = 0; round < 2; round += 1) {
    const sources = toSources(documents, brought)
    if (sources === 'LIMIT') return { outcome: 'denied', code: 'LIMIT', resultRef: null }
    const answer = await notary.settle({ type: 'skip', ...addressOf(input), sources })
    if (answer.status === 'SETTLED') return endedAs(answer)
    if (answer.status === 'REFUSED') {
      if (isOutage(answer.code)) throw new AttemptFailure('NOTARY_UNAVAILABLE')
      return { outcome: 'denied', code: answer.code, resultRef: null }
    }
    if (answer.status === 'PROBE') throw new Error('a skip is never probed')
    brought = new Set(answer.steps.map(({ step }) => step))
  }
  throw new AttemptFailure('NOTARY_UNAVAILABLE')
}

/** Asked again this often while the notary says that a token is alive or attempts are left. */
const pollMs = 1_000
/** Beyond the longest token life, so that every attempt that is left can be reported as used. */
const graceMs = 15_000

/**
 * Reports that the attempts are used up. `expiresAtMs` is the latest token's, where one is known.
 * Without the notary's record an effect cannot be excluded: then only a read is `failed`.
 */
export async function settleFailure(
  input: StepInput,
  failure: { readonly code: string; readonly expiresAtMs?: number; readonly isRead: boolean },
  deps: { readonly notary: NotaryCalls; readonly attempt: Attempt; readonly now: () => number },
): Promise<Ended> {
  const { notary, attempt, now } = deps
  const { code, expiresAtMs } = failure
  const deadline = now() + limits.tokenLifeMs + limits.tokenSkewMs + graceMs
  if (expiresAtMs !== undefined) {
    await attempt.sleep(Math.max(0, expiresAtMs + limits.tokenSkewMs - now()))
  }
  const call: SettleCall = { type: 'failure', ...addressOf(input), code }
  for (;;) {
    const answer = await notary.settle(call)
    if (answer.status === 'SETTLED') return endedAs({ ...answer, code: answer.code ?? code })
    const refusal = answer.status === 'REFUSED' ? answer.code : undefined
    if (refusal === 'TOKENS_ALIVE' && now() < deadline) {
      await attempt.sleep(pollMs)
      continue
    }
    if (refusal !== undefined && isOutage(refusal)) throw new AttemptFailure('NOTARY_UNAVAILABLE')
    // Nothing was ever signed for it, so nothing can have happened.
    const harmless = failure.isRead || refusal === 'NEVER_AUTHORISED'
    return { outcome: harmless ? 'failed' : 'unknown', code, resultRef: null }
  }
}

function endedAs({ outcome, code }: Pick<Settled, 'outcome' | 'code'>): Ended {
  return { outcome, ...(code === undefined ? {} : { code }), resultRef: null }
}

function isOutage(code: string): boolean {
  return code === 'AUDIT_UNAVAILABLE' || code === 'CLOCK_BACKWARDS'
}
