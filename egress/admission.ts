// May this agent ask at all? Its words in the permitted shape, its token genuine and bound to the
// replica whose door this is, the arguments the authorised ones. The same for a request and a tunnel:
// there is one way in. What may then be asked is rules.ts's.

import type { z } from 'zod'
import { ClearError, clearAccess } from '../security/verify/clear.ts'
import { parseStrictJson, StrictJsonError } from '../security/verify/strict-json.ts'
import {
  type CapabilityClaims,
  type TokenKeys,
  VerifyError,
  verifyToken,
} from '../security/verify/token.ts'
import { EgressError } from './codes.ts'
import { egressLimits, type GatewayAgent, type Proof } from './contract.ts'

export interface AdmissionDependencies {
  readonly issuer: string
  readonly tokenKeys: TokenKeys
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** Boot epoch of the agent's running sandbox, or undefined. */
  readonly epochOf: (agent: GatewayAgent) => string | undefined
  /** Public nkey of that sandbox, or undefined. */
  readonly nkeyOf: (agent: GatewayAgent) => string | undefined
}

export interface Admitted {
  readonly claims: CapabilityClaims
  /** The life of the sandbox that the token is for. */
  readonly epoch: string
}

/** Deep enough for any step's arguments within a call. */
const maxDepth = 40

/** @throws EgressError MALFORMED, StrictJsonError */
export function parseCall<Call>(schema: z.ZodType<Call>, text: string): Call {
  const value = parseStrictJson(text, { maxBytes: egressLimits.requestBytes, maxDepth })
  const parsed = schema.safeParse(value)
  if (!parsed.success) throw new EgressError('MALFORMED', 'not a call of the permitted shape')
  return parsed.data
}

/** @throws EgressError NOT_RUNNING, VerifyError, ClearError */
export async function admit(
  { issuer, tokenKeys, now, epochOf, nkeyOf }: AdmissionDependencies,
  agent: GatewayAgent,
  { token, args, salt }: Proof,
): Promise<Admitted> {
  const id = replicaOf(agent)
  const [epoch, nkey] = [epochOf(agent), nkeyOf(agent)]
  if (epoch === undefined || nkey === undefined) {
    throw new EgressError('NOT_RUNNING', 'no sandbox of this agent runs')
  }
  const claims = await verifyToken(token, {
    keys: tokenKeys,
    issuer,
    audience: `agent:${id}:${epoch}`,
    nkey,
    now: now(),
  })
  const [{ action }] = claims.authorization_details
  clearAccess(claims, { op: 'run', agent: id, action, salt, args })
  return { claims, epoch }
}

/** `<name>.<n>` */
export const replicaOf = ({ agent, n }: GatewayAgent): string => `${agent}.${n}`

/** What a refusal is told as; anything else is a bug and is thrown on. */
export function toEgressError(error: unknown): EgressError {
  if (error instanceof EgressError) return error
  if (error instanceof VerifyError || error instanceof ClearError) {
    return new EgressError(error.code, error.message, { cause: error })
  }
  if (error instanceof StrictJsonError) {
    return new EgressError('MALFORMED', 'not JSON of one meaning', { cause: error })
  }
  throw error
}
