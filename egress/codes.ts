// Why the gateway refuses a request or gives one up: a closed union, referred to by name in tests and
// documents. "Not allowed" comes before anything was sent; "failed" says whether the request may
// have reached the server, because an agent decides by it whether it may ask again.

import { clearCodes, verifyCodes } from '../security/capability-codes.ts'

/** The request is not one that the token and the manifest allow. Nothing was sent. */
export const refusalCodes = [
  'MALFORMED',
  'OVERLOADED',
  'NOT_AUDITED',
  'NOT_RUNNING',
  'EGRESS_UNDECLARED',
  'EGRESS_NOT_OF_ACTION',
  'PROTOCOL_REFUSED',
  'ORIGIN_INVALID',
  'ORIGIN_REFUSED',
  'NOT_CONFIGURED',
  'PATH_INVALID',
  'PATH_REFUSED',
  'METHOD_REFUSED',
  'QUERY_INVALID',
  'QUERY_REFUSED',
  'BINDING_MISMATCH',
  'HEADER_REFUSED',
  'BODY_REFUSED',
  'ADDRESS_REFUSED',
] as const
export type RefusalCode = (typeof refusalCodes)[number]

/** Nothing was sent: asking again is safe. */
export const unsentCodes = [
  'NAME_UNRESOLVED',
  'CONNECT_FAILED',
  'TLS_REFUSED',
  'PIN_MISMATCH',
  'CREDENTIAL_MISSING',
] as const
export type UnsentCode = (typeof unsentCodes)[number]

/** It may have reached the server. */
export const sentCodes = [
  'TIMEOUT',
  'BROKEN_OFF',
  'RESPONSE_INVALID',
  'RESPONSE_TOO_LARGE',
] as const
export type SentCode = (typeof sentCodes)[number]

/** How a tunnel ended. Only for the record: its agent sees that the connection closed. */
export const tunnelEnds = [
  'CLOSED',
  'CONNECT_FAILED',
  'BROKEN_OFF',
  'TOKEN_ENDED',
  'TIME_OVER',
  'EPOCH_ENDED',
  'BYTES_OVER',
  'GATEWAY_STOPPED',
] as const
export type TunnelEnd = (typeof tunnelEnds)[number]

export const egressCodes = [
  ...verifyCodes,
  ...clearCodes,
  ...refusalCodes,
  ...unsentCodes,
  ...sentCodes,
] as const
export type EgressCode = (typeof egressCodes)[number]

/**
 * Expected, and told to the agent. `missing` is the line that would allow it; `place` names file and
 * key of that line without a word of the agent's, so that it can be recorded.
 */
export class EgressError extends Error {
  override readonly name = 'EgressError'
  readonly code: EgressCode
  readonly missing: string | undefined
  readonly place: string | undefined
  constructor(
    code: EgressCode,
    message: string,
    options: { readonly missing?: string; readonly place?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.missing = options.missing
    this.place = options.place
  }
}
