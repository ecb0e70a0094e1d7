// Commands about an effect that is out already: `attach` waits for its outcome, `cancel` asks its
// handler to stop and then waits. Invariant: neither can start a handler. What was never begun is
// ABSENT; what a crash interrupted is UNKNOWN, also where a new command
// might run again.

import type { CapabilityCode } from '../security/capability-codes.ts'
import { ClearError, clearAccess } from '../security/verify/clear.ts'
import type { CapabilityClaims, CapabilityDetail } from '../security/verify/token.ts'
import { tokenSkewSeconds, VerifyError, verifyToken } from '../security/verify/token.ts'
import { type Admission, agentIdOf } from './admission.ts'
import type { RecordedOutcome } from './ledger.ts'
import type { ExecRequest, ExecutionProgress } from './protocol.ts'

export type FollowRequest = Extract<ExecRequest, { op: 'attach' | 'cancel' }>

/** A genuine wish to follow an effect of this agent. */
export interface Followed {
  readonly claims: CapabilityClaims
  readonly detail: CapabilityDetail
}

/** A handler at work in this process. */
export interface Running {
  readonly action: string
  /** What the ledger holds in the end; pending for as long as the handler may act. */
  readonly recorded: Promise<RecordedOutcome | undefined>
  progress: ExecutionProgress | undefined
  cancel(): void
}

/** The token's claims, or the reason why it allows nothing here. */
export async function admitFollow(
  { op, token, salt }: FollowRequest,
  { agent, identity, tokenKeys, now }: Admission,
): Promise<Followed | CapabilityCode> {
  const id = agentIdOf(agent, identity)
  try {
    const claims = await verifyToken(token, {
      keys: tokenKeys,
      issuer: identity.issuer,
      audience: `agent:${id}:${identity.bootEpoch}`,
      nkey: identity.nkey,
      now: now(),
    })
    const [detail] = claims.authorization_details
    clearAccess(claims, { op, agent: id, action: detail.action, salt })
    return { claims, detail }
  } catch (cause) {
    if (cause instanceof VerifyError || cause instanceof ClearError) return cause.code
    throw cause
  }
}

/** What the ledger must know of it. */
export function toFollowClaim(
  { claims, detail }: Followed,
  { alive, now }: { readonly alive: boolean; readonly now: number },
) {
  return {
    jti: claims.jti,
    refusedFrom: (claims.exp + tokenSkewSeconds) * 1_000,
    idem: claims.idem,
    argsHash: detail.args_s256,
    action: detail.action,
    alive,
    now,
  }
}
