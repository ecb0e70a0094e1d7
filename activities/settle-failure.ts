// Reports that a step's attempts are used up. Waits until no token of the effect can be used any more,
// because an agent could otherwise still act on one; where nobody knows whether it happened, the
// action's probe is asked first.

import { isOutage } from '../notary/codes.ts'
import type { SettleCall, SettleReply } from '../notary/contract.ts'
import { limits } from '../plan/limits.ts'
import type { StepResult } from '../workflows/contract.ts'
import type { Attempt } from './attempt.ts'
import { type Addressed, addressOf } from './authorise-step.ts'
import { AttemptFailure } from './failure.ts'
import type { NotaryCalls } from './notary-calls.ts'
import { tokenAliveMs } from './token-life.ts'

/** What a step has come to; attempts and duration are added where the attempt is known. */
export type Ended = Pick<StepResult, 'outcome' | 'code' | 'resultRef' | 'rerun' | 'approvals'>

/** Finds out whether the effect of this id happened; see ask-probe.ts. */
export type AskProbe = (idem: string) => Promise<void>

/** Asked again this often while the notary says that a token is alive or attempts are left. */
const pollMs = 1_000
/** Beyond the longest token life, so that every attempt that is left can be reported as used. */
const graceMs = 15_000

/**
 * Reports that the attempts are used up. `expiresAtMs` is the latest token's, where one is known.
 * Without the notary's record an effect cannot be excluded: then only a read is `failed`.
 */
export async function settleFailure(
  input: Addressed,
  failure: { readonly code: string; readonly expiresAtMs?: number; readonly isRead: boolean },
  deps: {
    readonly notary: NotaryCalls
    readonly attempt: Attempt
    readonly now: () => number
    /** Absent for a probe itself. */
    readonly probe?: AskProbe
  },
): Promise<Ended> {
  const { notary, attempt, now } = deps
  const { code, expiresAtMs } = failure
  const deadline = now() + tokenAliveMs + graceMs
  const call: SettleCall = { type: 'failure', ...addressOf(input), code }
  let probed = false
  for (;;) {
    const answer = await notary.settle(call)
    if (answer.status === 'PROBE' && deps.probe !== undefined && !probed) {
      probed = true
      await deps.probe(answer.idem)
      continue
    }
    if (answer.status === 'SETTLED') return endedAs({ ...answer, code: answer.code ?? code })
    const refusal = answer.status === 'REFUSED' ? answer.code : undefined
    if (refusal === 'TOKENS_ALIVE' && now() < deadline) {
      const deadInMs = (expiresAtMs ?? 0) + limits.tokenSkewMs - now()
      await attempt.sleep(Math.max(pollMs, deadInMs))
      continue
    }
    if (refusal !== undefined && isOutage(refusal)) throw new AttemptFailure('NOTARY_UNAVAILABLE')
    // Nothing was ever signed for it, so nothing can have happened.
    const harmless = failure.isRead || refusal === 'NEVER_AUTHORISED'
    return { outcome: harmless ? 'failed' : 'unknown', code, resultRef: null }
  }
}

export function endedAs({
  outcome,
  code,
}: Pick<Extract<SettleReply, { status: 'SETTLED' }>, 'outcome' | 'code'>): Ended {
  return { outcome, ...(code === undefined ? {} : { code }), resultRef: null }
}
