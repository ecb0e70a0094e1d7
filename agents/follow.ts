// Commands about an effect that is out already: `attach` waits for its outcome, `cancel` asks its
// handler to stop and then waits. Invariant: neither can start a handler. What was never begun is
// ABSENT; what a crash interrupted is UNKNOWN, also where a new command
// might run again.

import type { CapabilityCode } from '../security/capability-codes.ts'
import { ClearError, clearAccess } from '../security/verify/clear.ts'
import { VerifyError } from '../security/verify/token.ts'
import { type Admission, agentIdOf, type Proven, proveToken } from './admission.ts'
import type { RecordedOutcome } from './ledger.ts'
import type { ExecRequest, ExecutionProgress } from './protocol.ts'

export type FollowRequest = Extract<ExecRequest, { op: 'attach' | 'cancel' }>

/** A handler at work in this process. */
export interface Running {
  readonly action: string
  /** What the ledger holds in the end; pending for as long as the handler may act. */
  readonly recorded: Promise<RecordedOutcome | undefined>
  progress: ExecutionProgress | undefined
  cancel(): void
}

/** A genuine wish to follow an effect of this agent, or the reason why it is none. */
export async function admitFollow(
  { op, token, salt }: FollowRequest,
  admission: Admission,
): Promise<Proven | CapabilityCode> {
  const id = agentIdOf(admission.agent, admission.identity)
  try {
    const { claims, detail } = await proveToken(token, admission)
    clearAccess(claims, { op, agent: id, action: detail.action, salt })
    return { claims, detail }
  } catch (cause) {
    if (cause instanceof VerifyError || cause instanceof ClearError) return cause.code
    throw cause
  }
}
