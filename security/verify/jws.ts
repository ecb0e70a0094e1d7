// Opens and makes the one form of signature that we accept: compact JWS, EdDSA, header exactly
// alg, typ and kid. The list of questions is asked in order and each has a code of its own, because
// jose by itself takes a missing kid, extra header members and repeated JSON keys. The typ separates
// domains: a receipt is never a token. Claims are not judged here.

import { CompactSign, type CryptoKey, compactVerify } from 'jose'
import type { JsonValue } from './canonical-json.ts'
import type { SigningKey } from './keys.ts'
import { parseStrictJson, StrictJsonError } from './strict-json.ts'

export type JwsCode =
  | 'MALFORMED'
  | 'ALGORITHM'
  | 'TYPE'
  | 'HEADER'
  | 'KEY_UNKNOWN'
  | 'SIGNATURE'
  | 'PAYLOAD'

export class JwsError extends Error {
  override readonly name = 'JwsError'
  readonly code: JwsCode
  constructor(code: JwsCode, message: string) {
    super(message)
    this.code = code
  }
}

/** A promise where the key set is a file that may have changed. */
export type KeyOf = (kid: string) => CryptoKey | undefined | Promise<CryptoKey | undefined>

export interface JwsExpectation {
  readonly type: string
  /** Characters of the whole JWS. */
  readonly maxCharacters: number
  /** Nesting of the payload. */
  readonly maxDepth: number
  readonly keyOf: KeyOf
}

const compact = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/
const headerNames: ReadonlySet<string> = new Set(['alg', 'typ', 'kid'])
const headerLimits = { maxBytes: 1_024, maxDepth: 4 }

/** Signs canonical bytes; the caller has made them. */
export function signJws(type: string, payload: string, signer: SigningKey): Promise<string> {
  return new CompactSign(new TextEncoder().encode(payload))
    .setProtectedHeader({ alg: 'EdDSA', typ: type, kid: signer.kid })
    .sign(signer.key)
}

/**
 * The payload of a genuine JWS, strictly parsed.
 * @throws JwsError
 */
export async function openJws(jws: string, expected: JwsExpectation): Promise<JsonValue> {
  if (jws.length > expected.maxCharacters || !compact.test(jws)) {
    throw new JwsError('MALFORMED', 'not a compact JWS of the permitted size')
  }
  const key = await expected.keyOf(readKid(jws, expected.type))
  if (key === undefined) throw new JwsError('KEY_UNKNOWN', 'no such key')
  let payload: Uint8Array
  try {
    // The algorithm is pinned here as well: the header is the attacker's.
    payload = (await compactVerify(jws, key, { algorithms: ['EdDSA'] })).payload
  } catch {
    throw new JwsError('SIGNATURE', 'signature does not verify')
  }
  return parsePart(
    payload,
    { maxBytes: expected.maxCharacters, maxDepth: expected.maxDepth },
    'PAYLOAD',
  )
}

function readKid(jws: string, type: string): string {
  const encoded = jws.slice(0, jws.indexOf('.'))
  const header = parsePart(Buffer.from(encoded, 'base64url'), headerLimits, 'MALFORMED')
  if (header === null || typeof header !== 'object' || Array.isArray(header)) {
    throw new JwsError('MALFORMED', 'header is not an object')
  }
  const members = new Map(Object.entries(header))
  if (members.get('alg') !== 'EdDSA') throw new JwsError('ALGORITHM', 'alg is not EdDSA')
  if (members.get('typ') !== type) throw new JwsError('TYPE', `typ is not ${type}`)
  // jwk, jku, x5u, x5c and crit among them: a key or a rule that the sender brings along.
  for (const name of members.keys()) {
    if (!headerNames.has(name))
      throw new JwsError('HEADER', 'header has a member beyond alg, typ, kid')
  }
  const kid = members.get('kid')
  if (typeof kid !== 'string') throw new JwsError('HEADER', 'kid is missing')
  return kid
}

function parsePart(
  bytes: Uint8Array,
  limits: { readonly maxBytes: number; readonly maxDepth: number },
  code: JwsCode,
): JsonValue {
  try {
    return parseStrictJson(
      new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
      limits,
    )
  } catch (cause) {
    const reason = cause instanceof StrictJsonError ? cause.code : 'not UTF-8'
    throw new JwsError(code, `not strict JSON: ${reason}`)
  }
}
