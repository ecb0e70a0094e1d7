// Verify: is this capability token genuine, for this agent, now? An ordered list of questions, each
// with a code of its own. Whether it allows the attempted act is clear.ts; whether it was seen before
// is the ledger's question (keyed on jti and idem, never on the token's text, which has alternate
// spellings). jose is asked for the signature alone: it takes array audiences and far expiries.

import type { CryptoKey } from 'jose'
import { z } from 'zod'
import type { VerifyCode } from '../capability-codes.ts'
import type { JsonValue } from './canonical-json.ts'
import { type CapabilityClaims, capabilityClaimsSchema, capabilityTokenType } from './claims.ts'
import { sha256 } from './hash.ts'
import { type JwsCode, JwsError, type KeyOf, openJws } from './jws.ts'
import { importPublicJwk } from './keys.ts'

export type { CapabilityClaims, CapabilityDetail } from './claims.ts'

/** A token carries one command, not a session. */
export const tokenLifeSeconds = 30
/** Clock difference between notary and agent that is forgiven. */
export const tokenSkewSeconds = 2
/** Characters; ours are below 2 KiB. */
const maxCharacters = 16 * 1024
const maxDepth = 8

export class VerifyError extends Error {
  override readonly name = 'VerifyError'
  readonly code: VerifyCode
  constructor(code: VerifyCode, message: string) {
    super(message)
    this.code = code
  }
}

/** The notary's public keys by thumbprint. A map, so that no `kid` can name a prototype's member. */
export interface TokenKeys {
  readonly keyOf: KeyOf
}

const jwksSchema = z.strictObject({
  keys: z
    .array(
      z.strictObject({
        kty: z.literal('OKP'),
        crv: z.literal('Ed25519'),
        x: z.string(),
        kid: z.string().optional(),
        alg: z.literal('EdDSA').optional(),
        use: z.literal('sig').optional(),
      }),
    )
    .max(16),
})

/**
 * Reads a public key set (RFC 7517). Private halves and foreign key types are refused, and a `kid`
 * that is not the key's own thumbprint.
 * @throws z.ZodError or Error when the set is not one of ours
 */
export async function createTokenKeys(jwks: unknown): Promise<TokenKeys> {
  const keys = new Map<string, CryptoKey>()
  for (const { kty, crv, x, kid } of jwksSchema.parse(jwks).keys) {
    const imported = await importPublicJwk({ kty, crv, x })
    if (kid !== undefined && kid !== imported.kid) {
      throw new Error('a key of the token key set has a kid that is not its thumbprint')
    }
    keys.set(imported.kid, imported.key)
  }
  return { keyOf: (kid) => keys.get(kid) }
}

export interface TokenExpectation {
  readonly keys: TokenKeys
  /** `notary:<deployment>` */
  readonly issuer: string
  /** `agent:<name>.<n>:<bootEpoch>` */
  readonly audience: string
  /** The agent's own public nkey. */
  readonly nkey: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/**
 * The claims of a genuine token.
 * @throws VerifyError; its message never contains any part of the token
 */
export async function verifyToken(
  token: string,
  expected: TokenExpectation,
): Promise<CapabilityClaims> {
  const payload = await openToken(token, expected.keys)
  // Before the shape, so that an array gets the code that says what is wrong with it.
  if (audienceOf(payload) !== expected.audience) {
    throw new VerifyError('TOKEN_AUDIENCE', 'aud is not exactly this agent and boot epoch')
  }
  const parsed = capabilityClaimsSchema.safeParse(payload)
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join('.') || '(claims)')
    throw new VerifyError('TOKEN_CLAIMS', `claims do not fit: ${fields.slice(0, 5).join(', ')}`)
  }
  const claims = parsed.data
  if (claims.iss !== expected.issuer) {
    throw new VerifyError('TOKEN_ISSUER', 'iss is not this deployment')
  }
  verifyTimes(claims, expected.now / 1_000)
  if (claims.cnf.nk_s256 !== sha256(expected.nkey)) {
    throw new VerifyError('TOKEN_BINDING', 'cnf is not the key of this agent')
  }
  return claims
}

function verifyTimes(claims: CapabilityClaims, nowSeconds: number): void {
  const life = claims.exp - claims.iat
  if (life <= 0 || life > tokenLifeSeconds) {
    throw new VerifyError('TOKEN_LIFE', `exp - iat is not within ${tokenLifeSeconds} s`)
  }
  // RFC 7519: not accepted on or after exp.
  if (nowSeconds - tokenSkewSeconds >= claims.exp) {
    throw new VerifyError('TOKEN_EXPIRED', 'exp has passed')
  }
  if (nowSeconds + tokenSkewSeconds < claims.nbf) {
    throw new VerifyError('TOKEN_NOT_YET', 'nbf is in the future')
  }
  if (nowSeconds + tokenSkewSeconds < claims.iat) {
    throw new VerifyError('TOKEN_NOT_YET', 'iat is in the future')
  }
}

function audienceOf(payload: JsonValue): JsonValue | undefined {
  if (payload === null || typeof payload !== 'object') return undefined
  return Object.entries(payload).find(([name]) => name === 'aud')?.[1]
}

async function openToken(token: string, keys: TokenKeys): Promise<JsonValue> {
  try {
    return await openJws(token, {
      type: capabilityTokenType,
      maxCharacters,
      maxDepth,
      keyOf: keys.keyOf,
    })
  } catch (cause) {
    if (cause instanceof JwsError) throw new VerifyError(verifyCodeOf(cause.code), cause.message)
    throw cause
  }
}

function verifyCodeOf(code: JwsCode): VerifyCode {
  switch (code) {
    case 'MALFORMED':
      return 'TOKEN_MALFORMED'
    case 'ALGORITHM':
      return 'TOKEN_ALGORITHM'
    case 'TYPE':
      return 'TOKEN_TYPE'
    case 'HEADER':
      return 'TOKEN_HEADER'
    case 'KEY_UNKNOWN':
      return 'TOKEN_KEY_UNKNOWN'
    case 'SIGNATURE':
      return 'TOKEN_SIGNATURE'
    case 'PAYLOAD':
      return 'TOKEN_CLAIMS'
  }
}
