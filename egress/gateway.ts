// One request of one agent, from its bytes to its reply. The order is the security argument: parse,
// verify the token, clear it for these arguments, decide by the manifest, resolve once, choose the
// address, connect to it, add the credential, bound what comes back; and an event under the step,
// whatever came of it. Knows no sockets of agents and no bus; server.ts and main.ts wire both.

import { setTimeout as delay } from 'node:timers/promises'
import { ClearError, clearAccess } from '../security/verify/clear.ts'
import { parseStrictJson, StrictJsonError } from '../security/verify/strict-json.ts'
import {
  type CapabilityClaims,
  type TokenKeys,
  VerifyError,
  verifyToken,
} from '../security/verify/token.ts'
import { chooseAddress } from './addresses.ts'
import { type EgressCode, EgressError } from './codes.ts'
import {
  type CredentialPlace,
  egressLimits,
  type FetchCall,
  type FetchReply,
  fetchCallSchema,
  type GatewayAgent,
} from './contract.ts'
import { type Arrival, depart } from './departure.ts'
import { type Departure, decideRequest } from './rules.ts'

/** Codes, names and figures only; never a path, a value, a token or a secret. */
export interface EgressEvent {
  readonly kind: 'message'
  readonly subject: string
  readonly summary: Readonly<Record<string, string | number | boolean>>
}

export interface GatewayDependencies {
  readonly issuer: string
  readonly tokenKeys: TokenKeys
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** All addresses of a name. Asked once for each request. */
  readonly resolve: (host: string) => Promise<readonly string[]>
  /** Boot epoch of the agent's running sandbox, or undefined. */
  readonly epochOf: (agent: GatewayAgent) => string | undefined
  /** @throws when it cannot be read */
  readonly secretOf: (place: CredentialPlace) => string
  /** True once it is recorded (or counted). */
  readonly record: (event: EgressEvent) => Promise<boolean>
  /** Certificates to trust instead of the system's. */
  readonly trusted: string | undefined
}

export interface Gateway {
  /** Never rejects for what an agent, a server or the bus can cause. */
  handle(agent: GatewayAgent, body: string): Promise<FetchReply>
}

/**
 * Refusals of one agent that get a row each, and how fast that allowance comes back. The notary bounds
 * the events of the whole gateway, so a flood from one agent must not use up the others' share.
 */
const notedRefusals = 20
const refusalEveryMs = 1_000

/** Deep enough for any step's arguments within a call. */
const maxDepth = 40

interface Allowance {
  left: number
  at: number
  /** Refusals without a row of their own since the last row. */
  skipped: number
}

interface Self extends GatewayDependencies {
  readonly inFlight: Map<string, number>
  readonly allowances: Map<string, Allowance>
  /** An event that could not be recorded: until it is, nothing more leaves. */
  owed: EgressEvent | undefined
}

export function createGateway(deps: GatewayDependencies): Gateway {
  const self: Self = { ...deps, inFlight: new Map(), allowances: new Map(), owed: undefined }
  return {
    async handle(agent, body) {
      const id = `${agent.agent}.${agent.n}`
      const running = self.inFlight.get(id) ?? 0
      if (running >= egressLimits.concurrent) {
        return toReply(new EgressError('OVERLOADED', 'too many requests at once'))
      }
      self.inFlight.set(id, running + 1)
      try {
        return await handle(self, agent, body)
      } finally {
        self.inFlight.set(id, (self.inFlight.get(id) ?? 1) - 1)
      }
    },
  }
}

/** What is known of a request, as far as it came. */
interface Trail {
  call?: FetchCall
  claims?: CapabilityClaims
  departure?: Departure
}

async function handle(self: Self, agent: GatewayAgent, body: string): Promise<FetchReply> {
  const trail: Trail = {}
  try {
    const arrival = await pass(self, agent, body, trail)
    await note(self, agent, trail, {
      status: arrival.status,
      bytes: arrival.body.length,
      code: 'OK',
    })
    const { origin, target } = trail.departure ?? { origin: { text: '' }, target: '' }
    return {
      ok: true,
      status: arrival.status,
      headers: arrival.headers,
      bodyBase64: arrival.body.toString('base64'),
      url: `${origin.text}${target}`,
    }
  } catch (error) {
    const refusal = toEgressError(error)
    await note(self, agent, trail, {
      ...{ status: 0, bytes: 0, code: refusal.code },
      ...(refusal.place === undefined ? {} : { missing: refusal.place }),
    })
    return toReply(refusal)
  }
}

async function pass(self: Self, agent: GatewayAgent, body: string, trail: Trail): Promise<Arrival> {
  const call = parseCall(body)
  trail.call = call
  const claims = await clear(self, agent, call)
  trail.claims = claims
  const [{ action, limits }] = claims.authorization_details
  const departure = decideRequest({ agent, action, args: call.args, request: call.request })
  trail.departure = departure
  await settleOwed(self)
  const timer = AbortSignal.timeout(Math.min(limits.timeoutMs, egressLimits.requestMs))
  const address = await resolveOnce(self, { agent, departure, signal: timer })
  return depart(departure, {
    address,
    credential: credentialOf(self, departure),
    trusted: self.trusted,
    signal: timer,
  })
}

function parseCall(body: string): FetchCall {
  const value = parseStrictJson(body, { maxBytes: egressLimits.requestBytes, maxDepth })
  const parsed = fetchCallSchema.safeParse(value)
  if (!parsed.success) throw new EgressError('MALFORMED', 'not a request of the permitted shape')
  return parsed.data
}

async function clear(
  self: Self,
  agent: GatewayAgent,
  { token, args, salt }: FetchCall,
): Promise<CapabilityClaims> {
  const id = `${agent.agent}.${agent.n}`
  const epoch = self.epochOf(agent)
  if (epoch === undefined) throw new EgressError('NOT_RUNNING', 'no sandbox of this agent runs')
  const claims = await verifyToken(token, {
    keys: self.tokenKeys,
    issuer: self.issuer,
    audience: `agent:${id}:${epoch}`,
    nkey: agent.nkey,
    now: self.now(),
  })
  const [{ action }] = claims.authorization_details
  clearAccess(claims, { op: 'run', agent: id, action, salt, args })
  return claims
}

async function resolveOnce(
  { resolve }: Self,
  asked: {
    readonly agent: GatewayAgent
    readonly departure: Departure
    readonly signal: AbortSignal
  },
): Promise<string> {
  const { agent, signal } = asked
  const { origin, declaration } = asked.departure
  const own = declaration.privateAddress || origin.literal
  const missing =
    declaration.setting === undefined
      ? `egress ${declaration.id}: privateAddress: true`
      : `bulkhead.yaml: ${declaration.setting}: an address in place of ${origin.host}`
  const place =
    declaration.setting === undefined
      ? `agents/${agent.agent}/manifest.ts:egress.${declaration.id}.privateAddress`
      : `bulkhead.yaml:${declaration.setting}`
  if (origin.literal) return chooseAddress([origin.host], { own, missing, place })
  const late = delay(egressLimits.connectMs, undefined, { signal, ref: false }).catch(
    () => undefined,
  )
  const addresses = await Promise.race([resolve(origin.host), late]).catch(() => undefined)
  return chooseAddress(addresses ?? [], { own, missing, place })
}

function credentialOf(
  { secretOf }: Self,
  { declaration: { credential } }: Departure,
): readonly [string, string] | undefined {
  if (credential === undefined) return undefined
  let secret: string
  try {
    secret = secretOf(credential)
  } catch (cause) {
    // Never sent without it: the server might answer with what it shows to strangers.
    throw new EgressError('CREDENTIAL_MISSING', 'the credential cannot be read', { cause })
  }
  if (credential.as === 'bearer') return ['authorization', `Bearer ${secret}`]
  if (credential.as === 'basic') {
    return ['authorization', `Basic ${Buffer.from(secret).toString('base64')}`]
  }
  return [credential.as.header, secret]
}

/** Nothing leaves while the last request is in no audit. */
async function settleOwed(self: Self): Promise<void> {
  if (self.owed === undefined) return
  if (!(await self.record(self.owed))) {
    throw new EgressError('NOT_AUDITED', 'the last request could not be recorded yet')
  }
  self.owed = undefined
}

async function note(
  self: Self,
  agent: GatewayAgent,
  { claims, departure }: Trail,
  outcome: {
    readonly status: number
    readonly bytes: number
    readonly code: EgressCode | 'OK'
    readonly missing?: string
  },
): Promise<void> {
  const subject = `egress:${agent.agent}.${agent.n}`
  const skipped = takeAllowance(self, subject, outcome.code)
  if (skipped === undefined) return
  const event: EgressEvent = {
    kind: 'message',
    subject,
    summary: {
      ...(claims === undefined ? {} : { idem: claims.idem, step: claims.step }),
      ...(departure === undefined
        ? {}
        : {
            method: departure.method,
            host: departure.origin.host,
            egress: departure.declaration.id,
          }),
      ...outcome,
      ...(skipped === 0 ? {} : { skipped }),
    },
  }
  if (!(await self.record(event))) self.owed = event
}

/** How many refusals this row stands for besides itself; undefined: no row for this one. */
function takeAllowance(
  { allowances, now }: Self,
  subject: string,
  code: EgressCode | 'OK',
): number | undefined {
  const known = allowances.get(subject) ?? { left: notedRefusals, at: now(), skipped: 0 }
  allowances.set(subject, known)
  const earned = Math.max(0, Math.floor((now() - known.at) / refusalEveryMs))
  known.left = Math.min(notedRefusals, known.left + earned)
  known.at += earned * refusalEveryMs
  if (code !== 'OK' && known.left === 0) {
    known.skipped += 1
    return undefined
  }
  if (code !== 'OK') known.left -= 1
  const { skipped } = known
  known.skipped = 0
  return skipped
}

function toEgressError(error: unknown): EgressError {
  if (error instanceof EgressError) return error
  if (error instanceof VerifyError || error instanceof ClearError) {
    return new EgressError(error.code, error.message, { cause: error })
  }
  if (error instanceof StrictJsonError) {
    return new EgressError('MALFORMED', 'not JSON of one meaning', { cause: error })
  }
  throw error
}

function toReply({ code, message, missing }: EgressError): FetchReply {
  return { ok: false, code, message, ...(missing === undefined ? {} : { missing }) }
}
