// Commands about an effect that is out already: `attach` waits for its outcome, `cancel` asks its
// handler to stop and then waits. Invariant: neither can start a handler. What was never begun is
// ABSENT; what a crash interrupted is UNKNOWN, also where a new command
// might run again.

import { limits } from '../plan/limits.ts'
import type { CapabilityCode } from '../security/capability-codes.ts'
import { ClearError, clearAccess } from '../security/verify/clear.ts'
import { VerifyError } from '../security/verify/token.ts'
import { type Admission, agentIdOf, type Proven, proveToken } from './admission.ts'
import { within } from './execution.ts'
import type { RecordedOutcome } from './ledger.ts'
import type { ExecRequest, ExecutionProgress } from './protocol.ts'

export type FollowRequest = Extract<ExecRequest, { op: 'attach' | 'cancel' }>

/** A handler at work in this process. */
export interface Running {
  readonly action: string
  /** What the ledger holds in the end; pending for as long as the handler may act. */
  readonly recorded: Promise<RecordedOutcome | undefined>
  progress: ExecutionProgress | undefined
  /** What of it was told last. */
  told: ExecutionProgress | undefined
  cancel(): void
}

/** A person who waits sees that something goes on; a token to ask again with is a row of the audit. */
const leastTellMs = 5_000
/** Of the tokens that may follow one effect (`limits.followingTokens`), half are for what goes wrong. */
const tellings = limits.followingTokens / 2

/** How often it is said how far an effect is: seldom enough that one that takes long can be followed to its end. */
export function tellEvery(timeoutMs: number, leastMs: number = leastTellMs): number {
  return Math.max(leastMs, timeoutMs / tellings)
}

/**
 * The outcome, or undefined: the time for a reply is over, or there is something new to say of how far it
 * is.
 */
export async function orSoFar<Value>(
  entry: Running,
  outcome: Promise<Value | undefined>,
  { withinMs, everyMs }: { readonly withinMs: number; readonly everyMs: number },
): Promise<Value | undefined> {
  for (let left = withinMs; left > 0; left -= everyMs) {
    const value = await within(outcome, Math.min(everyMs, left))
    if (value !== undefined) return value
    if (entry.progress !== entry.told) return undefined
  }
  return undefined
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
