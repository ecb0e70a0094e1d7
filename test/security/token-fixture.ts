// Makes tokens the way an attacker would: any header, any payload text, any key, without the checks
// of our own minter or of jose. The key is the one that RFC 8037 publishes.

import { createHmac, createPrivateKey, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { CapabilityClaims } from '../../security/verify/claims.ts'
import { capabilityClaimsSchema } from '../../security/verify/claims.ts'
import { privateJwkSchema, toPublicJwk } from '../../security/verify/keys.ts'
import { createTokenKeys, type TokenExpectation } from '../../security/verify/token.ts'

const caseSchema = z.strictObject({
  name: z.string(),
  set: z.record(z.string(), z.unknown()),
  now: z.number(),
})
export const tokenVectors = z
  .strictObject({
    description: z.string(),
    key: privateJwkSchema,
    kid: z.string(),
    expected: z.strictObject({ issuer: z.string(), audience: z.string(), nkey: z.string() }),
    claims: capabilityClaimsSchema,
    token: z.string(),
    accepted: z.array(caseSchema),
    refused: z.array(caseSchema.extend({ code: z.string() })),
  })
  .parse(JSON.parse(readFileSync(new URL('../vectors/token-claims.json', import.meta.url), 'utf8')))

export const baseClaims: CapabilityClaims = tokenVectors.claims
export const notaryKey = tokenVectors.key
export const goodHeader = { alg: 'EdDSA', typ: 'cap+jwt', kid: tokenVectors.kid }
/** The second at which `baseClaims` were issued, in milliseconds. */
export const issuedAt = baseClaims.iat * 1_000

/** `set` laid over the base claims; null removes a claim. */
export function claimsWith(set: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries({ ...baseClaims, ...set }).filter(([, value]) => value !== null),
  )
}

export interface Forgery {
  /** JSON text, or an object that is spelled by JSON.stringify. */
  readonly header?: object | string
  readonly payload?: object | string | Uint8Array
  readonly key?: object
  /** HMAC-SHA256 with these bytes instead of a signature. */
  readonly hmac?: Uint8Array
}

/** A compact JWS with exactly these bytes. */
export function forge({ header, payload, key, hmac }: Forgery): string {
  const encode = (part: object | string | Uint8Array) =>
    Buffer.from(
      part instanceof Uint8Array || typeof part === 'string' ? part : JSON.stringify(part),
    ).toString('base64url')
  const input = `${encode(header ?? goodHeader)}.${encode(payload ?? baseClaims)}`
  const signature =
    hmac === undefined
      ? sign(
          null,
          Buffer.from(input),
          createPrivateKey({ key: { ...(key ?? notaryKey) }, format: 'jwk' }),
        )
      : createHmac('sha256', hmac).update(input).digest()
  return `${input}.${signature.toString('base64url')}`
}

/** What the honest agent expects at `now`. */
export async function expectation(now = issuedAt): Promise<TokenExpectation> {
  const keys = await createTokenKeys({ keys: [toPublicJwk(notaryKey)] })
  return { keys, ...tokenVectors.expected, now }
}
