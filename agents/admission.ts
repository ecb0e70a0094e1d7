// Everything that is asked of a command before the ledger, in order: strict arguments, a genuine
// token, a token that allows this access, an action we have, arguments that fit it. Invariant: the
// object whose hash was cleared is the object that the handler's parser gets. Has no side effects;
// whether the token was used before is the ledger's question.

import { limits } from '../plan/limits.ts'
import type { CapabilityCode } from '../security/capability-codes.ts'
import { CanonicalJsonError, canonicalJson } from '../security/verify/canonical-json.ts'
import { ClearError, clearAccess } from '../security/verify/clear.ts'
import { parseStrictJson, StrictJsonError } from '../security/verify/strict-json.ts'
import {
  type CapabilityClaims,
  type CapabilityDetail,
  type TokenKeys,
  tokenSkewSeconds,
  VerifyError,
  verifyToken,
} from '../security/verify/token.ts'
import type { ActionContext, AgentDefinition, BoundAction } from './define-agent.ts'
import type { EgressProof } from './egress-client.ts'
import type { Claim } from './ledger.ts'
import type { ExecRequest } from './protocol.ts'

/** Who this replica is, as the supervisor said; compared with every token. */
export interface AgentIdentity {
  /** `notary:<deployment>` */
  readonly issuer: string
  readonly n: number
  readonly bootEpoch: string
  /** Public nkey of this replica's bus user. */
  readonly nkey: string
}

export interface Admission {
  readonly agent: AgentDefinition
  readonly identity: AgentIdentity
  readonly tokenKeys: TokenKeys
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** A token that was given for this replica in this life, and the one access that it is about. */
export interface Proven {
  readonly claims: CapabilityClaims
  readonly detail: CapabilityDetail
}

/** A command that may be carried out, if the ledger agrees. */
export interface Command extends Proven {
  readonly action: BoundAction
  /** What the gateway asks for, when the handler asks for something of the network. */
  readonly proof: EgressProof
  readonly run: (context: ActionContext) => Promise<unknown>
}

/** `<name>.<n>` */
export function agentIdOf(agent: AgentDefinition, identity: AgentIdentity): string {
  return `${agent.manifest.name}.${identity.n}`
}

/** @throws VerifyError for a token of anybody else's, or for another replica or life */
export async function proveToken(
  token: string,
  { agent, identity, tokenKeys, now }: Admission,
): Promise<Proven> {
  const claims = await verifyToken(token, {
    keys: tokenKeys,
    issuer: identity.issuer,
    audience: `agent:${agentIdOf(agent, identity)}:${identity.bootEpoch}`,
    nkey: identity.nkey,
    now: now(),
  })
  // The action is taken from the token: there is no other place that could say another one.
  const [detail] = claims.authorization_details
  return { claims, detail }
}

/** The command, or the reason why it is none. */
export async function admitCommand(
  request: Extract<ExecRequest, { op: 'run' }>,
  admission: Admission,
): Promise<Command | CapabilityCode> {
  const { agent, identity } = admission
  try {
    const args = parseStrictJson(canonicalJson(request.args), {
      maxBytes: limits.argumentBytes,
      maxDepth: limits.jsonDepth,
    })
    const { claims, detail } = await proveToken(request.token, admission)
    const { salt } = request
    const agentId = agentIdOf(agent, identity)
    clearAccess(claims, { op: 'run', agent: agentId, action: detail.action, salt, args })
    const action = agent.actions.get(detail.action)
    if (action === undefined) return 'UNKNOWN_ACTION'
    // An effect class that is not ours would have been cleared by another class's rules.
    if (detail.effect !== action.declaration.effect) return 'WRONG_ACTION'
    const run = action.prepare(args)
    if (run === undefined) return 'INVALID_ARGS'
    const proof = { token: request.token, args: request.args, salt }
    return { claims, detail, action, proof, run }
  } catch (cause) {
    if (cause instanceof VerifyError || cause instanceof ClearError) return cause.code
    if (cause instanceof StrictJsonError || cause instanceof CanonicalJsonError) return 'MALFORMED'
    throw cause
  }
}

/** `alive`: this process is executing the same effect now. */
export interface ClaimMoment {
  readonly alive: boolean
  readonly now: number
}

/** What the ledger must know of whoever only follows an effect. */
export function toFollowClaim({ claims, detail }: Proven, moment: ClaimMoment) {
  return {
    jti: claims.jti,
    refusedFrom: (claims.exp + tokenSkewSeconds) * 1_000,
    idem: claims.idem,
    argsHash: detail.args_s256,
    action: detail.action,
    ...moment,
  }
}

/** What the ledger must know of a command. */
export function toClaim(command: Command, moment: ClaimMoment): Claim {
  const { effect, idempotent } = command.action.declaration
  return { ...toFollowClaim(command, moment), repeatable: effect === 'read' || idempotent }
}

/** The narrowest of what the token, the manifest and the platform allow. */
export function boundsOf({ detail, action }: Command): {
  readonly timeoutMs: number
  readonly resultBytes: number
} {
  const { declaration } = action
  return {
    timeoutMs: Math.min(detail.limits.timeoutMs, declaration.timeoutMs),
    resultBytes: Math.min(
      limits.resultBytes,
      declaration.maxResultBytes,
      detail.limits.resultBytes,
    ),
  }
}
