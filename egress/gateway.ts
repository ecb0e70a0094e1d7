// What an agent asks, from its bytes to the reply. The order is the security argument: parse, verify
// the token, clear it for these arguments, decide by the manifest, resolve once, choose the address,
// connect to it, add the credential, bound what comes back; and an event under the step, whatever came
// of it. Knows no sockets of agents and no bus; server.ts and main.ts wire both.

import {
  type AdmissionDependencies,
  admit,
  parseCall,
  replicaOf,
  toEgressError,
} from './admission.ts'
import { EgressError } from './codes.ts'
import {
  egressLimits,
  type FetchReply,
  fetchCallSchema,
  type GatewayAgent,
  type StreamHead,
} from './contract.ts'
import { type Arrival, depart, type Listener } from './departure.ts'
import { createJournal, type Journal, type JournalDependencies, type Trail } from './journal.ts'
import { credentialOf, type RouteDependencies, resolveOnce } from './route.ts'
import { type Departure, decideRequest } from './rules.ts'
import { openTunnel, type Tunnel } from './tunnel.ts'

export interface GatewayDependencies
  extends AdmissionDependencies,
    JournalDependencies,
    RouteDependencies {
  /** Certificates to trust instead of the system's. */
  readonly trusted: string | undefined
}

/** The way back to an agent that wants its response as it comes. */
export interface Relay {
  head(head: StreamHead): void
  readonly part: Listener['part']
  /** Aborted, with an EgressError for a reason, when nobody listens any more. */
  readonly gone: AbortSignal
}

export interface Gateway {
  /**
   * Never rejects for what an agent, a server or the bus can cause. Of a response that the relay was given
   * the reply holds no body: only that it is whole and recorded, or what became of it.
   * @param relay undefined: every response is kept until it is whole
   */
  handle(agent: GatewayAgent, body: string, relay?: Relay): Promise<FetchReply>
  /**
   * Decides on a tunnel and records that it opens; the caller then connects, keeps its bounds and
   * must call `ended` once, however it ended.
   * @param target as the agent wrote it: `<host>:<port>`
   * @throws EgressError
   */
  tunnel(agent: GatewayAgent, call: string, target: string): Promise<Tunnel>
}

export interface GatewaySelf extends GatewayDependencies {
  readonly journal: Journal
}

export function createGateway(deps: GatewayDependencies): Gateway {
  const self: GatewaySelf = { ...deps, journal: createJournal(deps) }
  const inFlight = new Map<string, number>()
  /** @throws EgressError OVERLOADED. Returns how to leave. */
  const enter = (agent: GatewayAgent): (() => void) => {
    const id = replicaOf(agent)
    const running = inFlight.get(id) ?? 0
    if (running >= egressLimits.concurrent) {
      throw new EgressError('OVERLOADED', 'too many requests at once')
    }
    inFlight.set(id, running + 1)
    return () => inFlight.set(id, (inFlight.get(id) ?? 1) - 1)
  }
  return {
    async handle(agent, body, relay) {
      let leave: () => void
      try {
        leave = enter(agent)
      } catch (error) {
        return toReply(toEgressError(error))
      }
      return handle(self, agent, { body, relay }).finally(leave)
    },
    async tunnel(agent, call, target) {
      const leave = enter(agent)
      try {
        const tunnel = await openTunnel(self, agent, { call, target })
        return { ...tunnel, ended: (end) => tunnel.ended(end).finally(leave) }
      } catch (error) {
        leave()
        throw error
      }
    },
  }
}

interface Known extends Trail {
  claims?: Trail['claims']
  about?: Trail['about']
  departure?: Departure
  /** What the agent was given, of a response that it is given as it comes. */
  passedOn?: { readonly status: number; readonly bytes: number }
}

interface Asked {
  readonly body: string
  readonly relay: Relay | undefined
}

async function handle(self: GatewaySelf, agent: GatewayAgent, asked: Asked): Promise<FetchReply> {
  const trail: Known = {}
  try {
    const { status, headers, bytes, body: content } = await pass(self, agent, asked, trail)
    const figures = { status, bytes }
    await self.journal.note(agent, trail, { code: 'OK', figures })
    const url = urlOf(trail)
    return { ok: true, status, headers, bodyBase64: content.toString('base64'), url }
  } catch (error) {
    const { code, place, ...refusal } = refusalOf(error)
    const figures = trail.passedOn ?? { status: 0, bytes: 0 }
    const outcome = { code, figures, missing: place }
    await self.journal.note(agent, trail, outcome)
    return { ok: false, code, ...refusal }
  }
}

async function pass(
  self: GatewaySelf,
  agent: GatewayAgent,
  { body, relay }: Asked,
  trail: Known,
): Promise<Arrival> {
  const { request, ...proof } = parseCall(fetchCallSchema, body)
  const { claims } = await admit(self, agent, proof)
  trail.claims = claims
  const [{ action, limits }] = claims.authorization_details
  const departure = decideRequest({ agent, action, args: proof.args, request })
  const { origin, declaration, method } = departure
  trail.departure = departure
  trail.about = { method, host: origin.host, egress: declaration.id }
  const { requestMs = egressLimits.requestMs } = declaration
  const time = AbortSignal.timeout(Math.min(limits.timeoutMs, requestMs))
  const listening = request.stream === true ? relay : undefined
  // What nobody hears need not be said: a provider that is left stops writing, and charging.
  const signal = listening === undefined ? time : AbortSignal.any([time, listening.gone])
  await self.journal.settle(agent)
  const address = await resolveOnce(self, { agent, origin, declaration, signal })
  const credential = credentialOf(self, declaration)
  const listener = listening === undefined ? undefined : createListener(listening, trail)
  return depart(departure, { address, credential, trusted: self.trusted, signal, listener })
}

function createListener(relay: Relay, trail: Known): Listener {
  let passedOn = { status: 0, bytes: 0 }
  const note = (change: Partial<typeof passedOn>) => {
    passedOn = { ...passedOn, ...change }
    trail.passedOn = passedOn
  }
  return {
    head(head) {
      note({ status: head.status })
      relay.head({ ...head, url: urlOf(trail) })
    },
    part(bytes, signal) {
      note({ bytes: passedOn.bytes + bytes.length })
      return relay.part(bytes, signal)
    },
  }
}

function urlOf({ departure }: Known): string {
  return departure === undefined ? '' : `${departure.origin.text}${departure.target}`
}

function refusalOf(error: unknown) {
  const { code, message, missing, place } = toEgressError(error)
  return { code, message, place, ...(missing === undefined ? {} : { missing }) }
}

function toReply({ code, message, missing }: EgressError): FetchReply {
  return { ok: false, code, message, ...(missing === undefined ? {} : { missing }) }
}
