// What crosses the gateway's two boundaries: an agent's request over its socket and the reply, and
// the configuration that the supervisor writes. Shapes only. Who asks is in neither: it is the socket
// that the request arrived on.

import { z } from 'zod'
import { egressCodes } from './codes.ts'

export { type EgressCode, sentCodes, unsentCodes } from './codes.ts'

/** Bounds of one request; each is a policy. */
export const egressLimits = {
  /** A request with its token, arguments (64 KiB) and body, as JSON. */
  requestBytes: 512 * 1024,
  bodyBytes: 256 * 1024,
  /** Most an agent may ask for: feeds of a busy site come near it, a result is far smaller. */
  responseBytes: 4 * 1024 * 1024,
  /**
   * Of a response that is passed on as it comes, of which nothing is kept here: a frame of some 350 bytes
   * about each of 16,000 tokens.
   */
  streamedBytes: 6 * 1024 * 1024,
  /** Below an agent's reply time, so that the agent can still answer for it. */
  requestMs: 12_000,
  /** Of servers that think, where the declaration says so: the step is followed as one at work. */
  longestRequestMs: 5 * 60_000,
  connectMs: 5_000,
  urlBytes: 8 * 1024,
  /** In flight for one agent, tunnels among them. */
  concurrent: 8,
  /** Of a tunnel: what a step can have to say (its arguments are 64 KiB), and what it can read. */
  tunnelSentBytes: 1024 * 1024,
  tunnelReceivedBytes: 16 * 1024 * 1024,
  /** As long as the worker waits for a reply; a step that allows less ends it earlier. */
  tunnelMs: 15_000,
  /** A token (16 KiB) and arguments (64 KiB) in base64, in the header of a CONNECT. */
  headerBytes: 128 * 1024,
} as const

const methodSchema = z.enum(['GET', 'POST', 'PUT', 'DELETE', 'PROPFIND', 'REPORT'])
/** Those that change nothing on a server: without an answer they can be asked again (RFC 9110, 9.2.1). */
const safeMethods: readonly EgressRequest['method'][] = ['GET', 'PROPFIND', 'REPORT']

export function isSafe(method: EgressRequest['method']): boolean {
  return safeMethods.includes(method)
}
const texts = z.record(z.string().max(100), z.string().max(4 * 1024)).readonly()

const requestShape = z.strictObject({
  /** Id of a declaration of the manifest. */
  egress: z.string().max(100),
  /** Which of the configured origins; may be left out where there is one. */
  origin: z.string().max(300).exactOptional(),
  method: methodSchema,
  path: z.string().max(4 * 1024),
  query: texts.exactOptional(),
  headers: texts.exactOptional(),
  body: z.string().max(egressLimits.bodyBytes).exactOptional(),
  maxBytes: z.number().int().min(1).max(egressLimits.streamedBytes),
  /** The response is passed on as it comes (`StreamLine`), and not kept until it is whole. */
  stream: z.literal(true).exactOptional(),
  /** How long the agent would wait; the gateway's own bound holds besides. Absent: the usual one. */
  waitMs: z.number().int().min(1).max(egressLimits.longestRequestMs).exactOptional(),
})
export const egressRequestSchema = requestShape.refine(
  ({ maxBytes, stream }) => stream === true || maxBytes <= egressLimits.responseBytes,
)
export type EgressRequest = Readonly<z.infer<typeof egressRequestSchema>>

/** What proves to the gateway which step asks: the token, and what its hash was taken over. */
const proofSchema = z.strictObject({
  token: z.string().max(16 * 1024),
  args: z.record(z.string(), z.unknown()),
  salt: z.string().max(64),
})
export type Proof = z.infer<typeof proofSchema>

export const fetchCallSchema = z.strictObject({
  ...proofSchema.shape,
  request: egressRequestSchema,
})
export type FetchCall = z.infer<typeof fetchCallSchema>

/**
 * The password of a CONNECT's `Proxy-Authorization: Basic`, as JSON; the user name is `tunnel`. The
 * request's target is the host and port, in the form of the declared origin.
 */
export const tunnelCallSchema = z.strictObject({
  ...proofSchema.shape,
  /** Id of a declaration of the manifest. */
  egress: z.string().max(100),
})
export type TunnelCall = z.infer<typeof tunnelCallSchema>
export const tunnelUser = 'tunnel'

/** What an agent's handler asks its tunnel client for. */
export interface TunnelRequest {
  /** Id of a declaration of the manifest whose protocol is `tls`. */
  readonly egress: string
  /** As the declaration or its setting names them. */
  readonly host: string
  readonly port: number
}

/** The body of a CONNECT that is refused, and of a request that is. */
export const refusalSchema = z.strictObject({
  ok: z.literal(false),
  code: z.enum(egressCodes),
  message: z.string(),
  /** The line that would allow it. */
  missing: z.string().exactOptional(),
})

export const fetchReplySchema = z.discriminatedUnion('ok', [
  z.strictObject({
    ok: z.literal(true),
    status: z.number().int().min(100).max(599),
    headers: z.record(z.string(), z.string()).readonly(),
    bodyBase64: z.string(),
    url: z.string(),
  }),
  refusalSchema,
])
export type FetchReply = z.infer<typeof fetchReplySchema>

const streamHeadSchema = z.strictObject({
  status: z.number().int().min(100).max(599),
  headers: z.record(z.string(), z.string()).readonly(),
  url: z.string(),
})
export type StreamHead = z.infer<typeof streamHeadSchema>

/**
 * Of a streamed response, each a line of JSON: its head, its bytes as they come, and at last that it is
 * whole and on record, or why it is not. Without such a last line it broke off. A request that is refused
 * before there is a head gets the refusal alone.
 */
export const streamLineSchema = z.union([
  streamHeadSchema,
  z.strictObject({ partBase64: z.string() }),
  z.strictObject({ end: z.literal(true) }),
  refusalSchema,
])
export type StreamLine = z.infer<typeof streamLineSchema>

const ruleSchema = z.strictObject({
  methods: z.array(methodSchema).readonly(),
  path: z.string(),
  bind: z.record(z.string(), z.string()).readonly().exactOptional(),
  query: z.union([z.array(z.string()).readonly(), z.literal('*')]).exactOptional(),
})
export type AllowRule = Readonly<z.infer<typeof ruleSchema>>

const credentialSchema = z.strictObject({
  /** File with the secret alone, 0400; written by the supervisor. */
  file: z.string(),
  as: z.union([z.literal(['bearer', 'basic']), z.strictObject({ header: z.string() })]),
})
export type CredentialPlace = Readonly<z.infer<typeof credentialSchema>>

const declarationSchema = z.strictObject({
  id: z.string(),
  /** As `parseOrigin` reads them; empty when the setting is not set. */
  origins: z.array(z.string()).readonly(),
  /** `<agent>.<setting>` that the origins came from; absent: the manifest names the host. */
  setting: z.string().exactOptional(),
  allow: z.array(ruleSchema).readonly(),
  credential: credentialSchema.exactOptional(),
  pin: z.string().exactOptional(),
  privateAddress: z.boolean(),
  /** Nothing but addresses of the house. */
  onlyPrivate: z.boolean().exactOptional(),
  /** In place of the usual bound. */
  requestMs: z.number().int().min(1).max(egressLimits.longestRequestMs).exactOptional(),
})
export type ResolvedEgress = Readonly<z.infer<typeof declarationSchema>>

const agentSchema = z.strictObject({
  agent: z.string(),
  n: z.number().int().min(0),
  /** Unix socket on which this replica, and no other, asks. */
  socket: z.string(),
  /** Holds the boot epoch of the running sandbox, as text; absent while none runs. */
  epochFile: z.string(),
  /** Holds the public nkey of that sandbox's bus user, which its tokens are bound to. */
  nkeyFile: z.string(),
  egress: z.array(declarationSchema).readonly(),
  /** Action -> ids that it may use. */
  actions: z.record(z.string(), z.array(z.string()).readonly()).readonly(),
  /** Action -> pointer of the argument whose value is the one id that the step may use. */
  choices: z.record(z.string(), z.string()).readonly().exactOptional(),
})
export type GatewayAgent = Readonly<z.infer<typeof agentSchema>>

export const gatewayConfigSchema = z.strictObject({
  deployment: z.string(),
  issuer: z.string(),
  /** Credentials folder of the gateway's bus account. */
  bus: z.string(),
  /** The public token keys (JWKS). */
  tokenKeys: z.string(),
  agents: z.array(agentSchema).readonly(),
})
export type GatewayConfig = Readonly<z.infer<typeof gatewayConfigSchema>>
