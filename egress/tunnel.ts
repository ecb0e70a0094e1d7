// May a tunnel open, to what, and how long? For protocols that cannot be forwarded (`tls://`): the
// agent speaks TLS end to end, the gateway sees ciphertext, so host and port are all that it can hold
// the agent to, and it holds them exactly. Invariant: a tunnel never outlives the token that opened
// it, its sandbox, or its bounds, and it is on record before a connection is made.

import { admit, parseCall, toEgressError } from './admission.ts'
import type { TunnelEnd } from './codes.ts'
import { egressLimits, type GatewayAgent, tunnelCallSchema } from './contract.ts'
import type { GatewaySelf } from './gateway.ts'
import type { Trail } from './journal.ts'
import { resolveOnce } from './route.ts'
import { decideTunnel } from './rules.ts'

export interface TunnelFigures {
  /** Bytes from the agent to the server. */
  readonly sent: number
  readonly received: number
}

export interface Tunnel {
  /** The one address to connect to; already judged. */
  readonly address: string
  readonly port: number
  /** How long from now, and how it ends when that is over. */
  readonly livesMs: number
  readonly endsAs: Extract<TunnelEnd, 'TOKEN_ENDED' | 'TIME_OVER'>
  /** False once the sandbox that it was opened for is gone. */
  alive(): boolean
  /** Records the end. Never rejects for what the bus can cause. */
  ended(end: TunnelFigures & { readonly code: TunnelEnd }): Promise<void>
}

/** @throws EgressError */
export async function openTunnel(
  self: GatewaySelf,
  agent: GatewayAgent,
  asked: { readonly call: string; readonly target: string },
): Promise<Tunnel> {
  const { journal } = self
  const trail: { -readonly [Key in keyof Trail]: Trail[Key] } = { about: { method: 'CONNECT' } }
  try {
    const { egress, ...proof } = parseCall(tunnelCallSchema, asked.call)
    const { claims, epoch } = await admit(self, agent, proof)
    trail.claims = claims
    const [{ action, limits }] = claims.authorization_details
    const { origin, declaration } = decideTunnel({ agent, action, egress, target: asked.target })
    trail.about = { method: 'CONNECT', host: origin.host, egress: declaration.id }
    const signal = AbortSignal.timeout(egressLimits.connectMs)
    const address = await resolveOnce(self, { agent, origin, declaration, signal })
    await journal.announce(agent, trail, { code: 'OPENED', figures: { port: origin.port } })
    const stepMs = Math.min(limits.timeoutMs, egressLimits.tunnelMs)
    // Without the skew that a verifier grants: this is no claim of another clock's any more.
    const tokenMs = Math.max(0, claims.exp * 1_000 - self.now())
    return {
      address,
      port: origin.port,
      livesMs: Math.min(stepMs, tokenMs),
      endsAs: tokenMs < stepMs ? 'TOKEN_ENDED' : 'TIME_OVER',
      alive: () => self.epochOf(agent) === epoch,
      ended: ({ code, sent, received }) =>
        journal.note(agent, trail, { code, figures: { sent, received } }),
    }
  } catch (error) {
    const refusal = toEgressError(error)
    const { code, place: missing } = refusal
    await journal.note(agent, trail, { code, figures: { sent: 0, received: 0 }, missing })
    throw refusal
  }
}
